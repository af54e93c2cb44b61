"""Models of scikit-learn behind our transformers, read as ours are."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC, LinearSVR

from sksparse_nn import (
    SparseDictionaryCoder,
    SparsitySearchCV,
    TruncatedSVDReducer,
    compression_report,
)
from sksparse_nn.inspection import attribute, deletion_curves, report

LINEAR = [
    LogisticRegression(max_iter=300),
    LinearSVC(),
    RidgeClassifier(),
    SGDClassifier(random_state=0),
    LinearDiscriminantAnalysis(),
    GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1]}, cv=2),
    Ridge(),
    LinearRegression(),
    Lasso(alpha=0.5),
    SGDRegressor(random_state=0),
    LinearSVR(random_state=0),
    Ridge(fit_intercept=False),
]
DEEP = [
    MLPClassifier((12,), max_iter=30, random_state=0),
    MLPClassifier((12, 8), activation="tanh", max_iter=30, random_state=0),
    MLPRegressor(
        hidden_layer_sizes=(12,), activation="logistic", max_iter=30, random_state=0
    ),
    MLPRegressor(hidden_layer_sizes=(), max_iter=30, random_state=0),
]
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning"),
]


def _name(head):
    return repr(head).replace(" ", "")


def _is_classifier(head):
    return "Class" in repr(head) or "Logistic" in repr(head) or "SVC" in repr(head)


def _data(head, kind):
    if not (_is_classifier(head) or "Discriminant" in repr(head)):
        X, y = load_diabetes(return_X_y=True)
        y = (y - y.mean()) / y.std()
        return (X, np.column_stack([y, y**2])) if kind == "several" else (X, y)
    X, y = (load_breast_cancer if kind == "two" else load_digits)(return_X_y=True)
    return X[:400], y[:400]


def _fitted(head, X, y, n_components=8):
    coder = SparseDictionaryCoder(
        n_components, max_epochs=2, sparse_output=False, random_state=0
    )
    return make_pipeline(StandardScaler(), coder, head).fit(X, y)


def _decisions(model, X):
    if hasattr(model, "decision_function"):
        found = model.decision_function(X)
        return np.column_stack([-found, found]) if found.ndim == 1 else found
    found = np.asarray(model.predict(X))
    return found.reshape(len(X), -1)


@pytest.mark.parametrize("kind", ["one", "two"])
@pytest.mark.parametrize("head", LINEAR, ids=_name)
def test_linear_heads_are_exact(head, kind):
    X, y = _data(head, kind)
    model = _fitted(head, X, y)
    found = attribute(model, X[:20])
    linear = getattr(model[-1], "best_estimator_", model[-1])
    weight = np.atleast_2d(linear.coef_)
    if len(weight) == 1 and hasattr(model, "classes_"):
        weight = np.vstack([-weight, weight])
    codes = model[:-1].transform(X[:20])
    assert_allclose(found.atoms, weight * codes[:, None], atol=1e-9)
    assert_allclose(found.outputs, _decisions(model, X[:20]), atol=1e-6)
    assert_allclose(found.features.sum(2) + found.feature_bias, found.outputs)
    if hasattr(model, "classes_"):
        chosen = attribute(model, X[:20], outputs="predicted", features=False)
        np.testing.assert_array_equal(chosen.targets[:, 0], model.predict(X[:20]))


def test_several_targets_of_a_linear_head():
    X, y = _data(Ridge(), "several")
    found = attribute(_fitted(Ridge(), X, y), X[:5])
    assert found.atoms.shape == (5, 2, 8)
    assert_allclose(found.errors, 0, atol=1e-9)


@pytest.mark.parametrize("head", DEEP, ids=_name)
def test_networks_of_scikit_learn_are_read_as_networks(head):
    X, y = _data(head, "one")
    model = _fitted(head, X, y)
    found = attribute(model, X[:20], tol=1e-3)
    largest = np.abs(found.atoms).max(axis=2)
    assert (np.abs(found.errors) <= 1e-3 * largest + 1e-8).all()
    if hasattr(model, "classes_"):
        shares = np.exp(found.outputs - found.outputs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        assert_allclose(shares, model.predict_proba(X[:20]), atol=1e-6)
    else:
        assert_allclose(found.outputs[:, 0], model.predict(X[:20]), atol=1e-6)


@pytest.mark.parametrize("head", [LINEAR[0], DEEP[2]], ids=_name)
def test_all_that_reads_a_model_reads_these(head, tmp_path):
    X, y = _data(head, "two")
    model = _fitted(head, X, y)
    curves = deletion_curves(model, X[:100], y[:100], n_points=5, n_random=2)
    assert curves.deletion.mean() <= curves.random_deletion.mean() + 0.05
    path = tmp_path / "page.html"
    report(model, X[:60], y[:60], path, n_atoms=1, n_samples=1, random_state=0)
    assert "Is it true?" in path.read_text(encoding="utf-8")
    numbers = compression_report({"it": model}, X, y).loc["it"]
    layers = getattr(model[-1], "coefs_", None) or [np.atleast_2d(model[-1].coef_).T]
    n_weights = sum(weight.size for weight in layers)
    n_biases = sum(weight.shape[1] for weight in layers)
    ahead = compression_report({"it": _fitted(Ridge(), X, y * 1.0)}, X, y).loc["it"]
    assert numbers.parameters - n_weights - n_biases == ahead.parameters - 9
    assert numbers.multiply_adds - n_weights == pytest.approx(ahead.multiply_adds - 8)


def test_they_stand_beside_networks_in_a_report():
    X, y = _data(LINEAR[0], "one")
    models = {_name(head): _fitted(head, X, y) for head in (*LINEAR[:3], *DEEP[:2])}
    table = compression_report(models, X, y)
    assert isinstance(table, pd.DataFrame)
    assert (table.accuracy > 0.2).all()


def test_sparsity_is_searched_ahead_of_any_head():
    for head in (LinearSVC(), MLPClassifier((4,), max_iter=5, random_state=0)):
        X, y = _data(head, "one")
        pipeline = make_pipeline(SparseDictionaryCoder(8, max_epochs=1), head)
        grid = {"sparsedictionarycoder__alpha": [1.0, 4.0]}
        assert SparsitySearchCV(pipeline, grid, cv=2).fit(X, y).best_score_ > 0.05


@pytest.mark.parametrize(
    "head",
    [KNeighborsClassifier(), SVC(), SVC(kernel="linear"), PoissonRegressor()],
    ids=_name,
)
def test_what_is_neither_says_what_is_possible(head):
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(TruncatedSVDReducer(8), head).fit(X[:200], y[:200])
    what = rf"linear model or an MLP of scikit-learn.*Got {type(head).__name__}"
    for read in (
        lambda: attribute(model, X[:3]),
        lambda: deletion_curves(model, X[:3], y[:3]),
        lambda: compression_report({"it": model}, X[:9], y[:9]),
    ):
        with pytest.raises(TypeError, match=what):
            read()
