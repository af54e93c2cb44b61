"""Every public estimator passes every check of scikit-learn, none excused."""

import pytest
from sklearn.base import BaseEstimator

import sksparse_nn
from tests.checks import parametrize_with_checks
from tests.estimators import ESTIMATORS


# Some checks have a single feature or a few rows, less than what is asked for.
@pytest.mark.filterwarnings("ignore:(n_components|n_nonzero_coefs|alpha)=:UserWarning")
# Splitters of scikit-learn cast infinite labels before a classifier refuses them.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", sksparse_nn.__all__)
def test_every_public_estimator_is_in_the_table(name):
    public = getattr(sksparse_nn, name)
    if isinstance(public, type) and issubclass(public, BaseEstimator):
        assert any(type(estimator) is public for estimator in ESTIMATORS)
