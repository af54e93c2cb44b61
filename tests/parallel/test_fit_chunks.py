"""Laws of fits to chunks, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from sksparse_nn import (
    NetPruner,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
)
from sksparse_nn.parallel import fit_chunks
from tests.parallel.learners import CODER, IN_ROUNDS, LEARNERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def of_all(cases):
    return pytest.mark.parametrize("estimator", cases.values(), ids=cases)


def cut(*arrays, n_chunks=5):
    ends = np.linspace(0, len(arrays[0]), n_chunks + 1).astype(int)
    ends[1] += 3  # chunks differ in size
    chunks = [tuple(array[i:j] for array in arrays) for i, j in pairwise(ends)]
    return [chunk if len(chunk) > 1 else chunk[0] for chunk in chunks]


def outputs(estimator, X):
    name = "transform" if hasattr(estimator, "transform") else "predict"
    found = getattr(estimator, name)(X)
    return found.toarray() if sparse.issparse(found) else found


@of_all(LEARNERS)
def test_a_fit_is_a_clone_that_does_not_depend_on_the_map(estimator, X, y):
    before = repr(estimator), set(vars(estimator))
    one = fit_chunks(estimator, cut(X, y))
    with ThreadPoolExecutor(3) as pool:
        other = fit_chunks(estimator, cut(X, y), map=pool.map)
    assert (repr(estimator), set(vars(estimator))) == before
    check_is_fitted(one)
    assert_array_equal(outputs(one, X), outputs(other, X))


@of_all(LEARNERS)
def test_empty_chunks_and_weights_of_zero_change_nothing(estimator, X, y):
    if "scaler" in str(estimator).lower() or "TopK" in str(estimator):
        pytest.skip("it takes no weights, or a scaler is ahead")
    chunks = cut(X, y)
    with_nothing = [(X[:0], y[:0]), *chunks[:2]]
    weighted = [*chunks[:2], (X[:9], y[:9], np.zeros(9))]
    one = fit_chunks(estimator, chunks[:2])
    assert_array_equal(outputs(one, X), outputs(fit_chunks(estimator, weighted), X))
    check_is_fitted(fit_chunks(estimator, with_nothing))


@of_all(IN_ROUNDS)
def test_chunks_are_files_functions_tables_and_sparse(estimator, X, tmp_path):
    chunks = cut(X)
    one = fit_chunks(estimator, chunks)
    np.save(tmp_path / "0.npy", chunks[0])
    sparse.save_npz(tmp_path / "1.npz", sparse.csr_matrix(chunks[1]))
    np.savez(tmp_path / "2.npz", X=chunks[2], y=np.zeros(len(chunks[2])))
    given = [
        tmp_path / "0.npy",
        str(tmp_path / "1.npz"),
        tmp_path / "2.npz",
        partial(np.load, tmp_path / "0.npy"),
        sparse.csr_matrix(chunks[4]),
    ]
    other = fit_chunks(estimator, [*chunks[:3], chunks[0], chunks[4]])
    assert_allclose(
        np.abs(outputs(fit_chunks(estimator, given), X)),
        np.abs(outputs(other, X)),
        atol=2e-3,
    )
    names = [f"x{i}" for i in range(X.shape[1])]
    tables = [pd.DataFrame(chunk, columns=names) for chunk in chunks]
    named = fit_chunks(estimator, tables)
    assert list(named.feature_names_in_) == names
    assert_allclose(outputs(named, tables[0]), outputs(one, chunks[0]), atol=1e-5)


@pytest.mark.parametrize("solver", ["gram"])
def test_the_svd_of_chunks_is_that_of_all_samples(X, solver):
    X = X.astype(np.float64)
    weights = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
    for estimator in (IN_ROUNDS["svd"], IN_ROUNDS["svd of groups"]):
        whole = clone(estimator).set_params(solver=solver)
        whole.fit(X, sample_weight=weights)
        chunks = cut(X, np.zeros(len(X)), weights, n_chunks=7)
        for order in (chunks, chunks[::-1]):
            found = fit_chunks(estimator, order)
            assert_allclose(found.singular_values_, whole.singular_values_, rtol=1e-6)
            assert_allclose(found.transform(X), whole.transform(X), atol=1e-6)
            assert found.n_samples_seen_ == whole.n_samples_seen_


def test_a_reducer_of_chunks_goes_on(X):
    found = fit_chunks(TruncatedSVDReducer(3), cut(X[:90])).partial_fit(X[90:])
    whole = TruncatedSVDReducer(3, solver="gram").fit(X)
    assert_allclose(found.singular_values_, whole.singular_values_, rtol=1e-6)


def objective(coder, X):
    """Return the mean of half the squared error and the penalty, in plain NumPy."""
    codes = coder.transform(X).toarray()
    atoms = coder.components_ / np.linalg.norm(coder.components_, axis=1)[:, None]
    penalty = coder.alpha_ * np.abs(codes).sum(axis=1)
    penalty = penalty if coder.algorithm == "lasso" else 0
    return np.mean(((X - codes @ atoms) ** 2).sum(axis=1) / 2 + penalty)


@pytest.fixture(scope="module")
def patches():
    """Patches of photographs, more than the first dictionary is learnt from."""
    from sklearn.datasets import load_sample_image
    from sklearn.feature_extraction.image import extract_patches_2d

    image = load_sample_image("flower.jpg").astype(np.float32) / 255
    some = extract_patches_2d(image, (5, 5), max_patches=12_000, random_state=0)
    some = some.reshape(len(some), -1)
    return some - some.mean(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "options", [{}, {"algorithm": "omp", "n_nonzero_coefs": 3}], ids=["lasso", "omp"]
)
@pytest.mark.parametrize("n_chunks", [3, 80])
def test_a_dictionary_of_chunks_serves_as_well_as_that_of_one_fit(
    patches, options, n_chunks
):
    coder = SparseDictionaryCoder(48, random_state=0, max_epochs=5, **options)
    one = clone(coder).fit(patches)
    found = fit_chunks(coder, np.array_split(patches, n_chunks))
    assert objective(found, patches) <= 1.01 * objective(one, patches)
    assert found.alpha_ == pytest.approx(one.alpha_, rel=1e-6)
    assert found.n_iter_ == len(found.history_["objective"]) == 5


def test_keys_of_chunks_serve_as_well_as_those_of_one_fit(patches):
    coder = SparseAttentionCoder(24, random_state=0, max_epochs=20)
    one = clone(coder).fit(patches)
    found = fit_chunks(coder, np.array_split(patches, 7))
    last, known = found.history_["objective"][-1], one.history_["objective"][-1]
    assert last <= 1.01 * known
    codes = found.transform(patches)
    assert codes.nnz / len(patches) == pytest.approx(found.n_active_, rel=1e-6)


def test_a_coder_of_chunks_goes_on_and_merges(X):
    one, other = (fit_chunks(CODER, cut(part)) for part in (X[:60], X[60:]))
    assert np.isfinite(one.merge(other).partial_fit(X[:9]).components_).all()


def test_early_stopping_ends_by_the_objective(X):
    coder = clone(CODER).set_params(
        max_epochs=300,
        early_stopping=True,
        validation_fraction=None,
        n_iter_no_change=2,
        tol=0.01,
    )
    assert fit_chunks(coder, cut(X)).n_iter_ < 300


def test_missing_values_are_learnt_around(X):
    X = np.where(np.random.default_rng(0).uniform(size=X.shape) < 0.1, np.nan, X)
    found = fit_chunks(clone(CODER).set_params(allow_nan=True), cut(X))
    assert np.isfinite(found.components_).all()


def test_a_network_needs_all_labels_of_no_chunk(X):
    y = np.sort((X[:, 0] > 0).astype(int))  # each of the first chunks has one
    net = fit_chunks(SparseNetClassifier((), max_epochs=2, random_state=0), cut(X, y))
    assert_array_equal(net.classes_, [0, 1])
    other = fit_chunks(SGDClassifier(random_state=0), cut(X, y))
    assert is_classifier(other)
    assert_array_equal(other.classes_, [0, 1])


def test_a_network_learns_from_chunks_in_their_order(X, y):
    net = SparseNetClassifier((4,), max_epochs=3, random_state=0)
    one = clone(net)
    for _ in range(3):
        for chunk in cut(X, y):
            one.partial_fit(*chunk, classes=[0, 1])
    found = fit_chunks(net, cut(X, y))
    assert_array_equal(found.predict_proba(X), one.predict_proba(X))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda chunk: chunk[:, :5], r"Chunk 3 must have what Chunk 0 has"),
        (lambda chunk: chunk * np.nan, r"Chunk 3: Input X contains NaN"),
        (lambda chunk: chunk.astype(float), r"float32\. Got .* in float64"),
        (lambda chunk: "x.npy", r"Chunk 3 \(x\.npy\): .*No such file"),
        (lambda chunk: "x.csv", r"Chunk 3 \(x\.csv\): Chunks are files of"),
        (lambda chunk: (chunk, [1, 2]), r"Chunk 3: y must have a value for each"),
        (lambda chunk: (chunk,) * 4, r"Chunk 3: A chunk must be X, \(X, y\) or"),
    ],
)
@pytest.mark.parametrize("kind", ["svd", "lasso", "attention"])
def test_bad_chunks_are_named(X, bad, said, kind):
    chunks = cut(X)
    chunks[3] = bad(chunks[3])
    with pytest.raises(ValueError, match=said):
        fit_chunks(IN_ROUNDS[kind], chunks)


def test_bad_chunks_are_named_in_passes_too(X, y):
    chunks = cut(X, y)
    chunks[2] = chunks[2][0].astype(float), chunks[2][1]
    with pytest.raises(ValueError, match="Chunk 2 must have what Chunk 0 has"):
        fit_chunks(SparseNetClassifier(max_epochs=1), chunks)
    with pytest.raises(ValueError, match="Chunk 0: Targets are needed"):
        fit_chunks(SparseNetClassifier(max_epochs=1), cut(X))


@pytest.mark.parametrize("chunks", [[], [np.empty((0, 4))]])
def test_something_must_be_there(chunks):
    for estimator in (TruncatedSVDReducer(), CODER):
        with pytest.raises(ValueError, match="At least one chunk"):
            fit_chunks(estimator, chunks)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ("rows.npy", "Got the path 'rows.npy'"),
        (Path("rows.npy"), "Got the path 'rows.npy'"),
        (np.ones((9, 4)), "Got ndarray, which is one chunk"),
        (pd.DataFrame(np.ones((9, 4))), "Got DataFrame, which is one chunk"),
        (sparse.csr_matrix(np.ones((9, 4))), "Got csr_matrix, which is one chunk"),
        (7, "Got int"),
    ],
)
def test_one_chunk_is_not_taken_for_several(chunks, said):
    with pytest.raises(TypeError, match=said):
        fit_chunks(TruncatedSVDReducer(2), chunks)


def test_chunks_may_be_one_array_or_a_column_of_paths(X, tmp_path):
    parts = X.reshape(4, -1, X.shape[1])
    paths = [str(tmp_path / f"{number}.npy") for number in range(4)]
    for path, part in zip(paths, parts, strict=True):
        np.save(path, part)
    for chunks in (parts, np.array(paths, dtype=object), pd.Series(paths)):
        found = fit_chunks(TruncatedSVDReducer(3), chunks)
        assert found.n_samples_seen_ == len(X)


def test_chunks_that_come_once_suffice_for_what_reads_them_once(X):
    reducer = fit_chunks(TruncatedSVDReducer(3), iter(cut(X)))
    assert reducer.n_samples_seen_ == len(X)
    with pytest.raises(ValueError, match="several times, which needs a list"):
        fit_chunks(CODER, iter(cut(X)))


@pytest.mark.parametrize(
    ("estimator", "error", "said"),
    [
        (PCA(2), TypeError, "Got PCA, which has neither"),
        (make_pipeline(PCA(2), CODER), TypeError, "Got PCA"),
        (NetPruner(SparseNetClassifier()), TypeError, "Got NetPruner"),
        (
            SparseDictionaryCoder(learner="ksvd", algorithm="omp"),
            ValueError,
            "Got learner='ksvd'",
        ),
        (SparseAttentionCoder(keys="medoids"), ValueError, "Got keys='medoids'"),
        (SparseDictionaryCoder(early_stopping=True), ValueError, "none are held out"),
        (SparseDictionaryCoder(alpha=-1), ValueError, "alpha"),
    ],
)
def test_what_cannot_learn_from_chunks_says_so(X, y, estimator, error, said):
    with pytest.raises(error, match=said):
        fit_chunks(estimator, cut(X, y))


def test_a_fitted_step_stays_as_it_is(X):
    frozen = FrozenEstimator(PCA(4).fit(X))
    pipeline = fit_chunks(make_pipeline(frozen, TruncatedSVDReducer(2)), cut(X))
    whole = TruncatedSVDReducer(2, solver="gram").fit(frozen.transform(X))
    assert_allclose(pipeline[1].singular_values_, whole.singular_values_, rtol=1e-5)


def test_a_map_must_return_results(X):
    with pytest.raises(TypeError, match="map must be a function"):
        fit_chunks(TruncatedSVDReducer(2), cut(X), map=2)
    with ThreadPoolExecutor(1) as pool:
        submitted = lambda f, chunks: [pool.submit(f, x) for x in chunks]  # noqa: E731
        with pytest.raises(TypeError, match="Got Future among them"):
            fit_chunks(TruncatedSVDReducer(), cut(X), map=submitted)


def test_warnings_of_a_fit_come_once(X):
    with pytest.warns(UserWarning, match="more than the 2 distinct rows"):
        fit_chunks(CODER, [X[:1], X[1:2]])


FEWER = {
    "the last alone": lambda run, chunks: [run(list(chunks)[-1])],
    "the first is read alone": lambda run, chunks: [run(next(iter(chunks)))],
    "one is lost": lambda run, chunks: [run(chunk) for chunk in list(chunks)[1:]],
    "one comes twice": lambda run, chunks: [run(c) for c in list(chunks) for _ in "ab"],
}


@pytest.mark.parametrize("kind", [list, iter])
@pytest.mark.parametrize("lossy", FEWER.values(), ids=list(FEWER))
def test_a_map_returns_a_result_per_chunk(X, lossy, kind):
    chunks = list(cut(X))
    with pytest.raises(ValueError, match="map must return a result per chunk"):
        fit_chunks(TruncatedSVDReducer(2), kind(chunks), map=lossy)


def test_a_map_returns_something(X):
    with pytest.raises(TypeError, match="map must return an iterable"):
        fit_chunks(TruncatedSVDReducer(2), [X], map=lambda run, chunks: None)
