"""What atoms and features add sums to what the network says."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_regressor
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
)

from sksparse_nn import (
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from sksparse_nn.inspection import attribute
from sksparse_nn.inspection.attribution._attribution import (
    _pull_back_through,
    _transform_zero_codes,
)
from sksparse_nn.inspection.attribution._path_gradients import DoubleNet
from sksparse_nn.inspection.attribution._pullback import pull_back
from sksparse_nn.inspection.attribution._stages import read_stages
from sksparse_nn.solvers import coding, patches, simplex
from tests.inspection.pipelines import (
    ALGORITHMS,
    ATTENTION,
    AUTOENCODERS,
    ENCODERS,
    PIPELINES,
    linear,
)


@pytest.fixture(scope="module", name="digits")
def some_digits():
    X, y = load_digits(return_X_y=True)
    return X[:400] / 16, y[:400]


@pytest.fixture(name="fitted", scope="module", params=PIPELINES)
def fitted_pipeline(request, digits):
    # Some frozen parts are to be fitted first, and some pixels are the same in all.
    pipeline = clone(PIPELINES[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in getattr(pipeline, "steps", []):
            if type(part[1]).__name__ == "FrozenEstimator":
                part[1].estimator.fit(*digits)
        return pipeline.fit(*digits)


def logits(pipeline, X):
    network, inputs = pipeline, X
    while not hasattr(network, "net_"):
        if hasattr(network, "estimator_"):
            network = network.estimator_
        else:
            inputs, network = network[:-1].transform(inputs), network[-1]
    with torch.no_grad():
        rows = np.asarray(getattr(inputs, "toarray", lambda: inputs)(), np.float32)
        like = next(network.net_.module_.parameters())
        answers = network.net_.module_(torch.from_numpy(rows).to(like)).numpy()
    if is_regressor(network):
        return network.predict(rows)[:, None]
    return answers


def test_atoms_and_bias_sum_to_the_output(fitted, digits):
    X = digits[0][:7]
    found = attribute(fitted, X)
    sums = found.atoms.sum(axis=2) + found.bias + found.errors
    assert_allclose(sums, found.outputs, rtol=1e-10, atol=1e-10)
    assert_allclose(found.outputs, logits(fitted, X), rtol=1e-3, atol=1e-4)


def test_errors_are_rounding_with_a_linear_network_and_small_with_a_deep_one(
    fitted, digits
):
    found = attribute(fitted, digits[0][:7], tol=1e-4)
    is_deep = "tanh" in repr(fitted)  # others are exact
    change = np.abs(found.outputs - found.bias).max()
    assert np.abs(found.errors).max() <= (1e-4 if is_deep else 1e-12) * change


def test_features_and_their_bias_sum_to_the_output(fitted, digits):
    found = attribute(fitted, digits[0][:7])
    sums = found.features.sum(axis=2) + found.feature_bias
    assert_allclose(sums, found.outputs, rtol=1e-10, atol=1e-10)
    assert found.features.shape == (7, found.outputs.shape[1], 64)
    assert len(found.feature_names) == 64
    assert len(found.atom_names) == found.atoms.shape[2]


def midpoints(stages, n_points=512):
    """Integrate by the middles of equal parts, naively."""
    net, Z = DoubleNet(stages.network), np.asarray(stages.rows[-1], dtype=np.float64)
    start = _transform_zero_codes(stages)
    places = (np.arange(n_points)[:, None, None] + 0.5) / n_points
    rows = (start + places * (Z - start)).reshape(-1, Z.shape[1])
    worths = np.empty((len(Z), net.outputs(Z).shape[1], Z.shape[1]))
    for k, scale in enumerate(net.scale):
        _, slopes = net.slopes(rows, np.full(len(rows), k))
        worths[:, k] = scale * slopes.reshape(n_points, *Z.shape).mean(axis=0)
    atoms = _pull_back_through(stages, worths, len(stages.transformers), stages.atoms)
    features = _pull_back_through(stages, atoms, stages.atoms, stages.first)
    return [
        found * getattr(rows, "toarray", lambda rows=rows: rows)()[:, None]
        for found, rows in (
            (atoms, stages.rows[stages.atoms]),
            (features, stages.rows[stages.first]),
        )
    ]


def test_attributions_are_those_of_many_points(fitted, digits):
    X = digits[0][:3]
    stages = read_stages(fitted, X)
    stages.rows[-1] = getattr(stages.rows[-1], "toarray", lambda: stages.rows[-1])()
    found = attribute(fitted, X)
    for mine, wanted in zip(
        (found.atoms, found.features), midpoints(stages), strict=True
    ):
        off, largest = (np.abs(x).max(axis=(1, 2)) for x in (mine - wanted, wanted))
        assert (off <= 0.01 * largest).all()


EXACT = ["svd", "svd, centred and whitened", "svd by groups", "pca"]
EXACT = [*(f"{name}, linear" for name in EXACT), "scalers and selectors around"]


@pytest.mark.parametrize("fitted", EXACT, indirect=True)
def test_the_bias_of_features_is_the_same_for_all_rows_of_a_linear_chain(
    fitted, digits
):
    bias = attribute(fitted, digits[0][:50]).feature_bias
    assert_allclose(bias, np.repeat(bias[:1], 50, axis=0), atol=1e-4)


def slopes_by_differences(transform, x, worths, step=1e-6):
    """Differentiate the worth of a row's codes, feature by feature."""
    moved = x + step * np.vstack([np.eye(len(x)), -np.eye(len(x))])
    values = transform(moved) @ worths
    return (values[: len(x)] - values[len(x) :]) / (2 * step)


