"""Instances of `LayerActivations` for the table of estimators."""

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    LayerActivations,
    NetPruner,
    SparseNetClassifier,
    SparseNetRegressor,
)


def _net(kind, *sizes):
    return kind(sizes, learning_rate=0.02, max_epochs=3, random_state=0)


ACTIVATIONS = [
    LayerActivations(_net(SparseNetRegressor, 8)),
    LayerActivations(_net(SparseNetRegressor, 8, 4), layer="1", batch_size=7),
    LayerActivations(_net(SparseNetClassifier, 8), layer=-1),
    LayerActivations(
        make_pipeline(StandardScaler(with_mean=False), _net(SparseNetRegressor, 8)),
        layer="0",
    ),
    LayerActivations(NetPruner(_net(SparseNetRegressor, 8), structure="neuron")),
]
