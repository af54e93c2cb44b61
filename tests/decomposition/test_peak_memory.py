"""What a fit and a transform take beside input and output does not grow with rows."""

import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TopKAutoencoder,
    TruncatedSVDReducer,
)
from tests.estimators import (
    ATTENTION_CODERS,
    AUTOENCODERS,
    NETS,
    REDUCERS,
    SPARSE_CODERS,
    name_of,
)

OMP = {"algorithm": "omp", "n_nonzero_coefs": 2, "max_epochs": 1, "random_state": 0}
WEIGHTED = [
    TruncatedSVDReducer(3, solver="gram"),
    TruncatedSVDReducer(3, solver="krylov", random_state=0),
    SparseDictionaryCoder(8, max_epochs=1, alpha=3.0, random_state=0),
    SparseDictionaryCoder(8, early_stopping=True, validation_fraction=0.01, **OMP),
    SparseDictionaryCoder(8, learner="mod", **OMP),
    SparseAttentionCoder(8, max_epochs=2, random_state=0),
    SparseAttentionCoder(8, max_epochs=2, keys="medoids", random_state=0),
]
CODERS = [
    SparseDictionaryCoder(8, max_epochs=1, random_state=0),
    SparseDictionaryCoder(8, max_epochs=1, algorithm="triangle", random_state=0),
    SparseDictionaryCoder(8, **OMP),
    SparseDictionaryCoder(8, learner="ksvd", **OMP),
    SparseAttentionCoder(8, max_epochs=2, random_state=0),
]


