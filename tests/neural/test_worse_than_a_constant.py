"""A training that ends worse than the same answer to all rows says so, once."""

import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseNetClassifier, SparseNetRegressor

X = np.random.default_rng(0).standard_normal((60, 6))
CLASSES = np.arange(60) % 3
LABELS = np.random.default_rng(0).integers(0, 2, (60, 3))


def square(output, target):
    return (output - target).square()


def logarithm(output, target):
    """Return losses that grow slowly and are negative at zero."""
    return (0.1 + (output - target).square()).log() - 3


def high_quantile(output, target):
    left = target - output
    return torch.maximum(0.99 * left, -0.01 * left)


def entropy(output, target):
    return torch.nn.functional.cross_entropy(output, target, reduction="none")


def binary(output, target):
    return torch.nn.functional.binary_cross_entropy_with_logits(
        output, target, reduction="none"
    )


def regressor(**parameters):
    return SparseNetRegressor((8,), random_state=0, **parameters)


def classifier(**parameters):
    return SparseNetClassifier((8,), random_state=0, **parameters)


FAST = {"learning_rate": 10.0, "max_epochs": 3}
FAILED = {
    "numbers": (regressor(**FAST), X, X[:, 0]),
    "huge numbers": (regressor(**FAST, optimizer="adamw"), X, 1e30 * X[:, 0]),
    "several numbers": (regressor(**FAST), X, X[:, :2]),
    "far, not absurdly": (regressor(learning_rate=1.0, max_epochs=2), X, X[:, 0]),
    "sparse": (regressor(**FAST), sparse.csr_array(X * (X > 1.5)), X[:, 0]),
    "absolute": (regressor(**FAST, loss="absolute_error"), X, X[:, 0]),
    "quantile": (regressor(**FAST, loss="quantile", quantile=0.9), X, X[:, 0]),
    "own": (regressor(**FAST, loss=square), X, X[:, 0]),
    "own, slow": (regressor(**FAST, loss=logarithm), X, X[:, 0]),
    "classes": (classifier(**FAST), 100 * X, CLASSES),
    "two classes": (classifier(**FAST), 100 * X, CLASSES > 0),
    "labels": (classifier(**FAST), 100 * X, LABELS),
    "own of classes": (classifier(**FAST, loss=entropy), 100 * X, CLASSES),
    "own of labels": (classifier(**FAST, loss=binary), 100 * X, LABELS),
}


def failures(function, *data, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*data, **options)
    return [
        warning
        for warning in caught
        if warning.category is ConvergenceWarning
        and "of a constant prediction" in str(warning.message)
    ]


def streamed(net, X, y, times=3):
    options = {}
    if isinstance(net, SparseNetClassifier):
        labels = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
        options = {"classes": labels}
    for _ in range(times):
        net.partial_fit(X, y, **options)


@pytest.mark.parametrize("name", FAILED)
def test_a_fit_that_is_worse_than_a_constant_says_so(name):
    net, X, y = FAILED[name]
    (warning,) = failures(net.fit, X, y)
    assert f"learning_rate={net.learning_rate}" in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize("batch_size", ["auto", 16])
@pytest.mark.parametrize("name", FAILED)
def test_a_stream_that_is_worse_than_a_constant_says_so_once(name, batch_size):
    net, X, y = FAILED[name]
    net = type(net)(**net.get_params() | {"batch_size": batch_size})
    (warning,) = failures(streamed, net, X, y)
    assert f"learning_rate={net.learning_rate}" in str(warning.message)
    assert warning.filename == __file__


def test_a_fit_that_falls_from_far_away_is_to_go_on():
    net = regressor(max_epochs=30)
    (warning,) = failures(net.fit, 100 * X, X[:, 0])
    text = str(warning.message)
    assert text.startswith("Training has not converged")
    assert "longer than 30 epochs" in text
    assert "common scaling" in text


@pytest.mark.parametrize("loss", [square, entropy])
def test_a_loss_of_one_s_own_that_is_learnt_is_not_told(loss):
    y = CLASSES if loss is entropy else X[:, 0]
    net = (classifier if loss is entropy else regressor)(loss=loss, learning_rate=0.01)
    assert failures(net.fit, X, y) == []
    assert failures(streamed, net, X, y) == []


def test_a_loss_of_one_s_own_may_be_about_something_else_than_squares():
    y = np.exp(2 * X[:, 0])
    net = regressor(loss=high_quantile, learning_rate=0.02, max_epochs=200)
    assert failures(net.fit, X, y) == []
    assert failures(streamed, net, X, y, 20) == []


def test_parts_whose_targets_are_all_close_to_the_mean_are_not_told():
    y = X[:, 0]
    order = np.argsort(np.abs(y))
    net = regressor(learning_rate=0.1)
    net.partial_fit(X, y)

    def stream():
        for _ in range(10):
            for part in np.array_split(order, 12):
                net.partial_fit(X[part], y[part])

    assert failures(stream) == []


def test_parts_of_one_class_are_not_told():
    net = classifier(learning_rate=0.05)

    def stream():
        for label in [0] * 60 + [1, 2]:
            part = label == CLASSES
            net.partial_fit(X[part], CLASSES[part], classes=range(3))

    assert failures(stream) == []


def test_a_new_fit_is_judged_anew():
    net, X, y = FAILED["numbers"]
    assert len(failures(net.fit, X, y)) == len(failures(net.fit, X, y)) == 1
    good = regressor(learning_rate=0.01)
    assert failures(good.fit, X, y) == []


TABLES = {
    "iris": (SparseNetClassifier, datasets.load_iris),
    "wine": (SparseNetClassifier, datasets.load_wine),
    "cancer": (SparseNetClassifier, datasets.load_breast_cancer),
    "digits": (SparseNetClassifier, datasets.load_digits),
    "diabetes": (SparseNetRegressor, datasets.load_diabetes),
    "digits as numbers": (SparseNetRegressor, datasets.load_digits),
    "cancer as numbers": (SparseNetRegressor, datasets.load_breast_cancer),
}
COLUMNS = {
    "widths of petals": (datasets.load_iris, 3),
    "alcohol": (datasets.load_wine, 0),
    "proline": (datasets.load_wine, 12),
    "area": (datasets.load_breast_cancer, 3),
}


def table(name):
    if name in TABLES:
        kind, load = TABLES[name]
        return kind, *load(return_X_y=True)
    load, column = COLUMNS[name]
    X, _ = load(return_X_y=True)
    return SparseNetRegressor, np.delete(X, column, axis=1), X[:, column]


@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("name", [*TABLES, *COLUMNS])
def test_real_tables_are_learnt_by_default_without_a_warning(name, is_scaled):
    kind, X, y = table(name)
    X = StandardScaler().fit_transform(X) if is_scaled else X
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(random_state=0).fit(X, y)


@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("name", [*TABLES, *COLUMNS])
def test_real_tables_are_streamed_by_default_without_a_warning(name, is_scaled):
    kind, X, y = table(name)
    X = StandardScaler().fit_transform(X) if is_scaled else X
    net, order = kind(random_state=0), np.random.default_rng(0).permutation(len(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in np.array_split(order, 10):
            options = {"classes": np.unique(y)} if kind is SparseNetClassifier else {}
            net.partial_fit(X[part], y[part], **options)
