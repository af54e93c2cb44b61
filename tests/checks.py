"""scikit-learn's checks as parameters of a test, a name each in any of its versions."""

from collections import Counter

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from tests.estimators import name_of


def parametrize_with_checks(estimators):
    """Run a test of `estimator` and `check` on every check of every estimator."""
    pairs = [pair for one in estimators for pair in estimator_checks_generator(one)]
    return pytest.mark.parametrize(
        ("estimator", "check"), pairs, ids=_number_repeated(map(_name, pairs))
    )


def _name(pair):
    estimator, check = pair
    options = ",".join(f"{name}={value}" for name, value in check.keywords.items())
    return f"{name_of(estimator)}-{check.func.__name__}({options})"


def _number_repeated(names):
    """Add a number to repeated names: version 1.7 has some checks twice."""
    seen = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}#{seen[name]}"
