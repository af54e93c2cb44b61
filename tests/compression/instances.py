"""Compressors for the table of estimators."""

from sklearn.kernel_approximation import RBFSampler
from sklearn.pipeline import make_pipeline

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    SparseNetRegressor,
)


def _classifier():
    return SparseNetClassifier(
        (20,), learning_rate=0.05, batch_size=256, random_state=0
    )


def _regressor(learning_rate=0.05, **parameters):
    return SparseNetRegressor(
        (20,),
        learning_rate=learning_rate,
        batch_size=256,
        random_state=0,
        **parameters,
    )


def _pipeline():
    # Pipelines give weights to the last step only, so the first must not need any.
    return make_pipeline(RBFSampler(gamma=0.2, random_state=0), _classifier())


COMPRESSORS = [
    NetPruner(_classifier(), amount=0.3),
    NetPruner(
        _regressor(), amount=0.3, structure="neuron", fine_tune_epochs=2, distill=True
    ),
    NetPruner(_regressor(), amount=0.3, structure="neuron", refit=False),
    NetPruner(_classifier(), amount=0.6, structure="neuron", fine_tune_epochs=0),
    NetPruner(_classifier(), amount=0.3, criterion="first_order", n_steps=2),
    NetPruner(_regressor(0.01, loss="poisson"), amount=0.2, criterion="first_order"),
    NetQuantizer(_classifier()),
    NetQuantizer(_regressor(), scheme="static"),
    NetQuantizer(_regressor(), scheme="weight_only", n_bits=4),
    NetFactorizer(_classifier(), rank=2, fine_tune_epochs=1, distill=True),
    NetFactorizer(_regressor(), rank=0.95, fine_tune_epochs=1),
    NetQuantizer(NetPruner(_pipeline(), amount=0.2)),
]
