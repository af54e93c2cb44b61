"""Looking into networks for several labels, and for each loss of numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_multilabel_classification
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sksparse_nn import (
    LayerActivations,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from sksparse_nn.inspection import (
    AtomCardDisplay,
    AttributionDisplay,
    atom_table,
    attribute,
    class_profile,
    deletion_curves,
    loss_recovered,
    report,
    steer,
)
from sksparse_nn.neural._evaluation import mean_loss
from sksparse_nn.neural._targets._number_losses import LOSSES

TARGETS = ["labels", "sparse labels", *LOSSES, "two columns of counts"]

every_target = pytest.mark.parametrize("target", TARGETS)


@pytest.fixture(scope="module")
def problems():
    """Return rows, targets and a fitted pipeline for each kind of targets."""
    X, labels = make_multilabel_classification(400, n_classes=4, random_state=0)
    X = StandardScaler().fit_transform(X)
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.exp(1 + 0.5 * X[:, 0] - 0.5 * X[:, 1])).astype(float)
    given = {"learning_rate": 0.01, "random_state": 0, "activation": "tanh"}
    classifier = SparseNetClassifier((16,), **given)
    found = {
        "labels": (labels, classifier),
        "sparse labels": (sparse.csr_array(labels), classifier),
        "two columns of counts": (
            np.column_stack([counts, 100 * counts[::-1]]),
            SparseNetRegressor((16,), loss="poisson", **given),
        ),
    }
    for loss in LOSSES:
        quantile = 0.6 if loss == "quantile" else None
        found[loss] = (
            counts,
            SparseNetRegressor((16,), loss=loss, quantile=quantile, **given),
        )
    return {
        name: (X, y, make_pipeline(TruncatedSVDReducer(12), net).fit(X, y))
        for name, (y, net) in found.items()
    }


def outputs(target, model, X):
    if "labels" in target:
        return model.decision_function(X)
    found = model.predict(X).reshape(len(X), -1)
    return np.log(found) if target in ("poisson", "two columns of counts") else found


@every_target
def test_attributions_sum_to_every_output(problems, target):
    X, _, model = problems[target]
    found = attribute(model, X[:9], tol=1e-4)
    assert_allclose(found.outputs, outputs(target, model, X[:9]), rtol=1e-5, atol=1e-6)
    largest = np.abs(found.outputs - found.bias).max()
    for parts, bias in (
        (found.atoms, found.bias),
        (found.features, found.feature_bias),
    ):
        assert_allclose(parts.sum(axis=2) + bias, found.outputs, atol=1e-4 * largest)
    assert_array_equal(found.targets[0], range(found.outputs.shape[1]))


@pytest.mark.parametrize("target", ["labels", "sparse labels"])
def test_the_predicted_of_several_labels_is_the_most_probable(problems, target):
    X, _, model = problems[target]
    found = attribute(model, X[:9], outputs="predicted")
    assert_array_equal(found.targets[:, 0], model.predict_proba(X[:9]).argmax(axis=1))
    display = AttributionDisplay.from_estimator(model, X, row=3)
    assert display.target == found.targets[3, 0]
    assert_allclose(display.output, found.outputs[3, 0])


@every_target
def test_what_is_called_important_is_what_predictions_rest_on(problems, target):
    X, y, model = problems[target]
    curves = deletion_curves(model, X, y, random_state=0)
    assert curves.deletion[0] == pytest.approx(model.score(X, y))
    assert curves.deletion.mean() < curves.random_deletion.mean()
    assert curves.insertion.mean() > curves.random_insertion.mean()


@every_target
def test_a_perfect_reconstruction_recovers_the_loss(problems, target):
    X, y, model = problems[target]
    same = FunctionTransformer().fit(X)
    result = loss_recovered(model, same, X, y)
    assert result.loss_reconstructed == result.loss
    assert result.loss == pytest.approx(mean_loss(model[-1], model[0].transform(X), y))
    assert result.recovered_zero == result.recovered_mean == 1


@every_target
def test_steered_predictions_are_predictions(problems, target):
    X, _, model = problems[target]
    A = LayerActivations(FrozenEstimator(model)).fit_transform(X)
    coder = SparseDictionaryCoder(
        20, algorithm="omp", n_nonzero_coefs=4, random_state=0
    ).fit(A)
    before, after = steer(model, coder, X, atoms=[0, 1, 2])
    expected = model.predict_proba(X) if "labels" in target else model.predict(X)
    assert_allclose(before, expected, rtol=1e-6)
    assert after.shape == before.shape
    assert np.abs(after - before).max() > 0


# The page is long to make, and the same for all losses of one number.
@pytest.mark.parametrize(
    "target", ["sparse labels", "poisson", "two columns of counts"]
)
def test_a_report_is_written(problems, target, tmp_path):
    X, y, model = problems[target]
    report(model, X, y, tmp_path / "page.html", n_atoms=2, n_samples=3, random_state=0)
    page = (tmp_path / "page.html").read_text()
    assert f"{model.score(X, y):.3f} on 400 samples" in page
    assert ("in truth labels" in page) == ("labels" in target)


def test_integers_are_attributed_too(problems):
    X, y, model = problems["labels"]
    small = NetQuantizer(FrozenEstimator(model), scheme="weight_only").fit(X, y)
    found = attribute(small, X[:5])
    assert_allclose(found.outputs, small.decision_function(X[:5]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_shares_of_labels_are_those_of_the_rows_that_have_them(kind):
    rng = np.random.default_rng(0)
    codes, y = rng.standard_normal((50, 6)), rng.integers(0, 2, (50, 3))
    means = [np.abs(codes[y[:, label] == 1]).mean(axis=0) for label in range(3)]
    wanted = np.transpose(means) / np.sum(means, axis=0)[:, None]
    profile = class_profile(codes, kind(y), random_state=0)
    assert_allclose(profile.shares, wanted)
    assert_array_equal(profile.classes, range(3))
    assert (profile.chance_mean < profile.shares.max(axis=1) + 0.1).all()


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_atoms_of_several_labels_are_described(problems, kind):
    X, y, model = problems["labels"]
    table = atom_table(model[0], X, kind(y), random_state=0)
    assert table.top_class.isin(range(4)).all()
    card = AtomCardDisplay.from_estimator(model[0], X, kind(y), atom=1, random_state=0)
    for row, name in zip(card.samples["rows"], card.samples["names"], strict=True):
        has = ", ".join(map(str, np.flatnonzero(y[row])))
        assert name == f"row {row}: " + (f"labels {has}" if has else "no label")
