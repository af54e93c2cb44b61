"""Images that come in chunks, and coders of different images that are merged."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from sksparse_nn import ImagePatchCoder, for_prediction
from sksparse_nn.solvers.coding import Lasso
from sksparse_nn.solvers.dictionary import OnlineLearner
from sksparse_nn.solvers.patches import LEARNERS, KMeansAtoms, PatchState

PATCH, SIDE, STRIDE = 3, 8, 2
STREAMING = [name for name in LEARNERS if LEARNERS[name].streams]
LEARNT = [
    {"learner": "online"},
    {"learner": "online", "algorithm": "lasso"},
    {"learner": "online", "algorithm": "omp", "whiten": None},
    {"learner": "kmeans", "algorithm": "triangle"},
    {"learner": "kmeans", "init": "k-means++", "whiten": None},
    {"learner": OnlineLearner(batch_size=100)},
]
SETTINGS = [*LEARNT, {"learner": None}]
FITTED = ("components_", "whitening_", "patch_mean_", "contrast_reg_")


@pytest.fixture(scope="module", name="X")
def images():
    return load_digits().data[:300].astype(np.float32)


def coder_of(**parameters):
    given = {"image_shape": (SIDE, SIDE), "patch_size": PATCH, "stride": STRIDE}
    parameters = given | {"random_state": 0} | parameters
    learner = LEARNERS.look_up(parameters.get("learner", "online") or "kmeans")
    if learner.in_epochs:
        parameters = {"max_epochs": 2} | parameters
    return ImagePatchCoder(12, **parameters)


def stream(X, cuts, weights=None, **parameters):
    coder = coder_of(**parameters)
    for start, stop in pairwise(cuts):
        weight = None if weights is None else weights[start:stop]
        coder.partial_fit(X[start:stop], sample_weight=weight)
    return coder


def assert_same(one, other):
    for name in FITTED:
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert one._state.keys() == other._state.keys()
    for name, value in one._state.items():
        assert_array_equal(value, other._state[name])
    assert_array_equal(one.history_["objective"], other.history_["objective"])


def moments(coder):
    return PatchState.from_arrays(coder._state).moments


def said_moments(X, weights, contrast):
    """Return the moments of all patches of all images, patch by patch."""
    patches, repeated, variances = [], [], []
    for row, weight in zip(X.astype(np.float64), weights, strict=True):
        image = row.reshape(SIDE, SIDE)
        for y in range(0, SIDE - PATCH + 1, STRIDE):
            for x in range(0, SIDE - PATCH + 1, STRIDE):
                patch = image[y : y + PATCH, x : x + PATCH].ravel()
                variances.append(patch.var(ddof=1))
                scale = np.sqrt(variances[-1] + contrast)
                patches.append((patch - patch.mean()) / scale)
                repeated.append(weight)
    mean = np.average(patches, axis=0, weights=repeated)
    deviations = np.array(patches) - mean
    scatter = (deviations * np.array(repeated)[:, None]).T @ deviations
    variance = np.average(variances, weights=repeated)
    return sum(repeated), variance, mean, scatter


def assert_moments(found, weight, variance, mean, scatter):
    assert found.weight == pytest.approx(weight)
    assert found.variance == pytest.approx(variance, rel=1e-6)
    assert_allclose(found.mean, mean, atol=1e-6)
    assert_allclose(found.scatter, scatter, rtol=1e-5, atol=1e-6 * scatter.max())


def distortion(coder, X):
    """Return the mean squared distance of whitened patches from the nearest centre."""
    one = clone(coder).set_params(learner=None, init=coder.components_, max_epochs=10)
    drawn = one.fit(X)._learn(X, np.ones(len(X)))[1]
    rows = coder._whitening().apply(drawn)
    squares = ((rows[:, None] - coder.components_) ** 2).sum(axis=2)
    return squares.min(axis=1).mean()


# Laws of streams, for every setting


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_a_first_chunk_gives_what_a_fit_gives(X, parameters, dtype):
    streamed = coder_of(**parameters).partial_fit(X.astype(dtype))
    assert_same(streamed, coder_of(**parameters).fit(X.astype(dtype)))


@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_a_fit_is_continued_as_a_first_chunk_is(X, parameters):
    fitted = coder_of(**parameters).fit(X[:100]).partial_fit(X[100:])
    assert_same(fitted, stream(X, [0, 100, 300], **parameters))


@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_moments_are_those_of_all_patches(X, parameters):
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    streamed = stream(X, [0, 60, 61, 62, 200, 300], weights, **parameters)
    assert_moments(moments(streamed), *said_moments(X, weights, streamed.contrast_reg_))


@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_the_whitening_is_that_of_the_first_chunk(X, parameters):
    first = coder_of(**parameters).fit(X[:100])
    streamed = stream(X, [0, 100, 200, 300], **parameters)
    for name in FITTED[1:]:
        assert_array_equal(getattr(streamed, name), getattr(first, name))


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_later_chunks_move_the_atoms(X, parameters):
    first = coder_of(**parameters).fit(X[:100])
    streamed = stream(X, [0, 100, 300], **parameters)
    assert np.abs(streamed.components_ - first.components_).max() > 1e-3


def test_without_a_learner_atoms_stay(X):
    streamed = stream(X, [0, 100, 300], learner=None)
    first = coder_of(learner=None).fit(X[:100])
    assert_array_equal(streamed.components_, first.components_)


@pytest.mark.parametrize("how", ["pickle", "deepcopy", "arrays"])
@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_a_copy_goes_on_to_the_bit(X, parameters, how):
    streamed = stream(X, [0, 100, 150], **parameters)
    if how == "pickle":
        twin = pickle.loads(pickle.dumps(streamed))
    else:
        twin = copy.deepcopy(streamed)
    if how == "arrays":
        twin._state = PatchState.from_arrays(twin._state).arrays()
    assert_same(twin, streamed)
    assert_same(twin.partial_fit(X[150:]), streamed.partial_fit(X[150:]))


@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_what_is_kept_is_arrays_numbers_and_strings(X, parameters):
    for value in stream(X, [0, 100, 150], **parameters)._state.values():
        assert value is None or isinstance(value, np.ndarray | float | int | str)


@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_a_shallow_copy_is_not_changed_by_what_the_other_learns(X, parameters):
    streamed = stream(X, [0, 100, 150], **parameters)
    shallow, twin = copy.copy(streamed), copy.deepcopy(streamed)
    shallow.partial_fit(X[150:])
    assert_same(streamed, twin)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda coder, X: coder.partial_fit(X[:, :49]),
        lambda coder, X: coder.partial_fit(np.where(X > 3, np.nan, X)),
        lambda coder, X: coder.partial_fit(X, sample_weight=-np.ones(len(X))),
        lambda coder, X: coder.partial_fit(X, sample_weight=np.zeros(len(X))),
        lambda coder, X: coder.set_params(n_components=5).partial_fit(X),
        lambda coder, X: coder.merge(coder_of(stride=1).fit(X)),
    ],
    ids=["width", "NaN", "negative weights", "no weights", "atoms", "merge"],
)
@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_a_failing_call_leaves_it_as_it_was(X, parameters, spoil):
    streamed, twin = (stream(X, [0, 100, 150], **parameters) for _ in range(2))
    with pytest.raises(ValueError):  # noqa: PT011
        spoil(streamed, X)
    streamed.set_params(n_components=12)
    assert_same(streamed, twin)


@pytest.mark.parametrize("learner", STREAMING)
def test_an_interrupt_is_raised_and_changes_nothing(X, learner, monkeypatch):
    streamed, twin = (stream(X, [0, 100], learner=learner) for _ in range(2))
    calls = []
    step = LEARNERS[learner].step

    def interrupted(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return step(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(LEARNERS[learner], "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            streamed.partial_fit(X[100:])
    assert_same(streamed, twin)


def read_only(X, _):
    X = X.copy()
    X.flags.writeable = False
    return X


def memmap(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


@pytest.mark.parametrize(
    "kind",
    [
        read_only,
        memmap,
        lambda X, _: np.asfortranarray(X),
        lambda X, _: sparse.csr_array(X),
        lambda X, _: X.astype(np.uint8),
    ],
    ids=["read-only", "memmap", "F-ordered", "CSR", "bytes"],
)
@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_chunks_of_any_kind_give_the_same(X, parameters, kind, tmp_path):
    streamed = coder_of(**parameters)
    for start, stop in pairwise([0, 100, 300]):
        streamed.partial_fit(kind(X[start:stop], tmp_path))
    assert_same(streamed, stream(X, [0, 100, 300], **parameters))


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_later_chunks_of_double_precision_give_nearly_the_same(X, parameters):
    expected = stream(X, [0, 100, 300], **parameters)
    found = stream(X, [0, 100], **parameters).partial_fit(X[100:].astype(np.float64))
    assert found.components_.dtype == np.float32
    assert_allclose(found.components_, expected.components_, atol=1e-3)


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_the_number_of_threads_does_not_matter(X, parameters):
    one, two = (stream(X, [0, 100, 300], n_jobs=n, **parameters) for n in (1, 2))
    assert_same(one, two)


@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_images_without_weight_are_as_if_absent(X, parameters):
    weights = np.ones(len(X))
    weights[::3] = 0
    spoilt = X.copy()
    spoilt[::3] = 1e3
    cuts = np.array([0, 150, 300])
    streamed = stream(spoilt, cuts, weights, **parameters)
    assert_same(streamed, stream(X[weights > 0], cuts * 2 // 3, **parameters))


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_the_unit_of_weights_does_not_matter(X, parameters):
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    one = stream(X, [0, 100, 300], weights, **parameters)
    other = stream(X, [0, 100, 300], 4 * weights, **parameters)
    assert_allclose(other.components_, one.components_, atol=1e-4)


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_chunks_of_one_image_learn_nearly_as_well(X, parameters):
    cuts = [0, 100, *range(101, 301)]
    streamed = stream(X, cuts, **parameters)
    assert np.isfinite(streamed.components_).all()
    whole = stream(X, [0, 100, 300], **parameters)
    assert distortion(streamed, X) < 1.1 * distortion(whole, X)


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_a_first_chunk_may_be_one_image(X, parameters):
    streamed = stream(X, [0, 1, 2, 100, 300], **parameters)
    assert np.isfinite(streamed.transform(X)).all()


def test_names_are_those_of_the_first_chunk(X):
    table = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    streamed = coder_of().partial_fit(table[:100])
    names = list(streamed.feature_names_in_)
    assert list(streamed.partial_fit(table[100:]).feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names should match"):
        streamed.partial_fit(table.rename(columns={"f0": "g"}))


def test_a_seed_that_is_an_object_gives_what_a_fit_gives(X):
    one, other = (coder_of(random_state=np.random.RandomState(5)) for _ in range(2))
    assert_same(one.partial_fit(X), other.fit(X))
    assert_same(one.partial_fit(X), other.partial_fit(X))


# Learners


@pytest.mark.parametrize("learner", LEARNERS)
def test_partial_fit_is_there_if_the_learner_takes_streams(learner):
    coder = coder_of(learner=learner, algorithm="omp")
    assert hasattr(coder, "partial_fit") == LEARNERS[learner].streams
    assert hasattr(coder.set_params(learner=None), "partial_fit")


def test_a_learner_without_streams_names_those_that_have_them():
    with pytest.raises(AttributeError) as caught:
        coder_of(learner="mod", algorithm="omp").partial_fit  # noqa: B018
    said = str(caught.value.__cause__)
    assert all(repr(name) in said for name in STREAMING)


def test_centres_are_the_means_of_what_was_nearest_to_them(X):
    streamed = stream(X, [0, 100], learner="kmeans", algorithm="triangle")
    centres = streamed.components_.astype(np.float64)
    counts = np.diag(streamed._state["dictionary_A"]).copy()
    sums = counts[:, None] * centres
    rows = later_patches(streamed, X[100:])
    for start in range(0, len(rows), KMeansAtoms.batch_size):
        batch = rows[start : start + KMeansAtoms.batch_size]
        nearest = [((centres - row) ** 2).sum(axis=1).argmin() for row in batch]
        for row, label in zip(batch, nearest, strict=True):
            counts[label] += 1
            sums[label] += row
        centres = sums / counts[:, None]
    streamed.partial_fit(X[100:])
    assert_allclose(streamed.components_, centres, atol=1e-4)


def later_patches(coder, X):
    stream = coder._resume()
    drawn, _ = coder._draw_shuffled(X, np.ones(len(X)), stream)
    return coder._whitening().apply(drawn).astype(np.float64)


def test_each_later_chunk_is_an_epoch(X):
    streamed = stream(X, [0, 100, 200, 300])
    assert streamed.n_iter_ == len(streamed.history_["objective"]) == 2 + 2
    assert np.isfinite(streamed.history_["objective"]).all()


def test_patches_are_drawn_from_each_chunk_anew(X):
    streamed = stream(X, [0, 100, 200, 300], n_patches=150)
    assert moments(streamed).weight == 450


def test_another_learner_is_refused(X):
    streamed = stream(X, [0, 100]).set_params(learner="kmeans", max_epochs=10)
    with pytest.raises(ValueError, match="learner of the first chunk, online"):
        streamed.partial_fit(X[100:])


def test_what_was_reduced_to_prediction_is_not_continued(X):
    small = for_prediction(coder_of().fit(X))
    for learn in (small.partial_fit, lambda X: coder_of().fit(X).merge(small)):
        with pytest.raises(ValueError, match="reduced to prediction"):
            learn(X)


# Merged coders


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_merged_moments_are_those_of_the_images_of_both(X, parameters):
    parameters = parameters | {"contrast_reg": 0.0}  # so that the contrast is one
    noise = np.random.default_rng(0).uniform(0, 0.1, X.shape)
    X = X + noise.astype(X.dtype)  # no patch is flat
    one, other = (coder_of(**parameters).fit(part) for part in np.split(X, 2))
    merged = moments(one.merge(other))
    assert_moments(merged, *said_moments(X, np.ones(len(X)), 0.0))


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_merging_leaves_the_other_as_it_was(X, parameters):
    one, other = (coder_of(**parameters).fit(part) for part in np.split(X, 2))
    twin = copy.deepcopy(other)
    one.merge(other)
    assert_same(other, twin)


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_a_merged_coder_serves_the_images_of_both(X, parameters):
    order = np.argsort(X[:, 20], kind="stable")
    low, high = X[order[:150]], X[order[150:]]
    one, other = (coder_of(**parameters).fit(part) for part in (low, high))
    alone = distortion(one, X)
    assert distortion(one.merge(other), X) < 1.1 * alone


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_a_merged_coder_is_continued(X, parameters):
    one, other = (stream(part, [0, 100, 150], **parameters) for part in np.split(X, 2))
    assert np.isfinite(one.merge(other).partial_fit(X).components_).all()


@pytest.mark.parametrize("parameters", LEARNT, ids=str)
def test_merging_with_its_twin_changes_hardly_an_atom(X, parameters):
    coder = coder_of(**parameters).set_params(max_epochs=10).fit(X)
    twin, before = copy.deepcopy(coder), coder.components_
    coder.merge(twin)
    cosines = np.sum(coder.components_ * before, axis=1) / (
        np.linalg.norm(coder.components_, axis=1) * np.linalg.norm(before, axis=1)
    )
    assert cosines.min() > 0.9
    assert moments(coder).weight == 2 * moments(twin).weight


@pytest.mark.parametrize("learner", STREAMING)
def test_the_order_of_the_other_atoms_does_not_matter(X, learner):
    one, other = (coder_of(learner=learner).fit(part) for part in np.split(X, 2))
    shuffled, order = copy.deepcopy(other), np.random.default_rng(0).permutation(12)
    state = shuffled._state
    for name in ("dictionary", "B", "used"):
        state[f"dictionary_{name}"] = state[f"dictionary_{name}"][order]
    state["dictionary_A"] = state["dictionary_A"][np.ix_(order, order)]
    expected = copy.deepcopy(one).merge(other).components_
    assert_allclose(one.merge(shuffled).components_, expected, atol=1e-5)


def test_centres_are_averaged_by_their_numbers_of_patches(X):
    given = {"learner": "kmeans", "whiten": None, "contrast_reg": 0.0}
    one = coder_of(**given).fit(X[:200])
    other = coder_of(init=one.components_, **given).fit(X[200:])
    total = sum(sums_of(coder) for coder in (one, other))
    merged = one.merge(other)
    assert_allclose(sums_of(merged), total, rtol=1e-5)
    centres = merged._state["dictionary_B"]
    counts = np.diag(merged._state["dictionary_A"])
    assert_allclose(merged.components_, centres / counts[:, None], atol=1e-6)


def sums_of(coder):
    counts = np.diag(coder._state["dictionary_A"])
    return np.r_[counts.sum(), counts @ coder.components_]


def test_centres_of_another_whitening_stand_for_the_same_patches(X):
    given = {"learner": "kmeans", "contrast_reg": 0.0}
    one, other = (coder_of(**given).fit(part) for part in np.split(X, 2))
    total = sum(sums_of_plain_patches(coder) for coder in (one, other))
    merged = one.merge(other)
    assert_allclose(sums_of_plain_patches(merged), total, rtol=1e-3, atol=0.1)


def sums_of_plain_patches(coder):
    """Return the sum of the centres, as patches before whitening, by their counts."""
    plain = np.linalg.solve(coder.whitening_.T, coder.components_.T).T
    counts = np.diag(coder._state["dictionary_A"])
    return counts @ (plain + coder.patch_mean_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"stride": 1}, "of the same layout"),
        ({"pooled_shape": 1}, "of the same layout"),
        ({"algorithm": "threshold"}, "of the same algorithm"),
        ({"algorithm": Lasso(alpha=0.2)}, "of the same algorithm"),
        ({"learner": "kmeans"}, "of the same learner. Got online and kmeans"),
        ({"n_components": 7}, "of the same shape of atoms"),
    ],
)
def test_coders_of_another_kind_are_refused(X, parameters, message):
    given = {name: value for name, value in parameters.items() if name == "learner"}
    other = coder_of(**given).set_params(**parameters).fit(X)
    with pytest.raises(ValueError, match=message):
        coder_of().fit(X).merge(other)


def test_coders_that_learnt_nothing_are_refused(X):
    one, other = (coder_of(learner=None).fit(part) for part in np.split(X, 2))
    with pytest.raises(ValueError, match="have learnt atoms"):
        one.merge(other)


def test_merge_needs_two_fits(X):
    with pytest.raises(NotFittedError):
        coder_of().fit(X).merge(coder_of())
