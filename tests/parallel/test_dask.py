"""Laws of collections of dask: what a fit learns, and what is computed lazily."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import (
    NetPruner,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    SparsitySearchCV,
    TruncatedSVDReducer,
    parallel,
)
from tests.parallel.learners import CODER, IN_ROUNDS, LEARNERS

dask = pytest.importorskip("dask", reason="collections of dask")

import dask.array as da  # noqa: E402
import dask.bag as db  # noqa: E402
import dask.dataframe as dd  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = [f"x{i}" for i in range(16)]


@pytest.fixture(autouse=True)
def _in_this_process():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def of_all(cases):
    return pytest.mark.parametrize("estimator", cases.values(), ids=cases)


def csr(X):
    return da.from_array(X, chunks=(50, -1)).map_blocks(sparse.csr_matrix)


def table(X, n_partitions=3):
    return dd.from_pandas(pd.DataFrame(X, columns=NAMES), npartitions=n_partitions)


def dense(found):
    return found.toarray() if sparse.issparse(found) else np.asarray(found)


METHODS = "transform", "predict", "predict_proba"


@of_all(LEARNERS)
def test_blocks_are_learnt_from_as_chunks_are(estimator, X, y):
    chunks = [(X[i : i + 50], y[i : i + 50]) for i in (0, 50, 100)]
    one = parallel.fit_chunks(estimator, chunks)
    arrays = da.from_array(X, chunks=(50, 8)), da.from_array(y, chunks=30)
    other = parallel.fit(estimator, *arrays)
    for method in METHODS:
        if hasattr(one, method):
            found = dense(getattr(other, method)(X))
            assert_array_equal(found, dense(getattr(one, method)(X)))


@pytest.mark.parametrize("n_blocks", [8, 9, 15, 23])
def test_many_blocks_add_up_in_the_order_of_chunks(X, n_blocks):
    size = -(-len(X) // n_blocks)
    chunks = [X[start : start + size] for start in range(0, len(X), size)]
    one = parallel.fit_chunks(TruncatedSVDReducer(4), chunks)
    other = parallel.fit(TruncatedSVDReducer(4), da.from_array(X, chunks=(size, -1)))
    assert_array_equal(one.components_, other.components_)


@of_all(LEARNERS)
def test_what_is_lazy_knows_what_it_will_be(estimator, X, y):
    fitted = clone(estimator).fit(X, y)
    for method in METHODS:
        if not hasattr(fitted, method):
            continue
        arrays = da.from_array(X, chunks=(50, 8))
        for blocks, rows in ((arrays, X), (csr(X), sparse.csr_matrix(X))):
            known = getattr(fitted, method)(rows)
            lazy = getattr(parallel, method)(fitted, blocks)
            found = lazy.compute()
            assert lazy.shape == found.shape == known.shape
            assert lazy.dtype == found.dtype == known.dtype
            assert type(lazy._meta) is type(found) is type(known)
            assert_allclose(dense(found), dense(known), rtol=1e-4, atol=1e-4)


def test_codes_lead_back(X):
    for estimator in (TruncatedSVDReducer(3), CODER):
        fitted = clone(estimator).fit(X)
        codes = parallel.transform(fitted, da.from_array(X, chunks=(50, -1)))
        found = parallel.inverse_transform(fitted, codes)
        assert found.shape == X.shape
        known = fitted.inverse_transform(fitted.transform(X))
        assert_allclose(found.compute(), known, atol=1e-5)


@of_all({name: IN_ROUNDS[name] for name in ("svd", "lasso", "attention", "patches")})
def test_tables_keep_names_and_empty_partitions(estimator, X):
    blocks = table(X)
    fitted = parallel.fit(estimator, blocks)
    assert list(fitted.feature_names_in_) == NAMES
    with_nothing = blocks[blocks.x0 > blocks.x0.max() / 2]
    for some in (blocks, with_nothing):
        lazy = parallel.transform(fitted, some)
        known = fitted.transform(some.compute())
        assert type(lazy._meta) is type(known)
        assert lazy.dtype == known.dtype
        assert lazy.shape[1] == known.shape[1]
        assert_allclose(dense(lazy.compute()), dense(known), rtol=1e-4, atol=1e-4)


def test_tables_come_out_where_they_are_asked_for(X):
    reducer = parallel.fit(TruncatedSVDReducer(3), table(X))
    lazy = parallel.transform(reducer.set_output(transform="pandas"), table(X))
    found = lazy.compute()
    pd.testing.assert_frame_equal(found.iloc[:0], lazy._meta, check_index_type=False)
    assert list(lazy.columns) == list(reducer.get_feature_names_out())
    assert_array_equal(found.index, np.arange(len(X)))


def test_targets_of_tables_are_their_columns(X):
    blocks = table(X)
    net = SparseNetRegressor((), max_epochs=2, random_state=0)
    net = parallel.fit(
        net, blocks[NAMES[1:]], blocks.x0, sample_weight=blocks.x0 * 0 + 1
    )
    lazy = parallel.predict(net, blocks[NAMES[1:]])
    assert lazy.compute().shape == (len(X),)


def test_targets_of_arrays_may_be_here(X, y):
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    blocks = da.from_array(X, chunks=(50, -1))
    one, other = (parallel.fit(net, blocks, given) for given in (y, list(y)))
    assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_images_are_samples(X):
    images = X.reshape(-1, 1, 4, 4)
    y = np.arange(len(X)) % 2
    net = SparseNetClassifier(
        module="plain_conv_net", module_params={"width": 4}, max_epochs=1
    )
    blocks = da.from_array(images, chunks=(50, 1, 2, 4))
    fitted = parallel.fit(net, blocks, y)
    lazy = parallel.predict_proba(fitted, blocks)
    assert lazy.compute().shape == lazy.shape == (len(X), 2)


def test_bags_have_chunks(X, y):
    chunks = [X[:10], X[10:40], X[40:41], X[41:]]
    bag = db.from_sequence(chunks, npartitions=2)
    reducer = parallel.fit(TruncatedSVDReducer(3), bag)
    whole = TruncatedSVDReducer(3, solver="gram").fit(X)
    assert_allclose(reducer.singular_values_, whole.singular_values_, rtol=1e-6)
    found = parallel.transform(reducer, bag).compute(scheduler="threads")
    assert_allclose(np.concatenate(found), whole.transform(X), atol=1e-5)
    labelled = db.from_sequence([(X[:60], y[:60]), (X[60:], y[60:])], npartitions=1)
    net = parallel.fit(SparseNetClassifier((), max_epochs=1), labelled)
    assert_array_equal(net.classes_, [0, 1])
    with pytest.raises(ValueError, match="bring their own y"):
        parallel.fit(SparseNetClassifier(), bag, y)


def test_bad_blocks_are_named(X, y):
    blocks = da.from_array(
        np.where(np.arange(120) == 70, np.nan, X.T).T, chunks=(50, -1)
    )
    for estimator in (TruncatedSVDReducer(3), CODER):
        with pytest.raises(ValueError, match="Chunk 1: Input X contains NaN"):
            parallel.fit(estimator, blocks)
    with pytest.raises(ValueError, match="y must have the 3 blocks of X"):
        parallel.fit(SparseNetRegressor(), table(X), table(X, 4).x0)
    blocks = da.from_array(X, chunks=(50, -1))
    for short in (y[:90], da.from_array(y[:90], chunks=50), np.float64(1)):
        with pytest.raises(ValueError, match="each of the 120 samples of X"):
            parallel.fit(SparseNetRegressor(), blocks, short)
        with pytest.raises(ValueError, match="sample_weight must have a value"):
            parallel.fit(CODER, blocks, sample_weight=short)
    with pytest.raises(TypeError, match="Got 'tcp://x'; make a Client"):
        parallel.fit(CODER, blocks, client="tcp://x")
    with pytest.raises(ValueError, match="must be of dask too"):
        parallel.fit(SparseNetRegressor(), table(X), y)


def test_other_samples_are_left_to_the_estimator(X):
    with pytest.raises(TypeError, match=r"Got numpy\.ndarray; use estimator\.fit"):
        parallel.fit(CODER, X)
    with pytest.raises(TypeError, match=r"use estimator\.transform"):
        parallel.transform(clone(CODER).fit(X), X)


@of_all(
    {
        "coder": SparseDictionaryCoder(),
        "reducer": TruncatedSVDReducer(),
        "network": SparseNetClassifier(),
        "pruned network": NetPruner(SparseNetClassifier()),
        "search": SparsitySearchCV(CODER, {"alpha": [0.1]}),
    }
)
def test_estimators_refuse_collections_by_the_name_of_this_module(estimator, X, y):
    for blocks in (da.from_array(X), table(X), db.from_sequence([X])):
        with pytest.raises(TypeError, match=r"functions fit, .* sksparse_nn\.parallel"):
            clone(estimator).fit(blocks, y)
    with pytest.raises(TypeError, match=r"sksparse_nn\.parallel"):
        clone(SparseNetClassifier()).fit(X, da.from_array(y))
    with pytest.raises(TypeError, match="sample_weight must be in memory"):
        clone(CODER).fit(X, sample_weight=da.from_array(y))
    with pytest.raises(TypeError, match=r"sksparse_nn\.parallel"):
        clone(CODER).fit(X).transform(da.from_array(X))
