"""The recipes of CONTRIBUTING.md do what they say."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import StrOptions

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier, sparse_encode
from sksparse_nn.inspection import attribute
from sksparse_nn.solvers.coding import CODERS

_PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"


@pytest.fixture(name="digits")
def scaled_digits():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 16, y[:200]


def test_a_coder_is_one_class_and_one_line(digits, monkeypatch):
    [recipe] = re.findall(r"```python\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    written = {"__name__": __name__}
    exec(recipe, written)
    monkeypatch.setitem(CODERS._entries, "nearest", written["Nearest"])
    known = SparseDictionaryCoder._parameter_constraints
    monkeypatch.setitem(known, "algorithm", [StrOptions(set(CODERS))])
    X, y = digits
    atoms = X[:30] * np.arange(1, 31)[:, None]
    unit = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    products = X @ unit.T
    is_best = products == products.max(axis=1, keepdims=True)
    expected = np.where(is_best, products, 0) / np.arange(1, 31)
    expected /= np.linalg.norm(X[:30], axis=1)
    codes = sparse_encode(X, atoms, algorithm="nearest").toarray()
    assert_allclose(codes, expected, atol=1e-12)
    model = make_pipeline(
        SparseDictionaryCoder(30, algorithm="nearest", max_epochs=2, random_state=0),
        SparseNetClassifier((), learning_rate=0.05, random_state=0),
    ).fit(X, y)
    assert model.score(X, y) > 0.5
    found = attribute(model, X[:5], outputs="predicted")
    assert_allclose(found.features.sum(axis=2), found.atoms.sum(axis=2), atol=1e-6)
