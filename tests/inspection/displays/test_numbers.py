"""The numbers that each display holds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from sksparse_nn import (
    ImagePatchCoder,
    SparseDictionaryCoder,
    SparseNetRegressor,
)
from sksparse_nn.inspection import (
    AtomCardDisplay,
    AttributionDisplay,
    CodeUsageDisplay,
    DeletionCurvesDisplay,
    DictionaryDisplay,
    FeatureMapsDisplay,
    ReconstructionDisplay,
    SparsityPathDisplay,
    SpectrumDisplay,
    attribute,
    class_profile,
    deletion_curves,
    top_samples,
)
from sksparse_nn.inspection.atoms._maps import compute_feature_maps
from tests.inspection.displays.models import DISPLAYS, SHAPE, RidgeScaler


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


@pytest.mark.parametrize("split_sign", [False, True])
@pytest.mark.parametrize("algorithm", ["omp", "soft_threshold", "triangle"])
def test_maps_are_codes_of_patches_at_their_places(models, algorithm, split_sign):
    coder = clone(models.patches).set_params(
        algorithm=algorithm, split_sign=split_sign and algorithm != "triangle"
    )
    coder.fit(models.X)
    maps = compute_feature_maps(coder, models.X[:3])
    assert maps.shape == (3, 5, 5, 8)
    whole = coder.transform(models.X[:3])
    if not coder.split_sign:
        corner = maps[:, :3, :3].reshape(3, 9, 8)
        pooled = {"mean": corner.mean(axis=1), "sum": corner.sum(axis=1)}
        pooled["max"] = corner.max(axis=1)
        assert_allclose(whole[:, :8], pooled[coder.pooling], rtol=1e-5, atol=1e-6)
    one_place = clone(coder).set_params(pooled_shape=5).fit(models.X)
    assert one_place.transform(models.X[:3]).size == maps.size * (1 + coder.split_sign)


def test_maps_of_other_coders_are_refused(models):
    with pytest.raises(TypeError, match="must be an ImagePatchCoder"):
        FeatureMapsDisplay.from_estimator(models.coder, models.X)


def test_the_atoms_of_maps_can_be_chosen(models):
    rows = [5, 2, 9999]
    display = FeatureMapsDisplay.from_estimator(
        models.patches, models.X, rows=rows, atoms=[3, 1]
    )
    maps = compute_feature_maps(models.patches, models.X[[5, 2]])
    assert_allclose(display.maps, maps[..., [3, 1]])
    assert [ax.get_title() for ax in display.axes_[1:3]] == ["atom 3", "atom 1"]
