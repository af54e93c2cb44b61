"""Digits, and a network that has learnt them."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sksparse_nn import (
    SparseNetClassifier,
)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype(np.float32) / 16, y, random_state=0)


@pytest.fixture(scope="module")
def net(digits):
    X, _, y, _ = digits
    return SparseNetClassifier(
        (64, 64), learning_rate=0.01, max_epochs=15, random_state=0
    ).fit(X, y)