CODERS = (
    {f"coder, {name}": made for name, made in ALGORITHMS.items()}
    | {f"attention, {name}": made for name, made in ATTENTION.items()}
    | {f"autoencoder, {name}": made for name, made in AUTOENCODERS.items()}
)


def test_the_derivatives_of_every_registered_way_of_coding_are_looked_at():
    assert {made.algorithm for made in ALGORITHMS.values()} == set(coding.CODERS)
    assert {made.mapping for made in ATTENTION.values()} == set(simplex.MAPPINGS)
    assert {made.algorithm for made in ENCODERS.values()} == set(patches.ENCODERS)


class Nameless(simplex.Entmax15):
    """A mapping that does not say how it moves."""

    jacobian = simplex.AbstractMapping.jacobian


class NamelessCoder(coding.OMP):
    slopes = coding.AbstractCoder.slopes


class NamelessEncoder(patches.HardAssignment):
    slopes = patches.PatchEncoder.slopes


@pytest.mark.parametrize(
    ("registry", "entry", "step"),
    [
        (simplex.MAPPINGS, Nameless, ATTENTION["entmax"]),
        (coding.CODERS, NamelessCoder, ALGORITHMS["omp"]),
        (patches.ENCODERS, NamelessEncoder, ENCODERS["hard"]),
        (patches.ENCODERS, NamelessCoder, ENCODERS["omp"]),
    ],
)
def test_a_way_of_coding_without_derivatives_is_refused(
    digits, monkeypatch, registry, entry, step
):
    model = make_pipeline(clone(step), linear()).fit(*digits)
    name = getattr(model[0], registry.parameter)
    monkeypatch.setitem(registry._entries, name, entry)
    with pytest.raises(TypeError, match=rf"through the .*{entry.__name__}, which has"):
        attribute(model, digits[0][:2])
    assert attribute(model, digits[0][:2], features=False).atoms.ndim == 3


