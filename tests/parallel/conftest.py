"""Samples that tests of chunks share."""

import numpy as np
import pytest


@pytest.fixture(name="X")
def rows_near_a_plane():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3)) @ rng.standard_normal((3, 16))
    return (X + 0.1 * rng.standard_normal(X.shape)).astype(np.float32)


@pytest.fixture(name="y")
def signs(X):
    return (X[:, 0] > 0).astype(int)
