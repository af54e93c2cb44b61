"""A warning names the line of the user's code that led to it."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseNetClassifier, sparse_encode
from sksparse_nn.inspection import explained_variance
from tests.estimators import TRANSFORMERS, name_of

X = np.random.default_rng(0).standard_normal((60, 12))


def files_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert caught
    return {warning.filename for warning in caught}


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_warnings_of_transformers_name_the_line_of_the_user(estimator):
    asking = clone(estimator).set_params(n_components=900, random_state=0)
    for model in (asking, make_pipeline(StandardScaler(), clone(asking))):
        assert files_of(lambda m=model: m.fit_transform(X)) == {__file__}


def test_warnings_of_networks_name_the_line_of_the_user():
    y = (X[:, 0] > 0).astype(int)
    net = SparseNetClassifier(max_epochs=1, learning_rate=1e-4, random_state=0)
    for model in (net, make_pipeline(StandardScaler(), net)):
        assert files_of(lambda m=model: m.fit(X, y)) == {__file__}


def test_warnings_of_functions_name_the_line_of_the_user():
    rows = np.ones((4, 3))
    assert files_of(lambda: explained_variance(rows, rows)) == {__file__}
    calls = lambda: sparse_encode(X, np.eye(12), algorithm="lasso", alpha=1e3)  # noqa: E731
    assert files_of(calls) == {__file__}