@pytest.mark.parametrize("name", CODERS)
def test_worths_of_codes_are_derivatives(name, digits):
    rng = np.random.default_rng(0)
    X = digits[0] + 0.1 * rng.standard_normal(digits[0].shape)
    coder = clone(CODERS[name]).fit(X)

    def transform(rows):
        codes = coder.transform(rows)
        return getattr(codes, "toarray", lambda: codes)()

    worths = rng.standard_normal((3, 1, transform(X[:1]).shape[1]))
    found = pull_back(coder, X[:3], coder.transform(X[:3]), worths)
    for i in range(3):
        expected = slopes_by_differences(transform, X[i], worths[i, 0])
        assert_allclose(found[i, 0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ENCODERS)
def test_worths_of_pooled_features_are_derivatives_at_equal_contrast(name, digits):
    rng = np.random.default_rng(0)
    X = digits[0] + 0.1 * rng.standard_normal(digits[0].shape)
    # With a contrast that dwarfs that of patches, these are divided by a constant.
    coder = clone(ENCODERS[name]).set_params(contrast_reg=1e6, whiten_reg=1e-6).fit(X)
    Z = coder.transform(X[:2])
    assert np.abs(Z).max() > 0
    worths = rng.standard_normal((2, 1, Z.shape[1]))
    worths[:, :, rng.random(Z.shape[1]) < 0.4] = 0
    found = pull_back(coder, X[:2], Z, worths)
    for i in range(2):
        expected = slopes_by_differences(coder.transform, X[i], worths[i, 0])
        scale = max(1.0, np.abs(expected).max())
        assert_allclose(found[i, 0] / scale, expected / scale, atol=1e-3)


def test_only_the_outputs_that_are_wanted_come(digits):
    X, y = digits
    model = make_pipeline(TruncatedSVDReducer(10), linear()).fit(X, y)
    every = attribute(model, X[:5])
    one = attribute(model, X[:5], outputs="predicted")
    assert_array_equal(one.targets[:, 0], model.predict(X[:5]))
    two = attribute(model, X[:5], outputs=[3, 1], features=False)
    assert_allclose(two.atoms, every.atoms[:, [3, 1]], rtol=1e-12)
    assert "features" not in two
    with pytest.raises(ValueError, match=r"among .* Got \[11\]"):
        attribute(model, X[:5], outputs=[11])
    with pytest.raises(ValueError, match="'likely'"):
        attribute(model, X[:5], outputs="likely")


def test_words_behind_a_prediction_are_found():
    texts = ["good nice film", "bad dull film", "nice good plot", "dull bad plot"] * 20
    y = np.array(["up", "down", "up", "down"] * 20)
    model = make_pipeline(
        TfidfVectorizer(),
        TruncatedSVDReducer(3),
        SparseNetClassifier((), learning_rate=0.05, random_state=0),
    ).fit(texts, y)
    found = attribute(model, ["a good film"], outputs=["up"])
    words = dict(zip(found.feature_names, found.features[0, 0], strict=True))
    assert max(words, key=words.get) == "good"
    assert words["bad"] == 0


def test_sparse_rows_are_attributed_as_dense_ones(digits):
    from scipy import sparse

    X, y = digits
    model = make_pipeline(
        SparseDictionaryCoder(16, algorithm="omp", n_nonzero_coefs=3, random_state=0),
        linear(),
    ).fit(X, y)
    dense, thin = attribute(model, X[:5]), attribute(model, sparse.csr_array(X[:5]))
    assert_allclose(thin.features, dense.features, atol=1e-5)


def test_unknown_steps_are_refused_unless_atoms_are_enough(digits):
    X, y = digits
    model = make_pipeline(
        FunctionTransformer(np.sqrt), TruncatedSVDReducer(5), linear()
    ).fit(X, y)
    with pytest.raises(TypeError, match="through FunctionTransformer"):
        attribute(model, X[:2])
    assert attribute(model, X[:2], features=False).atoms.shape == (2, 10, 5)


@pytest.mark.parametrize("columns", [["a", "b"], [0, 1], None])
def test_coders_inside_unions_are_refused_with_their_place(columns):
    X = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
    coder = SparseDictionaryCoder(3, alpha=0.1, max_epochs=1, random_state=0)
    union = FeatureUnion([("coder", coder)])
    if columns is not None:
        union = make_column_transformer((coder, columns), remainder="passthrough")
    network = SparseNetClassifier((4,), max_epochs=2, random_state=0)
    model = make_pipeline(union, network).fit(X, X["a"] > 0.5)
    for features in (True, False):
        with pytest.raises(TypeError, match="Put the coder into the pipeline itself"):
            attribute(model, X, features=features)


def test_other_estimators_are_refused(digits):
    with pytest.raises(TypeError, match="Got StandardScaler"):
        attribute(make_pipeline(StandardScaler()).fit(digits[0]), digits[0])


def test_a_path_with_too_sharp_bends_is_told(digits, monkeypatch):
    monkeypatch.setattr("sksparse_nn.inspection.attribution._path_points._MOST", 4)
    model = SparseNetClassifier((32,), activation="tanh", max_epochs=10, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Raise tol"):
        attribute(model.fit(*digits), digits[0][:5], tol=1e-9)


def test_a_quantized_network_is_read_as_the_weights_it_stands_for(digits):
    X, y = digits
    small = NetQuantizer(linear(), scheme="weight_only").fit(X, y)
    found = attribute(small, X[:5])
    assert_allclose(found.outputs, logits(small, X[:5]), rtol=1e-3, atol=1e-4)


def test_words_are_named_behind_steps_that_keep_them(digits):
    texts = ["good film", "bad film"] * 10
    y = np.array([0, 1] * 10)
    model = make_pipeline(
        TfidfVectorizer(), Normalizer(), TruncatedSVDReducer(2), linear()
    ).fit(texts, y)
    found = attribute(model, texts[:2])
    assert_array_equal(found.feature_names, ["bad", "film", "good"])


def test_errors_are_what_the_sum_misses_where_a_step_is_not_affine(digits):
    X, y = digits
    model = make_pipeline(MinMaxScaler(clip=True), linear()).fit(X[:, 20:22], y)
    with pytest.warns(ConvergenceWarning, match="not affine"):
        found = attribute(model, [[50.0, 0.5]])
    missed = found.outputs - found.bias - found.atoms.sum(axis=2)
    assert_allclose(found.errors, missed)
    assert np.abs(missed).max() > 0.1


def test_small_integers_do_not_overflow(digits):
    X, y = (255 * digits[0]).astype(np.uint8), digits[1]
    model = make_pipeline(Normalizer(), TruncatedSVDReducer(5), linear()).fit(X, y)
    bytes_, floats = attribute(model, X[:3]), attribute(model, X[:3].astype(float))
    assert_allclose(bytes_.features, floats.features, atol=1e-5)


@pytest.mark.parametrize("kind", [bool, object])
def test_truth_values_and_objects_are_features_too(digits, kind):
    X, y = digits[0] > 0.5, digits[1]
    model = make_pipeline(TruncatedSVDReducer(5), linear()).fit(X, y)
    found = attribute(model, X[:3].astype(float).astype(kind))
    assert_allclose(found.features, attribute(model, X[:3] * 1.0).features, atol=1e-5)


def test_a_network_alone_refuses_what_it_refuses_to_predict(digits):
    frame = pd.DataFrame(digits[0], columns=[f"p{i}" for i in range(64)])
    net = linear().fit(frame, digits[1])
    with pytest.raises(ValueError, match="feature names"):
        attribute(net, frame[frame.columns[::-1]])
    net = linear().fit(*digits)
    for rows in (np.full((1, 64), np.nan), np.ones(64), np.ones((1, 3))):
        with pytest.raises(ValueError, match=r"NaN|2D|features"):
            attribute(net, rows)
    with pytest.raises(NotFittedError):
        attribute(linear(), digits[0])


def test_missing_values_are_refused_unless_atoms_are_enough(digits):
    X, y = digits[0].copy(), digits[1]
    X[::3, 20] = np.nan
    coder = SparseDictionaryCoder(
        16, algorithm="omp", n_nonzero_coefs=3, allow_nan=True, random_state=0
    )
    model = make_pipeline(coder, linear()).fit(X, y)
    with pytest.raises(ValueError, match="features=False"):
        attribute(model, X[:4])
    assert np.isfinite(attribute(model, X[:4], features=False).atoms).all()


def test_each_target_is_held_to_its_own_scale():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = np.c_[1e3 * X[:, 0], np.sin(3 * X[:, 1]) * X[:, 2]]
    net = SparseNetRegressor((16,), learning_rate=0.01, random_state=0).fit(X, y)
    found = attribute(net, X[:20])
    change = np.abs(found.outputs - found.bias).max(axis=0)
    assert (np.abs(found.errors).max(axis=0) < 2e-3 * change).all()


def test_a_module_that_works_in_place_is_followed(digits):
    def module(n_features, n_outputs):
        return torch.nn.Sequential(
            torch.nn.ReLU(inplace=True), torch.nn.Linear(n_features, n_outputs)
        )

    net = SparseNetClassifier(module=module, max_epochs=2, random_state=0).fit(*digits)
    found = attribute(net, digits[0][:3])
    assert_allclose(found.outputs, logits(net, digits[0][:3].copy()), rtol=1e-4)
