"""Networks to look into."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sksparse_nn import SparseNetClassifier


@pytest.fixture(autouse=True)
def _single_thread():
    """Hold torch to one thread: these networks are too small for two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:600] / 16).astype(np.float32), y[:600]


@pytest.fixture(scope="session")
def net(digits):
    """Return a network of two hidden layers, with dropout, trained."""
    net = SparseNetClassifier(
        (32, 16), dropout=0.2, learning_rate=0.01, max_epochs=15, random_state=0
    )
    return net.fit(*digits)
