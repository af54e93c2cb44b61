"""Curves of deletion and insertion."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from sksparse_nn.inspection import (
    AtomCardDisplay,
    AttributionDisplay,
    CodeUsageDisplay,
    deletion_curves,
    report,
)
from sksparse_nn.inspection.attribution import _faithfulness as faithfulness
from sksparse_nn.inspection.pages._page import Section


@pytest.fixture(scope="module", name="digits")
def some_digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="module", name="model")
def fitted_model(digits):
    return make_pipeline(
        SparseDictionaryCoder(
            64, algorithm="omp", n_nonzero_coefs=8, max_epochs=2, random_state=0
        ),
        StandardScaler(with_mean=False),
        SparseNetClassifier((), learning_rate=0.02, random_state=0),
    ).fit(*digits)


def test_what_is_called_important_is_what_predictions_rest_on(digits, model):
    X, y = digits[0][:300], digits[1][:300]
    curves = deletion_curves(model, X, y, random_state=0)
    assert curves.deletion[2] < curves.random_deletion[:, 2].min() - 0.1
    assert curves.insertion[2] > curves.random_insertion[:, 2].max() + 0.1


def test_the_ends_are_all_atoms_and_none(digits, model):
    X, y = digits[0][:300], digits[1][:300]
    curves = deletion_curves(model, X, y, n_points=3, n_random=2, random_state=0)
    assert curves.deletion[0] == curves.insertion[-1] == model.score(X, y)
    assert curves.deletion[-1] == curves.insertion[0]
    assert (curves.random_deletion[:, -1] == curves.deletion[-1]).all()
    assert curves.random_insertion.shape == (2, 3)
    assert curves.score_name == "accuracy"


def test_targets_are_scored_by_their_coefficient_of_determination():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 20))
    y = X[:, 0] * 3 + X[:, 1]
    network = SparseNetRegressor((), learning_rate=0.05, random_state=0)
    model = make_pipeline(TruncatedSVDReducer(20), network).fit(X, y)
    curves = deletion_curves(model, X, y, random_state=0)
    assert curves.score_name == "r2"
    assert curves.deletion.mean() < curves.random_deletion.mean()


def test_as_many_atoms_are_removed_as_the_share_says(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 10)), np.arange(20) % 2
    model = make_pipeline(
        TruncatedSVDReducer(10), SparseNetClassifier((), max_epochs=1)
    )
    model.fit(X, y)
    kept = []
    score = faithfulness._Score.__call__

    def count(self, mask):
        kept.append((mask & (self._codes != 0)).sum(axis=1))
        return score(self, mask)

    monkeypatch.setattr(faithfulness._Score, "__call__", count)
    deletion_curves(model, X, y, n_random=0, random_state=0)
    removed = [10 - n for n in kept[:11]]
    assert [int(n[0]) for n in removed] == list(range(11))
    assert all((n == n[0]).all() for n in removed)


def test_rows_are_coded_once(digits, model, monkeypatch):
    X, y = digits[0][:40], digits[1][:40]
    coded = []
    transform = SparseDictionaryCoder.transform

    def count(self, rows):
        coded.append(len(rows))
        return transform(self, rows)

    monkeypatch.setattr(SparseDictionaryCoder, "transform", count)
    deletion_curves(model, X, y, n_random=1, random_state=0)
    assert coded == [40]
    AttributionDisplay.from_estimator(model, X, row=3)
    assert coded == [40, 1]
    CodeUsageDisplay.from_estimator(model[0], X)
    AtomCardDisplay.from_estimator(model[0], X, y, atom=1)
    assert coded == [40, 1, 40, 40]
    plt.close("all")


def test_a_report_codes_its_rows_once_for_all_that_it_reads(
    digits, model, monkeypatch, tmp_path
):
    X, y = digits[0][:40], digits[1][:40]
    read = []
    transform = SparseDictionaryCoder.transform

    def count(self, rows):
        read.append(len(rows))
        return transform(self, rows)

    monkeypatch.setattr(SparseDictionaryCoder, "transform", count)
    monkeypatch.setattr("sksparse_nn.inspection.pages._report._make_smaller", _nothing)
    monkeypatch.setattr(type(model[-1]), "score", lambda self, X, y: 1.0)
    report(model, X, y, tmp_path / "page.html", n_atoms=3, n_samples=3)
    # Once for the page, the row that is taken apart, and once for the score.
    assert read == [40, 1, 40]


def _nothing(subject):
    return Section("nothing", "Nothing", "Nothing.")
