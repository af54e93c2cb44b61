"""A network that predicts the same for every row says so."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


def rare(X):
    return (np.arange(len(X)) % 30 == 0).astype(int)


CONSTANT = {
    "penalty": lambda X, y: (SparseNetClassifier(l1=10.0), X, y),
    "sparse rows": lambda X, y: (
        SparseNetClassifier(l1=10.0),
        sparse.csr_array(X * (np.arange(X.size).reshape(X.shape) % 17 == 0)),
        y,
    ),
    "rare class": lambda X, y: (SparseNetClassifier(()), X, rare(X)),
    "labels": lambda X, y: (
        SparseNetClassifier(l1=10.0),
        X,
        np.column_stack([y == 0, y == 0]).astype(int),
    ),
    "numbers": lambda X, y: (SparseNetRegressor(group_lasso=30.0), X, y),
    "several numbers": lambda X, y: (SparseNetRegressor(l1=30.0), X, np.c_[y, -y]),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_constant_predictions_are_said_once(blobs, name):
    net, X, y = CONSTANT[name](*blobs)
    with pytest.warns(UserWarning, match="for all of the 90 training rows") as caught:
        net.set_params(random_state=0).fit(X, y)
    constant = [w for w in caught if "training rows" in str(w.message)]
    assert len(constant) == 1
    assert constant[0].filename == __file__


VARYING = {
    "classes": lambda X, y: (SparseNetClassifier(), X, y),
    "one class": lambda X, y: (SparseNetClassifier(), X, 0 * y),
    "numbers": lambda X, y: (SparseNetRegressor(), X, 1e9 + 1e6 * y),
    "one number": lambda X, y: (SparseNetRegressor(), X, 0 * y + 3.0),
    "one row": lambda X, y: (SparseNetRegressor(), X[:1], y[:1]),
}


@pytest.mark.parametrize("name", VARYING)
def test_predictions_that_vary_or_need_not_are_not_said(blobs, name):
    net, X, y = VARYING[name](*blobs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.set_params(random_state=0, learning_rate=0.02).fit(X, y)
