"""Estimators through a file of skops, and what is compared afterwards."""

import numpy as np
import skops.io
from scipy import sparse

from sksparse_nn.persistence import TRUSTED_TYPES


def through_skops(estimator, *others):
    """Return a twin from a file; `others` are types that only a user can trust."""
    trusted = [*TRUSTED_TYPES, *others]
    return skops.io.loads(skops.io.dumps(estimator), trusted=trusted)


def untrusted_types(estimator):
    found = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    return sorted(set(found) - set(TRUSTED_TYPES))


def outputs(estimator, X):
    """Return all that an estimator says of samples, as dense arrays."""
    names = "predict", "predict_proba", "decision_function", "transform"
    found = [getattr(estimator, name)(X) for name in names if hasattr(estimator, name)]
    return [part.toarray() if sparse.issparse(part) else part for part in found]


def assert_same_bits(one, other, X):
    for expected, found in zip(outputs(one, X), outputs(other, X), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
