"""More components than a machine has memory for are a sentence, in every estimator."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from tests.estimators import ESTIMATORS, name_of

WITH_COMPONENTS = [
    estimator
    for estimator in ESTIMATORS
    if "n_components" in estimator.get_params(deep=False)
    and isinstance(getattr(estimator, "init", ""), str)
]


@pytest.mark.parametrize("n_components", [2**40, 2**62])
@pytest.mark.parametrize("estimator", WITH_COMPONENTS, ids=name_of)
def test_too_many_components_are_named_or_cut_down(estimator, n_components):
    X = np.random.default_rng(0).random((30, 12))
    y = np.arange(30) % 2
    estimator = clone(estimator).set_params(n_components=n_components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            estimator.fit(X, y)
        except ValueError as error:
            message = str(error)
            assert "n_components" in message
            assert str(n_components) in message
        else:
            assert len(estimator.components_) <= 30