def peak_of(run):
    """Return the bytes that are in use at most while something runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tracemalloc.start()
        try:
            run()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("estimator", WEIGHTED, ids=name_of)
def test_a_zero_among_the_weights_copies_no_input(estimator, tmp_path):
    n_rows = 150_000 if isinstance(estimator, TruncatedSVDReducer) else 40_000
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 64), np.float32) * np.arange(1, 65, dtype="f4")
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    weights = rng.integers(1, 3, len(X)).astype(float)
    estimator = clone(estimator).fit(X[:2000], sample_weight=weights[:2000])
    before = peak_of(lambda: estimator.fit(on_disk, sample_weight=weights))
    weights[::1000] = 0
    peak = peak_of(lambda: estimator.fit(on_disk, sample_weight=weights))
    # The rest is a few numbers a row, and a block of rows.
    assert peak - before < 0.5 * X.nbytes


FEW_EPOCHS = SparseNetClassifier((8,), max_epochs=1, batch_size=512, random_state=0)
COMPRESSORS = [
    NetPruner(FEW_EPOCHS, fine_tune_epochs=1),
    NetPruner(FEW_EPOCHS, criterion="first_order", fine_tune_epochs=0),
    NetPruner(FEW_EPOCHS, structure="neuron", fine_tune_epochs=0),
    NetFactorizer(FEW_EPOCHS, rank=4, fine_tune_epochs=0),
    NetQuantizer(FEW_EPOCHS, scheme="static"),
]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
@pytest.mark.parametrize("compressor", COMPRESSORS, ids=name_of)
def test_a_zero_among_the_weights_copies_no_input_of_compressors(compressor, form):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 64), np.float32)
    y, weights = X[:, 0] > 0, rng.integers(1, 3, len(X)).astype(float)
    n_bytes, X = X.nbytes, form(X)
    before = peak_of(lambda: compressor.fit(X, y, sample_weight=weights))
    weights[::1000] = 0
    peak = peak_of(lambda: compressor.fit(X, y, sample_weight=weights))
    assert peak - before < 0.5 * n_bytes


@pytest.mark.parametrize("estimator", WEIGHTED, ids=name_of)
def test_a_zero_among_the_weights_copies_no_sparse_input(estimator):
    n_rows = 100_000 if isinstance(estimator, TruncatedSVDReducer) else 20_000
    X = sparse.random_array(
        (n_rows, 100), density=0.5, format="csr", dtype=np.float32, rng=0
    )
    input_bytes = X.data.nbytes + X.indices.nbytes
    weights = np.random.default_rng(0).integers(1, 3, X.shape[0]).astype(float)
    estimator = clone(estimator).fit(X[:2000], sample_weight=weights[:2000])
    before = peak_of(lambda: estimator.fit(X, sample_weight=weights))
    weights[::1000] = 0
    peak = peak_of(lambda: estimator.fit(X, sample_weight=weights))
    assert peak - before < 0.3 * input_bytes


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
@pytest.mark.parametrize("estimator", WEIGHTED, ids=name_of)
def test_rows_of_weight_zero_are_as_if_they_were_not_there(estimator, form):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 6)) * np.arange(1, 7)
    X = form(X * (rng.random(X.shape) < 0.8))
    weights = rng.integers(0, 3, X.shape[0]).astype(float)
    counting = weights > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = clone(estimator).fit(X, sample_weight=weights)
        other = clone(estimator).fit(X[counting], sample_weight=weights[counting])
    assert_allclose(one.components_, other.components_, atol=1e-9)


LEARNING = [
    SparseDictionaryCoder(64, learner="ksvd", **OMP),
    SparseDictionaryCoder(64, learner="exact_ksvd", **OMP),
    SparseDictionaryCoder(64, learner="mod", **OMP),
    SparseDictionaryCoder(64, **OMP),
    SparseDictionaryCoder(64, algorithm="lasso", max_epochs=1, random_state=0),
]


@pytest.mark.slow
@pytest.mark.parametrize("coder", LEARNING, ids=name_of)
def test_what_learning_takes_does_not_grow_with_the_nonzeros(coder, monkeypatch):
    home = "sksparse_nn.solvers.dictionary"
    monkeypatch.setattr(f"{home}._kept_codes._MOST", 2**12)
    monkeypatch.setattr(f"{home}._kept_codes._PLACES", 2**12)
    monkeypatch.setattr(f"{home}._samples._MOST_KEPT", 2**12)
    monkeypatch.setattr(f"{home}._served._NUMBERS", 2**12)
    X = np.random.default_rng(0).standard_normal((20_000, 16), np.float32)
    peaks, n_nonzero = [], []
    is_pursuit = coder.algorithm == "omp"
    few, many = (
        [{"n_nonzero_coefs": k} for k in (1, 12)]
        if is_pursuit
        else [{"alpha": alpha} for alpha in (3.0, 0.1)]
    )
    clone(coder).set_params(**many).fit(X[:2000])
    for sparsity in (few, many):
        coder = clone(coder).set_params(**sparsity)
        peaks.append(peak_of(lambda coder=coder: coder.fit(X)))
        n_nonzero.append(coder.history_["n_nonzero"][0] * len(X))
    assert peaks[1] - peaks[0] < 2 * (n_nonzero[1] - n_nonzero[0]) + 2e6


PIECEWISE = [
    SparseDictionaryCoder(4, batch_size=32, random_state=0),
    TruncatedSVDReducer(3),
]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
@pytest.mark.parametrize("estimator", PIECEWISE, ids=name_of)
def test_pieces_with_weights_of_zero_are_learnt_from(estimator, form):
    X = form(np.random.default_rng(0).standard_normal((200, 6)))
    weights = np.arange(X.shape[0]) % 3.0
    one, other = clone(estimator), clone(estimator)
    for piece in np.array_split(np.arange(X.shape[0]), 4):
        counting = piece[weights[piece] > 0]
        one.partial_fit(X[piece], sample_weight=weights[piece])
        other.partial_fit(X[counting], sample_weight=weights[counting])
    assert_allclose(one.components_, other.components_, atol=1e-9)


@pytest.mark.parametrize("coder", CODERS, ids=name_of)
def test_wide_sparse_rows_are_never_dense_together(coder):
    X = sparse.random_array(
        (512, 30_000), density=0.002, format="csr", dtype=np.float32, rng=0
    )
    dense = 8 * X.shape[0] * X.shape[1]
    dictionary = 8 * 8 * X.shape[1]
    coder = clone(coder)
    # The dictionary, its transpose, its sums and their like in either precision.
    allowed = 16 * dictionary + dense // 4
    assert peak_of(lambda: coder.fit(X)) < allowed
    assert peak_of(lambda: coder.transform(X)) < allowed


def excess_of(run):
    """Return the bytes in use at most while something runs, less what it leaves."""
    left = []

    def keep():
        run()
        left.append(tracemalloc.get_traced_memory()[0])

    return peak_of(keep) - left[0]


def takes_wide_rows(estimator):
    if not isinstance(estimator, TruncatedSVDReducer):
        return True
    is_fixed = isinstance(estimator.n_components, int) and estimator.groups is None
    return is_fixed and estimator.solver in ("auto", "krylov")


WIDE = [
    estimator
    for estimator in [
        *SPARSE_CODERS,
        *ATTENTION_CODERS,
        *AUTOENCODERS,
        *REDUCERS,
        *NETS,
    ]
    if takes_wide_rows(estimator)
]


def copies_allowed(estimator):
    """Return how many dictionaries in the type of the rows a fit may have room for."""
    if getattr(estimator, "coder", None) is not None and estimator.tune_coder:
        return 4 + 5  # the weights, their gradient, two moments, and the best atoms
    if getattr(estimator, "keys", None) != "learned":
        return 4
    return 12 if estimator.iterate else 6  # the best keys, their values and gradients


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", WIDE, ids=name_of)
def test_what_wide_rows_take_is_a_few_dictionaries(estimator):
    n_components, n_features = 24, 100_000
    X = sparse.random_array(
        (64, n_features), density=0.003, format="csr", dtype=np.float32, rng=0
    )
    y = np.arange(X.shape[0]) % 2
    wanted = {"n_components": n_components, "max_epochs": 3, "random_state": 0}
    wanted |= {f"coder__{name}": value for name, value in wanted.items()}
    own = estimator.get_params()
    estimator = clone(estimator).set_params(
        **{name: value for name, value in wanted.items() if name in own}
    )
    use = "transform" if hasattr(estimator, "transform") else "predict"
    getattr(clone(estimator).fit(X[:, :200].tocsr(), y), use)(X[:, :200])  # compiles
    dictionary, block = 4 * n_components * n_features, 28e6
    most = copies_allowed(estimator) * dictionary + block
    dense = 4 * X.shape[0] * n_features
    if isinstance(getattr(estimator, "coder", None), SparseAttentionCoder):
        most += dense  # a mini-batch
    if getattr(estimator, "reconstruction", 0):
        most += 3 * dense  # a mini-batch, its reconstruction and what is left
    if isinstance(estimator, TopKAutoencoder):
        most += 2 * dense  # a mini-batch, and scaled
    assert excess_of(lambda: estimator.fit(X, y)) < most
    assert excess_of(lambda: getattr(estimator, use)(X)) < dictionary + block


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
@pytest.mark.parametrize("keys", ["kmeans", "medoids", "learned"])
def test_keys_that_are_wide_are_the_same(keys, form, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1200, 12)) * (rng.random((1200, 12)) < 0.5)
    X[7, 3] = 1e9  # hides what tells others apart
    coder = SparseAttentionCoder(6, keys=keys, max_epochs=4, random_state=0)
    few = clone(coder).fit(form(X))
    monkeypatch.setattr("sksparse_nn.solvers.simplex._sums._FEW", 0)
    monkeypatch.setattr("sksparse_nn.solvers.simplex._keys.NUMBERS", 16)
    many = clone(coder).fit(form(X))
    assert_allclose(few.keys_, many.keys_, rtol=1e-9)
    assert_allclose(few.components_, many.components_, rtol=1e-7, atol=1e-7)
    first, second = (coder.history_["objective"] for coder in (few, many))
    assert_allclose(first, second, rtol=1e-9)
