"""Fits of the reducer that are compared."""

import numpy as np
from numpy.testing import assert_allclose

SETTINGS = {
    "plain": {},
    "centred": {"center": True},
    "whitened": {"center": True, "whiten": True},
    "groups": {"groups": 6},
    "labels": {"groups": [2, 0, 1, 0] * 4, "center": True, "whiten": True},
    "share": {"n_components": 0.9, "groups": 4},
    "auto": {"n_components": "auto"},
}


def assert_same_fit(one, other, *, rtol=1e-6):
    """Compare what two reducers learnt, up to rounding."""
    assert one.n_components_ == other.n_components_
    assert one.n_samples_seen_ == other.n_samples_seen_
    atol = rtol * np.abs(one.mean_).max()
    assert_allclose(one.mean_, other.mean_, atol=atol)
    assert_allclose(one.singular_values_, other.singular_values_, rtol=rtol)
    assert_allclose(one.components_, other.components_, atol=10 * rtol)
    ratios = (r.explained_variance_ratio_ for r in (one, other))
    assert_allclose(*ratios, rtol=rtol)
