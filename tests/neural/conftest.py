"""Data and settings of the network tests."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs


@pytest.fixture(autouse=True)
def _single_thread():
    """Hold torch to one thread: these networks are too small for two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def blobs():
    X, y = make_blobs(90, n_features=5, centers=3, cluster_std=2.0, random_state=0)
    return (X / 5).astype(np.float32), y


@pytest.fixture
def line():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 4))
    return X, 30 + 5 * X[:, 0] - 2 * X[:, 1]
