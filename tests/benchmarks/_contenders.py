"""What is compared: the network, its peers, and all that goes ahead of it or around it.

All of it has its defaults, and `random_state`. What a default of ours does by itself a
peer is given: targets of scikit-learn's network are standardised, too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scipy import sparse
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)

NETWORK = "SparseNet"

# Up to which other settings than the defaults are compared.
_FEW_COLUMNS = 500


@dataclass(frozen=True)
class Contender:
    """A model, of which nothing but the seed is set.

    Parameters
    ----------
    name : str
        As it stands in the tables.

    make : callable
        Returns it, given the table, the seed and the fitted network.

    kind : {"alone", "ahead", "around"}
        Whether it is a model, or goes ahead of the network or around it.

    of_six : bool, default=False
        Whether it is one of the six models whose best the distances are taken to.

    takes_raw : bool, default=False
        Whether it gets rows as they came.

    is_setting : bool, default=False
        Whether it is another setting than the default, to compare. These take long
        where there are many columns, and are left out there.
    """

    name: str
    make: Callable
    kind: str
    of_six: bool = False
    takes_raw: bool = False
    is_setting: bool = False

    def takes(self, table, X):
        """Whether it is meant for such rows."""
        is_dense = not sparse.issparse(X)
        return (
            (table.is_images or not self.takes_raw)
            and (is_dense or self.name != "HistGradientBoosting")
            and not (self.is_setting and X.shape[1] > _FEW_COLUMNS)
        )


def _network(table, seed, network=None):
    of = SparseNetClassifier if table.has_classes else SparseNetRegressor
    return of(random_state=seed)


def _peer_network(table, seed, network):
    if table.has_classes:
        return MLPClassifier(random_state=seed)
    scaled = MLPRegressor(random_state=seed)
    return TransformedTargetRegressor(scaled, transformer=StandardScaler())


def _linear(table, seed, network):
    return LogisticRegression() if table.has_classes else Ridge()


def _boosting(table, seed, network):
    if table.has_classes:
        return HistGradientBoostingClassifier(random_state=seed)
    return HistGradientBoostingRegressor(random_state=seed)


def _ahead(transformer, *scalers, **setting):
    """Return a maker of a transformer, scalers and the network, in a pipeline."""

    def make(table, seed, network):
        first, between = transformer(random_state=seed, **setting), map(clone, scalers)
        return make_pipeline(first, *between, _network(table, seed))

    return make


def _reduced(table, seed, network):
    """Return the reducer and the network; a scaler between where directions are few."""
    between = [StandardScaler()] if table.is_text else []
    first = TruncatedSVDReducer(random_state=seed)
    return make_pipeline(first, *between, _network(table, seed))


def _activations(table, seed, network):
    first = LayerActivations(FrozenEstimator(network))
    return make_pipeline(first, MaxAbsScaler(), _network(table, seed))


def _around(compressor, **setting):
    return lambda table, seed, network: compressor(FrozenEstimator(network), **setting)


CONTENDERS = [
    Contender(NETWORK, _network, "alone", of_six=True),
    Contender("MLP", _peer_network, "alone", of_six=True),
    Contender("LogisticRegression, Ridge", _linear, "alone", of_six=True),
    Contender("HistGradientBoosting", _boosting, "alone", of_six=True),
    Contender(
        "SparseDictionaryCoder()", _ahead(SparseDictionaryCoder), "ahead", of_six=True
    ),
    Contender(
        "SparseDictionaryCoder(algorithm='elastic_net', l1_ratio=0.5)",
        _ahead(SparseDictionaryCoder, algorithm="elastic_net", l1_ratio=0.5),
        "ahead",
        is_setting=True,
    ),
    Contender(
        "SparseDictionaryCoder(algorithm='omp')",
        _ahead(SparseDictionaryCoder, algorithm="omp"),
        "ahead",
        is_setting=True,
    ),
    Contender("TruncatedSVDReducer()", _reduced, "ahead", of_six=True),
    Contender(
        "TruncatedSVDReducer(10)",
        _ahead(TruncatedSVDReducer, StandardScaler(), n_components=10),
        "ahead",
        is_setting=True,
    ),
    Contender(
        "SparseAttentionCoder()", _ahead(SparseAttentionCoder, MaxAbsScaler()), "ahead"
    ),
    Contender("TopKAutoencoder()", _ahead(TopKAutoencoder), "ahead"),
    Contender(
        "ImagePatchCoder()",
        _ahead(ImagePatchCoder, StandardScaler()),
        "ahead",
        takes_raw=True,
    ),
    Contender("LayerActivations(network)", _activations, "ahead"),
    Contender("NetPruner(network)", _around(NetPruner), "around"),
    Contender(
        "NetPruner(network, structure='neuron')",
        _around(NetPruner, structure="neuron"),
        "around",
    ),
    Contender("NetQuantizer(network)", _around(NetQuantizer), "around"),
    Contender("NetFactorizer(network)", _around(NetFactorizer), "around"),
]
