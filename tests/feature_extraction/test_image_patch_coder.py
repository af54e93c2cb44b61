"""The patch coder against a twin that goes one patch at a time."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import ImagePatchCoder, sparse_encode
from sksparse_nn.solvers.patches import ENCODERS, LEARNERS, _pooling

HEIGHT, WIDTH, CHANNELS, PATCH = 7, 8, 2, 3
SHAPE = HEIGHT, WIDTH, CHANNELS


@pytest.fixture(scope="module", name="X")
def images():
    rng = np.random.default_rng(0)
    smooth = rng.standard_normal((9, *SHAPE)).cumsum(axis=1).cumsum(axis=2)
    return (smooth + 5).reshape(9, -1)


def coder_of(**parameters):
    parameters = {
        "n_components": 10,
        "image_shape": SHAPE,
        "patch_size": PATCH,
        "random_state": 0,
    } | parameters
    learner = parameters.get("learner", "online")
    if learner is not None and LEARNERS[learner].in_epochs:
        parameters = {"max_epochs": 2} | parameters
    return ImagePatchCoder(**parameters)


def whitened(patch, coder):
    centred = patch - patch.mean()
    scale = np.sqrt(centred @ centred / (patch.size - 1) + coder.contrast_reg_)
    return (centred / scale - coder.patch_mean_) @ coder.whitening_


def said(w, coder):
    """Return the values of a whitened patch, by the definition of the encoder."""
    D = coder.components_
    unit = D / np.linalg.norm(D, axis=1, keepdims=True)
    z, distances = unit @ w, np.linalg.norm(D - w, axis=1)
    match coder.algorithm:
        case "soft_threshold":
            return np.sign(z) * np.maximum(np.abs(z) - coder.alpha, 0)
        case "threshold":
            return np.where(np.abs(z) > coder.alpha, z, 0)
        case "triangle":
            return np.maximum(distances.mean() - distances, 0)
        case "hard_assignment":
            return (np.arange(len(D)) == distances.argmin()).astype(float)
    parameters = {
        name: getattr(coder, name)
        for name in ("alpha", "n_nonzero_coefs")
        if name in ENCODERS.parameters(coder.algorithm)
    }
    codes = sparse_encode(w[None], unit, algorithm=coder.algorithm, **parameters)
    return codes.toarray()[0]


def twin(X, coder):
    """Encode images patch by patch."""
    rows = []
    is_split = coder.split_sign and coder._encoder().signed
    for row in X:
        image, values = row.reshape(SHAPE), {}
        n_rows, n_columns = HEIGHT - PATCH + 1, WIDTH - PATCH + 1
        for y in range(n_rows):
            for x in range(n_columns):
                patch = image[y : y + PATCH, x : x + PATCH].ravel()
                value = said(whitened(patch, coder), coder)
                if is_split:
                    value = np.r_[np.maximum(value, 0), np.maximum(-value, 0)]
                region = y >= -(-n_rows // 2), x >= -(-n_columns // 2)
                values.setdefault(region, []).append(value)
        pooled = {"sum": np.sum, "mean": np.mean, "max": np.max}[coder.pooling]
        rows.append(np.hstack([pooled(values[r], axis=0) for r in sorted(values)]))
    return np.array(rows)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("pooling", ["sum", "mean", "max"])
@pytest.mark.parametrize("split_sign", [True, False])
def test_features_are_those_of_the_twin(X, encoder, pooling, split_sign):
    coder = coder_of(algorithm=encoder, pooling=pooling, split_sign=split_sign).fit(X)
    assert_allclose(coder.transform(X), twin(X, coder), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("encoder", ["threshold", "triangle", "hard_assignment"])
@pytest.mark.parametrize("n_atoms", [16, 37])
def test_features_of_more_atoms_are_those_of_the_twin(X, encoder, n_atoms):
    coder = coder_of(n_components=n_atoms, algorithm=encoder, learner=None).fit(X)
    assert_allclose(coder.transform(X), twin(X, coder), rtol=1e-6, atol=1e-8)


def test_the_first_of_equal_atoms_is_the_nearest(X):
    coder = coder_of(n_components=20, algorithm="hard_assignment").fit(X)
    once = coder.transform(X)
    coder.components_ = np.tile(coder.components_, (2, 1))
    twice = coder.transform(X).reshape(len(X), -1, 2, 20)
    assert_array_equal(twice[:, :, 0].reshape(len(X), -1), once)
    assert not twice[:, :, 1].any()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("pooling", ["sum", "max"])
def test_how_work_is_cut_and_on_how_many_threads_does_not_matter(
    X, encoder, pooling, monkeypatch
):
    coder = coder_of(algorithm=encoder, pooling=pooling).fit(X)
    expected = coder.transform(X)
    sizes = {"_TASK": 70, "_GATHERED": 40, "_PRODUCTS": 1, "_ROWS": 7}
    for name, size in sizes.items():
        monkeypatch.setattr(_pooling, name, size)
    found = coder.set_params(n_jobs=3).transform(X)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_single_precision_is_near(X, encoder):
    coder = coder_of(algorithm=encoder, learner=None).fit(X)
    expected = coder.transform(X)
    found = coder.transform(X.astype(np.float32))
    assert found.dtype == np.float32
    assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize("learner", [None, "kmeans", "online", "ksvd", "mod"])
def test_every_learner_finds_as_many_atoms_as_wanted(X, learner):
    assert len(coder_of(learner=learner).fit(X).components_) == 10


@pytest.mark.parametrize("reg", [1e-9, 0.1, 1.0])
def test_whitening_divides_variances_by_themselves_and_its_parameter(X, reg):
    variances = variances_of_patches(X, coder_of(whiten=None).fit(X))
    found = variances_of_patches(X, coder_of(whiten_reg=reg).fit(X))
    expected = variances / (variances + reg)
    assert_allclose(found[1:], expected[1:], rtol=1e-3)  # brightness has gone


def variances_of_patches(X, coder):
    patches = [
        whitened(row.reshape(SHAPE)[y : y + PATCH, x : x + PATCH].ravel(), coder)
        for row in X
        for y in range(HEIGHT - PATCH + 1)
        for x in range(WIDTH - PATCH + 1)
    ]
    return np.linalg.eigvalsh(np.cov(np.array(patches).T, bias=True))


def test_where_channels_stand_does_not_matter(X):
    first = X.reshape(-1, *SHAPE).transpose(0, 3, 1, 2).reshape(len(X), -1)
    one = coder_of().fit(X)
    other = coder_of(image_shape=(CHANNELS, HEIGHT, WIDTH)).fit(first)
    assert_array_equal(one.components_, other.components_)
    assert_array_equal(one.transform(X), other.transform(first))


@pytest.mark.parametrize("scale", [1e-20, 255.0, 1e15])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_units_do_not_matter(X, scale, dtype):
    one, other = coder_of().fit(X), coder_of().fit((scale * X).astype(dtype))
    expected = one.transform(X)
    found = other.transform((scale * X).astype(dtype))
    assert_allclose(found, expected, rtol=2e-2, atol=5e-3 * expected.max())


def test_brightness_does_not_matter(X):
    coder = coder_of().fit(X)
    assert_allclose(coder.transform(X + 1e4), coder.transform(X), atol=1e-6)


def test_bytes_and_sparse_images_are_images_too(X):
    pixels = (255 * (X - X.min()) / np.ptp(X)).astype(np.uint8)
    pixels[pixels < 40] = 0
    expected = coder_of().fit_transform(pixels.astype(np.float32))
    assert_array_equal(coder_of().fit_transform(pixels), expected)
    assert_array_equal(coder_of().fit_transform(sparse.csr_array(pixels)), expected)


def test_images_are_encoded_by_themselves(X):
    coder = coder_of().fit(X)
    alone = np.vstack([coder.transform(row[None]) for row in X])
    assert_allclose(coder.transform(X), alone, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:n_components=10 is more:UserWarning")
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("value", [0, 0.1, 1e9])
def test_constant_images_have_no_patches_to_speak_of(encoder, value):
    X = np.full((5, HEIGHT * WIDTH * CHANNELS), value, np.float32)
    Z = coder_of(algorithm=encoder).fit_transform(X)
    assert np.isfinite(Z).all()
    if encoder not in {"triangle", "hard_assignment"}:
        assert_array_equal(Z, 0)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_images_that_hardly_vary_have_finite_features(X, encoder):
    coder = coder_of(contrast_reg=0, algorithm=encoder, learner=None)
    faint = np.arange(X.shape[1]) * np.float32(1e-42)
    X = np.vstack([X, faint]).astype(np.float32)
    assert np.isfinite(coder.fit(X).transform(X)).all()


def test_codes_short_of_the_optimum_are_told(X):
    coder = coder_of(n_components=60, algorithm="lasso", alpha=1e-12, learner=None)
    coder.fit(X.astype(np.float32))
    with pytest.warns(ConvergenceWarning, match="of 270 patches are not at the opt"):
        coder.transform(X.astype(np.float32))


def test_the_layout_is_that_of_the_fit(X):
    coder = coder_of().fit(X)
    expected = coder.transform(X)
    coder.set_params(image_shape=(8, 7, 2), patch_size=4)
    assert_array_equal(coder.transform(X), expected)


def test_a_constant_image_among_others_says_nothing(X):
    coder = coder_of(alpha=0.5).fit(X)
    flat = np.full((1, X.shape[1]), 3.0)
    assert coder.transform(flat).max() < 0.2 * coder.transform(X).max()


@pytest.mark.parametrize("learner", [None, "kmeans", "online", "mod"])
def test_there_may_be_fewer_patches_than_atoms(X, learner):
    coder = coder_of(n_components=400, learner=learner)
    with pytest.warns(UserWarning, match="=400 is more than the 60 distinct patches"):
        coder.fit(X[:2])
    assert np.isfinite(coder.transform(X)).all()
    assert coder.components_.shape == (400, PATCH * PATCH * CHANNELS)


def test_given_atoms_are_kept_or_gone_on_from(X):
    D = coder_of(learner=None).fit(X).components_
    kept = coder_of(learner=None, init=D).fit(X)
    assert_array_equal(kept.components_, D)
    for learner in ("online", "kmeans"):
        one, other = (
            coder_of(learner=learner, init=start).fit(X).components_
            for start in (D, -D)
        )
        assert not np.allclose(one, D)
        assert not np.allclose(one, other)


@pytest.mark.parametrize("encoder", ["omp", "lasso"])
def test_images_come_back_from_precise_codes(X, encoder):
    precise = {
        "omp": {"n_nonzero_coefs": 17, "learner": "mod"},
        "lasso": {"alpha": 1e-4, "learner": "online"},
    }
    coder = coder_of(n_components=40, algorithm=encoder, **precise[encoder])
    again = coder.fit(X).reconstruct(X)
    assert_allclose(again, X, atol=0.02 * X.std())


def test_few_atoms_leave_the_rest_of_an_image(X):
    errors = [
        np.square(
            coder_of(algorithm="omp", n_nonzero_coefs=k).fit(X).reconstruct(X) - X
        )
        for k in (1, 3)
    ]
    assert errors[1].mean() < errors[0].mean() < X.var()


def test_pixels_without_a_patch_stay_as_they_are(X):
    coder = coder_of(algorithm="omp", stride=5, pooled_shape=1).fit(X)
    left = coder.reconstruct(X).reshape(-1, *SHAPE)[:, PATCH:5]
    assert_array_equal(left, X.reshape(-1, *SHAPE)[:, PATCH:5])


def test_what_does_not_approximate_gives_no_images_back():
    assert not hasattr(coder_of(), "reconstruct")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"image_shape": (7, 8)}, "of 56 numbers. Got rows of 112"),
        ({"image_shape": (112,)}, "image_shape must be"),
        ({"patch_size": 8}, "must fit in images of 7 x 8"),
        ({"learner": None, "init": np.eye(10)}, r"Got \(10, 10\)"),
        ({"algorithm": "lasso", "learner": "mod"}, "would undo the penalty"),
        ({"channel_axis": 1}, "'channel_axis' parameter"),
        ({"image_shape": (1, -1), "patch_size": 1}, "zero without their mean"),
        ({"algorithm": "sparse"}, "'algorithm' parameter"),
        ({"image_shape": None}, "square number or three times one. Got 112 features"),
        ({"algorithm": "omp", "alpha": 0.5}, "alpha is read by algorithm"),
        ({"n_nonzero_coefs": 2}, "n_nonzero_coefs is read by algorithm"),
    ],
)
def test_what_makes_no_sense_is_told(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        coder_of(**parameters).fit(X)


@pytest.mark.parametrize(
    ("n_features", "channel_axis", "shape"),
    [(64, None, (8, 8)), (192, None, (3, 8, 8)), (192, -1, (8, 8, 3))],
)
def test_without_a_shape_rows_are_squares(n_features, channel_axis, shape):
    X = np.random.default_rng(0).random((20, n_features)).cumsum(axis=1)
    guessed, told = (
        coder_of(image_shape=given, channel_axis=channel_axis).fit(X)
        for given in (None, shape)
    )
    assert guessed.image_shape_ == told.image_shape_
    assert_array_equal(guessed.transform(X), told.transform(X))


def test_flowers_are_not_taken_for_images():
    with pytest.raises(ValueError, match=r"images of 2 x 2 pixels\. Got rows of 4"):
        ImagePatchCoder().fit(load_iris().data)


def test_the_unit_of_pixels_changes_nothing():
    pixels = (load_digits().data[:200] * 15).astype(np.uint8)
    floats = pixels.astype(np.float32)
    coder = coder_of(image_shape=None, patch_size=4)
    expected = coder.fit_transform(pixels)
    for X in (floats, floats / 256):
        assert_allclose(coder.fit_transform(X), expected, atol=1e-5 * expected.max())
    # A unit that rounds may let the same seed draw other patches.
    coder.set_params(learner=None, max_epochs=10, init=coder.components_)
    found = coder.fit_transform(floats / 255)
    assert_allclose(found, expected, atol=1e-3 * expected.max())


def test_patches_never_exist_at_once():
    pixels = np.random.default_rng(0).integers(0, 255, (2000, 32 * 32 * 3), np.uint8)
    coder = ImagePatchCoder(
        16, image_shape=(32, 32, 3), learner=None, n_patches=5000, random_state=0
    ).fit(pixels[:50])
    coder.transform(pixels[:2])  # imports what it needs
    n_bytes = 4 * len(pixels) * len(coder.get_feature_names_out())
    assert peak_of(lambda: coder.transform(pixels)) - n_bytes < 2**24


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1e160, "float64"), (1e-200, "float64"), (1e-38, "float32")]
)
def test_contrast_that_no_float_holds_is_told(X, scale, dtype):
    with pytest.raises(ValueError, match="largest magnitude is from"):
        coder_of().fit((scale * X).astype(dtype))


def test_bytes_that_stand_twice_are_added_up(X):
    data, at = np.full(8, 200, np.uint8), np.array([0, 0, 3, 3, 9, 9, 10, 11])
    twice = sparse.csr_array((data, at, [0, 8]), shape=(1, X.shape[1]))
    coder = coder_of().fit(X.astype(np.float32))
    expected = coder.transform(twice.astype(np.float32))
    assert_array_equal(coder.transform(twice), expected)


def test_images_with_holes_are_refused(X):
    X = X.copy()
    X[1, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        coder_of().fit(X)


def test_digits_are_told_apart_by_twenty_labels_a_class():
    """About 0.96 is what other code reached with the same setting."""
    X, y = load_digits(return_X_y=True)
    coder = ImagePatchCoder(
        48, image_shape=(8, 8), patch_size=4, contrast_reg=0.03, random_state=0
    )
    model = make_pipeline(coder, StandardScaler(), LogisticRegression(C=0.1))
    order = np.random.default_rng(0).permutation(len(X))
    few = np.concatenate([order[y[order] == label][:20] for label in range(10)])
    rest = np.setdiff1d(order, few)
    assert clone(model).fit(X[few], y[few]).score(X[rest], y[rest]) > 0.94


@pytest.mark.filterwarnings("ignore:alpha=1e\\+39 is too large:UserWarning")
@pytest.mark.parametrize("encoder", ["soft_threshold", "threshold"])
@pytest.mark.parametrize("split_sign", [True, False])
def test_a_level_beyond_the_type_leaves_nothing(X, encoder, split_sign):
    coder = coder_of(algorithm=encoder, alpha=1e39, split_sign=split_sign).fit(X)
    assert not coder.transform(X.astype(np.float32)).any()


@pytest.mark.filterwarnings("ignore:n_components=4 is more:UserWarning")
def test_large_images_are_few_at_once():
    X = np.zeros((300, 3 * 128**2), np.uint8)
    coder = ImagePatchCoder(
        4,
        image_shape=(128, 128, 3),
        patch_size=8,
        stride=100,
        learner=None,
        pooled_shape=1,
    ).fit(X[:3])
    assert peak_of(lambda: coder.transform(X)) < 2**24
    assert peak_of(lambda: coder.fit(X)) < 2**24


def test_bytes_in_the_other_order_are_doubles_too(X):
    coder = coder_of().fit(X)
    found = coder.transform(X.astype(">f8"))
    assert found.dtype == np.float64
    assert_array_equal(found, coder.transform(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hardly_regularised_whitening_is_of_no_rounding(X, dtype):
    coder = coder_of(whiten_reg=1e-200, algorithm="omp", n_nonzero_coefs=10)
    coder.fit(X.astype(dtype))
    assert np.abs(coder.reconstruct(X.astype(dtype)) - X).max() < np.abs(X).max()


def test_parameters_changed_after_the_fit_are_checked(X):
    coder = coder_of().fit(X).set_params(pooling="median")
    with pytest.raises(ValueError, match="pooling"):
        coder.transform(X)
