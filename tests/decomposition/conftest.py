"""Rows, and reducers in all settings."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sksparse_nn.decomposition._truncated_svd_reducer import TruncatedSVDReducer
from tests.decomposition.reducer_fits import SETTINGS


@pytest.fixture(params=SETTINGS)
def reducer(request):
    return TruncatedSVDReducer(**{"n_components": 3, **SETTINGS[request.param]})


@pytest.fixture(name="X")
def correlated_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 16)) @ rng.standard_normal((16, 16)) + 2
    return X + 3 * rng.standard_normal((80, 3)) @ rng.standard_normal((3, 16))


@pytest.fixture(scope="module")
def digits():
    return load_digits().data.astype(np.float32)
