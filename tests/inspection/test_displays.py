"""Displays: what they hold, that they draw, and what they say."""

import inspect
import subprocess
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from sksparse_nn import (
    ImagePatchCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from sksparse_nn.drawing._canvas import lettered, signed_bars, strongest
from sksparse_nn.drawing._pictures import as_pictures, signed, tiled
from sksparse_nn.inspection import (
    AtomCardDisplay,
    AttributionDisplay,
    CodeUsageDisplay,
    CompressionDisplay,
    DeletionCurvesDisplay,
    DictionaryDisplay,
    ReconstructionDisplay,
    SparsityPathDisplay,
    SpectrumDisplay,
    attribute,
    class_profile,
    deletion_curves,
    top_samples,
)

HOSTILE = ["$x_1$ and $y", "<script>alert('$')</script>", "long " * 40, r"\frac{$", ""]
SHAPE = {"image_shape": (8, 8)}


@pytest.fixture(autouse=True)
def _figures():
    plt.close("all")
    yield
    plt.close("all")


class RidgeScaler(StandardScaler):
    """A scaler with a parameter that coders have too."""

    def __init__(self, alpha=1, *, copy=True, with_mean=False, with_std=False):
        super().__init__(copy=copy, with_mean=with_mean, with_std=with_std)
        self.alpha = alpha


class Models:
    """What the displays are of, fitted once."""

    def __init__(self):
        X, y = load_digits(return_X_y=True)
        self.X, self.y = X[:300] / 16, y[:300]
        coder = SparseDictionaryCoder(
            16, algorithm="omp", n_nonzero_coefs=4, max_epochs=1
        )
        coder.set_params(random_state=0)
        net = SparseNetClassifier((), max_epochs=3, random_state=0)
        self.net = make_pipeline(coder, clone(net)).fit(self.X, self.y)
        self.coder = self.net[0]
        self.svd = TruncatedSVDReducer(5, center=True, whiten=True).fit(self.X)
        self.groups = TruncatedSVDReducer(2, groups=16).fit(self.X)
        patches = ImagePatchCoder(8, image_shape=(8, 8), patch_size=4, max_epochs=1)
        patches.set_params(n_patches=500, random_state=0)
        self.patches = patches.fit(self.X)
        names = [*HOSTILE[:3], "space", "orbit", "hockey", "team"]
        rng = np.random.default_rng(0)
        self.texts = [" ".join(rng.choice(names, 5)) for _ in range(60)]
        self.groups_of_texts = np.array(HOSTILE)[np.arange(60) % 5]
        vectorizer = TfidfVectorizer(tokenizer=lambda text: text.split(" "))
        vectorizer.set_params(token_pattern=None, lowercase=False)
        words = SparseDictionaryCoder(
            6, algorithm="omp", n_nonzero_coefs=2, max_epochs=1
        )
        self.text = make_pipeline(
            vectorizer, words.set_params(random_state=0), net
        ).fit(self.texts, self.groups_of_texts)
        self.search = GridSearchCV(
            make_pipeline(coder, LogisticRegression(max_iter=50, tol=0.1)),
            {"sparsedictionarycoder__n_nonzero_coefs": [4, 1]}
            | {"logisticregression__C": [0.1, 10]},
            cv=2,
            scoring="accuracy",
        ).fit(self.X, self.y)


@pytest.fixture(scope="module", name="models")
def fitted_models():
    return Models()


# Each draws from an estimator, with what is handed on.
DISPLAYS = {
    "dictionary": lambda m, **k: DictionaryDisplay.from_estimator(
        m.coder, **SHAPE, **k
    ),
    "dictionary of patches": lambda m, **k: DictionaryDisplay.from_estimator(
        m.patches, **k
    ),
    "dictionary of words": lambda m, **k: DictionaryDisplay.from_estimator(
        m.text[:-1], **k
    ),
    "usage": lambda m, **k: CodeUsageDisplay.from_estimator(m.coder, m.X, **k),
    "usage of words": lambda m, **k: CodeUsageDisplay.from_estimator(
        m.text[:-1], m.texts, **k
    ),
    "path": lambda m, **k: SparsityPathDisplay.from_estimator(m.coder, m.X, **k),
    "path of words": lambda m, **k: SparsityPathDisplay.from_estimator(
        m.text, m.texts, **k
    ),
    "path of a search": lambda m, **k: SparsityPathDisplay.from_estimator(
        m.search, m.X, **k
    ),
    "spectrum": lambda m, **k: SpectrumDisplay.from_estimator(m.svd, **k),
    "spectrum of groups": lambda m, **k: SpectrumDisplay.from_estimator(m.groups, **k),
    "reconstruction": lambda m, **k: ReconstructionDisplay.from_estimator(
        m.coder, m.X, row=3, **SHAPE, **k
    ),
    "reconstruction with a mean": lambda m, **k: ReconstructionDisplay.from_estimator(
        m.svd, m.X, **SHAPE, **k
    ),
    "reconstruction of words": lambda m, **k: ReconstructionDisplay.from_estimator(
        m.text[:-1], m.texts, **k
    ),
    "attribution": lambda m, **k: AttributionDisplay.from_estimator(
        m.net, m.X, row=2, **SHAPE, **k
    ),
    "attribution to words": lambda m, **k: AttributionDisplay.from_estimator(
        m.text, m.texts, **k
    ),
    "attribution to atoms": lambda m, **k: AttributionDisplay.from_estimator(
        m.net, m.X, features=False, **k
    ),
    "card": lambda m, **k: AtomCardDisplay.from_estimator(
        m.coder, m.X, m.y, **SHAPE, random_state=0, **k
    ),
    "card of a patch": lambda m, **k: AtomCardDisplay.from_estimator(
        m.patches, m.X, m.y, **k
    ),
    "card of words": lambda m, **k: AtomCardDisplay.from_estimator(
        m.text[:-1], m.texts, m.groups_of_texts, **k
    ),
    "card without classes": lambda m, **k: AtomCardDisplay.from_estimator(
        m.coder, m.X, **k
    ),
    "deletion": lambda m, **k: DeletionCurvesDisplay.from_estimator(
        m.net, m.X[:50], m.y[:50], n_points=4, n_random=2, random_state=0, **k
    ),
    "compression": lambda m, **k: CompressionDisplay.from_estimators(
        {"float": m.net, "text": m.net}, m.X[:50], m.y[:50], **k
    ),
}


@pytest.fixture(name="display", scope="module", params=DISPLAYS)
def drawn_display(request, models):
    return DISPLAYS[request.param](models)


def stored(display):
    return inspect.signature(type(display)).parameters


def test_numbers_alone_open_no_figure(display):
    plt.close("all")
    twin = type(display)(**{name: getattr(display, name) for name in stored(display)})
    for name in stored(display):
        assert getattr(twin, name) is getattr(display, name)
    assert twin.describe() == display.describe()
    assert not plt.get_fignums()


def test_displays_draw_again_and_on_given_axes(display):
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    assert all(ax.figure is display.figure_ for ax in display.axes_)
    figure, axes = plt.subplots(len(display.axes_), squeeze=False)
    n_figures = len(plt.get_fignums())
    assert display.plot(axes=axes.ravel()) is display
    assert display.figure_ is figure
    assert_array_equal(display.axes_, axes.ravel())
    assert len(plt.get_fignums()) == n_figures
    with pytest.raises(ValueError, match=f"Got {len(display.axes_) + 1}; leave"):
        display.plot(axes=[*axes.ravel(), axes[0, 0]])


def test_estimators_are_drawn_on_given_axes(display, models, request):
    draw = DISPLAYS[request.node.callspec.params["display"]]
    _, axes = plt.subplots(1, len(display.axes_))
    assert_array_equal(draw(models, axes=axes).axes_, np.ravel(axes))


def test_texts_fit_in_the_figure_and_next_to_each_other(display):
    display.plot().figure_.canvas.draw()
    width, height = display.figure_.canvas.get_width_height()
    for ax in display.axes_:
        for text in (ax.title, ax.xaxis.label):
            box = text.get_window_extent()
            assert box.x0 >= -1
            assert box.x1 <= width + 1
        for axis in (ax.xaxis, ax.yaxis):
            boxes = [
                label.get_window_extent()
                for label in axis.get_ticklabels()
                if label.get_text() and not label.get_rotation()
            ]
            low, high = axis.get_view_interval()
            places = axis.get_majorticklocs()
            is_seen = (places >= min(low, high)) & (places <= max(low, high))
            boxes = [box for box, seen in zip(boxes, is_seen, strict=False) if seen]
            for one, two in pairwise(boxes):
                shared = min(one.x1, two.x1) - max(one.x0, two.x0)
                above = min(one.y1, two.y1) - max(one.y0, two.y0)
                assert min(shared, above) <= 1
            for box in boxes:
                assert box.x0 >= -1
                assert box.x1 <= width + 1
                assert box.y0 >= -1
                assert box.y1 <= height + 1


def test_descriptions_are_a_few_short_sentences(display):
    text = display.describe()
    assert text.endswith(".")
    assert 20 < len(text) < 900
    assert "nan" not in text.replace("nance", "")


def test_importing_loads_no_matplotlib():
    code = "import sys, sksparse_nn.inspection; print('matplotlib' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert shown.stdout.strip() == "False"


def test_names_are_drawn_letter_by_letter():
    _, ax = plt.subplots()
    signed_bars(ax, HOSTILE, np.arange(-2, 3))
    ax.figure.canvas.draw()
    assert lettered("$x_1$") == r"\$x_1\$"
    assert lettered("a  b\nc") == "a b c"
    assert lettered("x" * 200, 10) == "x" * 9 + "…"
    assert lettered(3) == "3"


def test_the_strongest_have_the_largest_magnitudes():
    assert_array_equal(strongest(np.array([1, 0, -3, 2, 0]), 4), [2, 3, 0])
    assert_array_equal(strongest(np.array([1, 0, -3, 2, 0]), 2), [2, 3])


def test_rows_are_pictures_with_channels_first_or_last():
    rows = np.arange(24).reshape(2, 12)
    assert_array_equal(as_pictures(rows, (3, 4)), rows.reshape(2, 3, 4))
    last = as_pictures(rows, (2, 2, 3), channel_axis=2)
    assert_array_equal(last, rows.reshape(2, 2, 2, 3))
    first = as_pictures(rows, (3, 2, 2), channel_axis=0)
    assert_array_equal(first, rows.reshape(2, 3, 2, 2).transpose(0, 2, 3, 1))
    with pytest.raises(ValueError, match="Got rows of 12"):
        as_pictures(rows, (5, 5))
    with pytest.raises(ValueError, match="which has 2"):
        as_pictures(rows, (3, 2, 2), channel_axis=2)


def test_tiles_stand_in_their_order_a_pixel_apart():
    pictures = np.arange(1, 13.0).reshape(3, 2, 2)
    grid = tiled(pictures, 2)
    assert grid.shape == (5, 5)
    assert_array_equal(grid[:2, :2], pictures[0])
    assert_array_equal(grid[:2, 3:], pictures[1])
    assert_array_equal(grid[3:, :2], pictures[2])
    assert np.isnan(grid[2]).all()
    assert np.isnan(grid[3:, 3:]).all()
    assert tiled(np.zeros((3, 2, 2, 3)), 2).max() == 1


def test_zero_is_in_the_middle_of_what_is_drawn():
    pictures = np.array([[[0.0, -4], [2, 1]], [[0, 0], [0, 0]]])
    assert_allclose(signed(pictures)[0], [[0, -1], [0.5, 0.25]])
    assert_allclose(signed(pictures)[1], 0)
    colours = signed(np.array([[[[-2.0, 0, 1]]]]))
    assert_allclose(colours[0, 0, 0], [0, 0.5, 0.75])


def test_a_dictionary_is_one_picture_of_the_chosen_atoms(models):
    atoms = models.coder.components_
    display = DictionaryDisplay(atoms, image_shape=(8, 8), order=[5, 2, 9])
    display.plot(n_columns=2)
    (drawn,) = display.axes_[0].get_images()
    expected = atoms[2].reshape(8, 8) / np.abs(atoms[2]).max()
    assert_allclose(drawn.get_array()[:8, 9:], expected, rtol=1e-6)
    assert [t.get_text() for t in display.axes_[0].get_yticklabels()] == ["5", "9"]
    many = DictionaryDisplay(np.ones((1600, 4)), image_shape=(2, 2)).plot()
    assert many.axes_[0].get_title() == "100 of 1600 atoms"


def test_a_dictionary_of_words_shows_the_strongest_with_their_sign():
    atoms = np.array([[0.1, -3, 0, 2], [1, 0, 0, 0]])
    display = DictionaryDisplay(atoms, feature_names=["a", "b", "c", "$d$"]).plot()
    first, second = display.axes_
    assert [t.get_text() for t in first.get_yticklabels()] == ["b", r"\$d\$", "a"]
    assert [bar.get_width() for bar in first.patches] == [-3, 2, 0.1]
    assert len(second.patches) == 1
    assert "Strongest features of atom 0: b, $d$, a." in display.describe()


def test_patches_are_drawn_in_the_shape_of_a_patch():
    X = np.random.default_rng(0).random((20, 108))
    coder = ImagePatchCoder(
        5, image_shape=(6, 6, 3), patch_size=(2, 3), max_epochs=1, random_state=0
    ).fit(X)
    display = DictionaryDisplay.from_estimator(coder)
    display.plot(n_columns=5)
    (drawn,) = display.axes_[0].get_images()
    assert drawn.get_array().shape == (2, 5 * 4 - 1, 3)
    atom = coder.components_[1].reshape(2, 3, 3)
    expected = 0.5 + 0.5 * atom / np.abs(atom).max()
    assert_allclose(drawn.get_array()[:, 4:7], expected, rtol=1e-5)


def test_usage_is_counted(models):
    display = DISPLAYS["usage"](models)
    codes = models.coder.transform(models.X).toarray()
    assert_allclose(display.usage, (codes != 0).mean(axis=0))
    assert_array_equal(display.counts, (codes != 0).sum(axis=1))
    some = CodeUsageDisplay(np.array([0, 0.5, 0, 1]), np.array([1, 2]))
    assert some.describe().startswith("2 of 4 atoms are never used.")
    assert some.plot().axes_[0].get_title() == "2 of 4 atoms are never used"


def test_errors_of_a_path_are_those_of_rebuilt_rows(models):
    display = SparsityPathDisplay.from_estimator(models.coder, models.X, values=[3, 1])
    assert_allclose(display.n_nonzero, [1, 3])
    for n, error in zip([1, 3], display.errors, strict=True):
        coder = SparseDictionaryCoder(
            learner=None,
            init=models.coder.components_,
            algorithm="omp",
            n_nonzero_coefs=n,
        ).fit(models.X)
        rebuilt = coder.inverse_transform(coder.transform(models.X))
        left = np.sum((models.X - rebuilt) ** 2) / np.sum(models.X**2)
        assert error == pytest.approx(left, rel=1e-6)


def test_a_path_of_sparse_rows_is_that_of_dense_ones(models):
    dense, thin = (
        SparsityPathDisplay.from_estimator(models.coder, X, values=[1, 4])
        for X in (models.X, sparse.csr_array(models.X))
    )
    assert_allclose(dense.errors, thin.errors, rtol=1e-6)


def test_a_path_by_penalties_runs_over_alpha(models):
    coder = SparseDictionaryCoder(
        algorithm="lasso", learner=None, init=models.coder.components_
    ).fit(models.X)
    display = SparsityPathDisplay.from_estimator(coder, models.X)
    assert len(display.errors) == 7
    assert (np.diff(display.n_nonzero) >= 0).all()
    assert (np.diff(display.errors) < 0).all()


def test_scores_of_a_search_are_the_best_at_each_sparsity(models):
    display = DISPLAYS["path of a search"](models)
    results = models.search.cv_results_
    for i, n in enumerate([1, 4]):
        there = [
            score
            for score, params in zip(
                results["mean_test_score"], results["params"], strict=True
            )
            if params["sparsedictionarycoder__n_nonzero_coefs"] == n
        ]
        assert display.scores[i] == max(there)
    assert display.score_name == "accuracy"
    assert_allclose(display.n_nonzero, [1, 4])


def test_the_alpha_of_another_step_is_not_that_of_the_coder(models):
    coder = SparseDictionaryCoder(
        algorithm="lasso", learner=None, init=models.coder.components_
    )
    search = GridSearchCV(
        make_pipeline(RidgeScaler(), coder, RidgeClassifier()),
        {
            "ridgescaler__alpha": [1, 2],
            "sparsedictionarycoder__alpha": [0.5, 0.1],
            "ridgeclassifier__alpha": [3, 4],
        },
        cv=2,
    ).fit(models.X[:100], models.y[:100])
    display = SparsityPathDisplay.from_estimator(search, models.X)
    assert len(display.scores) == 2
    assert display.score_name == "score"


def test_what_has_no_path_is_refused(models):
    with pytest.raises(TypeError, match="Got TruncatedSVDReducer"):
        SparsityPathDisplay.from_estimator(models.svd, models.X)
    coder = SparseDictionaryCoder(4, algorithm="top_k", max_epochs=1).fit(models.X)
    with pytest.raises(TypeError, match=r"'omp'.*Got SparseDictionaryCoder"):
        SparsityPathDisplay.from_estimator(coder, models.X)
    with pytest.raises(ValueError, match=r"on its grid. Got \[1\]"):
        SparsityPathDisplay.from_estimator(models.search, models.X, values=[1])


def test_a_spectrum_ranks_all_groups_together(models):
    display = DISPLAYS["spectrum of groups"](models)
    values, shares = display.axes_
    assert len(values.lines) == 4
    expected = np.sort(models.groups.explained_variance_ratio_)[::-1].cumsum()
    assert_allclose(shares.lines[0].get_ydata(), 100 * expected)
    assert "8 components in 4 groups" in display.describe()
    with pytest.raises(TypeError, match="Got SparseDictionaryCoder"):
        SpectrumDisplay.from_estimator(models.coder)


@pytest.mark.parametrize("split_sign", [False, True])
def test_parts_are_codes_times_atoms(split_sign, models):
    coder = SparseDictionaryCoder(
        16,
        algorithm="omp",
        n_nonzero_coefs=4,
        max_epochs=1,
        random_state=0,
        split_sign=split_sign,
    ).fit(models.X)
    display = ReconstructionDisplay.from_estimator(coder, models.X, row=7)
    codes = models.coder.transform(models.X[[7]]).toarray()[0]
    order = np.argsort(-np.abs(codes))[:4]
    atoms = models.coder.components_[order]
    assert_allclose(display.parts, codes[order, None] * atoms, atol=1e-6)
    assert_allclose(display.coefficients, codes[order], rtol=1e-5)
    assert display.part_names == [f"atom {atom}" for atom in order]
    left = models.X[7] - codes @ models.coder.components_
    assert display.error == pytest.approx((left**2).sum() / (models.X[7] ** 2).sum())


def test_parts_and_a_mean_sum_to_the_rebuilt_row(models):
    display = DISPLAYS["reconstruction with a mean"](models)
    codes = models.svd.transform(models.X[:1])
    assert_allclose(display.total, models.svd.inverse_transform(codes)[0], atol=1e-6)
    assert_allclose(display.offset, models.svd.mean_, atol=1e-6)
    titles = [ax.get_title() for ax in display.axes_]
    assert titles[:2] == ["original", "without atoms"]
    assert titles[-1] == f"left over: {display.error:.1%}"


def test_a_row_without_atoms_has_no_parts(models):
    display = ReconstructionDisplay.from_estimator(models.coder, np.zeros((1, 64)))
    assert display.parts.shape == (0, 64)
    assert display.error == 0
    assert display.describe().startswith("0 atoms")
    with pytest.raises(TypeError, match="Got ImagePatchCoder"):
        ReconstructionDisplay.from_estimator(models.patches, models.X)


def test_attributions_are_those_of_attribute(models):
    display = DISPLAYS["attribution"](models)
    found = attribute(models.net, models.X[2:3], outputs="predicted")
    assert_allclose(display.atoms, found.atoms[0, 0])
    assert_allclose(display.features, found.features[0, 0])
    assert display.target == models.net.predict(models.X[2:3])[0]
    one = AttributionDisplay.from_estimator(models.text, models.texts, target="")
    assert one.target == ""
    assert "$x_1$" in list(one.feature_names)


def test_a_network_without_atoms_has_features_only(models):
    net = SparseNetRegressor((), max_epochs=1, random_state=0)
    display = AttributionDisplay.from_estimator(net.fit(models.X, models.y), models.X)
    assert display.atoms is None
    assert len(display.axes_) == 1
    assert display.target == 0


def test_channels_of_a_pixel_are_taken_together():
    rng = np.random.default_rng(0)
    features, values = rng.standard_normal((2, 24))
    display = AttributionDisplay(
        features=features, values=values, image_shape=(3, 2, 4), target="a"
    ).plot()
    drawn = display.axes_[0].get_images()[-1]
    assert_allclose(drawn.get_array(), features.reshape(3, 2, 4).sum(axis=0))


def test_a_card_holds_the_profile_and_the_strongest_samples(models):
    display = DISPLAYS["card"](models)
    codes = models.coder.transform(models.X)
    profile = class_profile(codes, models.y, random_state=0)
    assert_allclose(display.profile["shares"], profile.shares[0])
    rows = top_samples(codes)[0]
    assert_array_equal(display.samples["rows"], rows)
    assert_allclose(display.samples["codes"], codes.toarray()[rows, 0])
    expected = models.X[rows].reshape(-1, 8, 8)
    assert_array_equal(display.samples["pictures"], expected)
    assert display.usage == pytest.approx((codes.toarray()[:, 0] != 0).mean())


def test_a_card_of_an_atom_without_use_has_no_samples(models):
    coder = SparseDictionaryCoder(
        learner=None,
        init=np.eye(64)[:4] + 1e-3,
        algorithm="omp",
        n_nonzero_coefs=1,
    ).fit(models.X)
    X = np.zeros((6, 64))
    display = AtomCardDisplay.from_estimator(coder, X, [0, 1] * 3, **SHAPE)
    assert display.usage == 0
    assert len(display.axes_) == 2


def test_curves_are_those_of_deletion_curves(models):
    display = DISPLAYS["deletion"](models)
    X, y = models.X[:50], models.y[:50]
    curves = deletion_curves(models.net, X, y, n_points=4, n_random=2, random_state=0)
    assert_array_equal(display.curves.deletion, curves.deletion)
    random, ours = display.axes_[0].lines
    assert_allclose(ours.get_ydata(), curves.deletion)
    assert_allclose(random.get_ydata(), curves.random_deletion.mean(axis=0))
    none = np.empty((0, 4))
    alone = Bunch(**curves | {"random_deletion": none, "random_insertion": none})
    assert "random" not in DeletionCurvesDisplay(alone).plot().describe()


def test_twenty_classes_with_long_names_are_all_named(models):
    classes = np.array([f"talk.politics.{i}.miscellaneous" for i in range(20)])
    y = classes[np.arange(len(models.X)) % 20]
    display = AtomCardDisplay.from_estimator(models.coder, models.X, y, **SHAPE)
    test_texts_fit_in_the_figure_and_next_to_each_other(display)
    assert len(display.axes_[2].get_yticklabels()) == 20


def test_samples_are_named_by_their_texts_places_or_given_names(models):
    texts = np.array(models.texts, dtype=object)
    display = AtomCardDisplay.from_estimator(models.text[:-1], texts)
    assert (
        display.samples["names"][0][:20]
        == " ".join(texts[display.samples["rows"][0]].split())[:20]
    )
    given = [f"sample {i}" for i in range(60)]
    display = AtomCardDisplay.from_estimator(
        models.text[:-1], models.texts, sample_names=given
    )
    assert display.samples["names"][0] == f"sample {display.samples['rows'][0]}"
    display = DISPLAYS["card without classes"](models)
    assert display.samples["names"][0] == f"row {display.samples['rows'][0]}"


def test_names_come_from_the_steps_ahead(models):
    model = make_pipeline(StandardScaler(), models.coder).fit(models.X)
    display = DictionaryDisplay.from_estimator(model)
    assert display.feature_names[3] == "x3"
    words = DictionaryDisplay.from_estimator(models.text[:-1]).feature_names
    assert_array_equal(words, models.text[0].get_feature_names_out())


def test_bytes_do_not_overflow_in_the_error_of_a_reconstruction():
    X = (255 * load_digits().data[:200] / 16).astype(np.uint8)
    coder = SparseDictionaryCoder(
        16, algorithm="omp", n_nonzero_coefs=4, max_epochs=1, random_state=0
    )
    coder.fit(X)
    one, two = (
        ReconstructionDisplay.from_estimator(coder, rows).error
        for rows in (X, X.astype(float))
    )
    plt.close("all")
    assert one == pytest.approx(two, rel=1e-3)


def test_frozen_pipelines_send_rows_through_their_steps():
    X = load_digits().data[:200]
    model = make_pipeline(StandardScaler(), TruncatedSVDReducer(5)).fit(X)
    one, two = (
        ReconstructionDisplay.from_estimator(m, X).error
        for m in (model, FrozenEstimator(model))
    )
    plt.close("all")
    assert one == two


def test_names_in_a_series_are_taken_in_their_order():
    names = pd.Series(["a", "b", "c"], index=[2, 1, 0])
    display = DictionaryDisplay(np.array([[3.0, 2.0, 1.0]]), feature_names=names)
    assert "a, b, c" in display.describe()


def test_a_crowded_picture_names_what_nothing_else_beats():
    n = 30
    costs = np.arange(1.0, n + 1)
    scores = np.where(np.arange(n) < 5, np.arange(n), 0) / 10
    report = pd.DataFrame(
        {"accuracy": scores, "bytes_disk": costs, "latency_1": costs},
        index=[f"model {i}" for i in range(n)],
    )
    for display in (CompressionDisplay(report), CompressionDisplay(report[:8])):
        texts = [text.get_text() for text in display.plot().axes_[0].texts]
        assert texts == [
            f"model {i}" for i in range(5 if len(display.report) > 8 else 8)
        ]
