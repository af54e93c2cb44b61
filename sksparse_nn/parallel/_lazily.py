"""What fitted estimators say of collections of dask, computed when it is asked for."""

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from sksparse_nn.parallel._chunks import load
from sksparse_nn.parallel._collections import (
    check_collection,
    is_array,
    is_bag,
    whole_rows,
)
from sksparse_nn.solvers._blas_threads import single_threaded_blas


def transform(estimator: BaseEstimator, X: Any) -> Any:
    """Transform a collection of dask by a fitted estimator, lazily.

    Parameters
    ----------
    estimator : estimator
        Fitted, here or elsewhere.

    X : dask Array, DataFrame or Bag
        Samples; a bag has chunks of them.

    Returns
    -------
    Z : dask Array, DataFrame or Bag
        In the blocks of `X`. Blocks are CSR matrices where the estimator returns such;
        a DataFrame where it returns one, by ``set_output(transform="pandas")``.

    Raises
    ------
    TypeError
        If `X` is no collection of dask.

    See Also
    --------
    fit : Fit an estimator to a collection of dask.

    Examples
    --------
    >>> import dask.array as da
    >>> from sksparse_nn import SparseDictionaryCoder, parallel
    >>> X = da.random.default_rng(0).normal(size=(1000, 16), chunks=(300, 16))
    >>> coder = SparseDictionaryCoder(24, random_state=0).fit(X[:300].compute())
    >>> codes = parallel.transform(coder, X)
    >>> codes.shape, type(codes._meta).__name__
    ((1000, 24), 'csr_matrix')
    """
    return apply(estimator, "transform", X)


def predict(estimator: BaseEstimator, X: Any) -> Any:
    """Predict for a collection of dask by a fitted estimator, lazily.

    Parameters
    ----------
    estimator : estimator
        Fitted, here or elsewhere.

    X : dask Array, DataFrame or Bag
        Samples; a bag has chunks of them.

    Returns
    -------
    y : dask Array or Bag
        In the blocks of `X`.

    Raises
    ------
    TypeError
        If `X` is no collection of dask.

    See Also
    --------
    fit : Fit an estimator to a collection of dask.

    Examples
    --------
    >>> import dask.array as da
    >>> from sksparse_nn import SparseNetClassifier, parallel
    >>> X = da.random.default_rng(0).normal(size=(1000, 16), chunks=(500, 16))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> net = SparseNetClassifier((8,), max_epochs=4, learning_rate=0.01)
    >>> net = parallel.fit(net, X, y)
    >>> parallel.predict(net, X)
    dask.array<...shape=(1000,), dtype=int64, chunksize=(500,)...>
    """
    return apply(estimator, "predict", X)


def predict_proba(estimator: BaseEstimator, X: Any) -> Any:
    """Return probabilities of classes for a collection of dask, lazily.

    Parameters
    ----------
    estimator : estimator
        Fitted, here or elsewhere.

    X : dask Array, DataFrame or Bag
        Samples; a bag has chunks of them.

    Returns
    -------
    probabilities : dask Array or Bag
        In the blocks of `X`.

    Raises
    ------
    TypeError
        If `X` is no collection of dask.

    See Also
    --------
    fit : Fit an estimator to a collection of dask.

    Examples
    --------
    >>> import dask.array as da
    >>> from sksparse_nn import SparseNetClassifier, parallel
    >>> X = da.random.default_rng(0).normal(size=(1000, 16), chunks=(500, 16))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> net = SparseNetClassifier((8,), max_epochs=4, learning_rate=0.01)
    >>> net = parallel.fit(net, X, y)
    >>> parallel.predict_proba(net, X)
    dask.array<...shape=(1000, 2), dtype=float64, chunksize=(500, 2)...>
    """
    return apply(estimator, "predict_proba", X)


def inverse_transform(estimator: BaseEstimator, X: Any) -> Any:
    """Return the samples behind a collection of codes, lazily.

    Parameters
    ----------
    estimator : estimator
        Fitted, here or elsewhere.

    X : dask Array, DataFrame or Bag
        Codes, as `transform` returns them.

    Returns
    -------
    X_original : dask Array or Bag
        In the blocks of `X`.

    Raises
    ------
    TypeError
        If `X` is no collection of dask.

    See Also
    --------
    transform : The way there.

    Examples
    --------
    >>> import dask.array as da
    >>> from sksparse_nn import TruncatedSVDReducer, parallel
    >>> X = da.random.default_rng(0).normal(size=(1000, 16), chunks=(300, 16))
    >>> reducer = parallel.fit(TruncatedSVDReducer(4), X)
    >>> Z = parallel.transform(reducer, X)
    >>> parallel.inverse_transform(reducer, Z).shape
    (1000, 16)
    """
    return apply(estimator, "inverse_transform", X)


def apply(estimator, method, X):
    """Apply a method to each block of a collection.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    method : str
        Its name.

    X : dask Array, DataFrame or Bag
        Samples.

    Returns
    -------
    Z : dask Array, DataFrame or Bag
        In the blocks of `X`.
    """
    check_collection(X, method)
    if is_bag(X):
        return X.map(OfChunk(estimator, method))
    X = whole_rows(X)
    one = OfBlock(estimator, method)(_make_one(X))
    of_block = OfBlock(estimator, method, one[:0])
    if is_array(X):
        return _map_array(of_block, X, one)
    Z = X.map_partitions(of_block, meta=of_block.empty, token=method)
    if not sparse.issparse(one):
        return Z
    return da.Array(Z.dask, Z.name, Z.chunks, meta=of_block.empty)


def _map_array(of_block, X, one):
    return X.map_blocks(
        of_block,
        token=of_block.method,
        dtype=one.dtype,
        chunks=(X.chunks[0], *((width,) for width in one.shape[1:])),
        drop_axis=list(range(1, X.ndim)),
        new_axis=list(range(1, one.ndim)),
        meta=of_block.empty,
    )


def _make_one(X):
    """Return one sample of zeros, of the kind that a collection has."""
    if not is_array(X):
        one = X._meta.reindex([0])
        return one.astype(float).fillna(0).astype(X._meta.dtypes)
    shape = (1, *X.shape[1:])
    if sparse.issparse(X._meta):
        return type(X._meta)(shape, dtype=X.dtype)
    return np.zeros(shape, X.dtype)


@dataclass(frozen=True)
class OfBlock:
    """A method of a fitted estimator, as a function of a block.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    method : str
        Its name.

    empty : array, sparse matrix or table, default=None
        What it returns for no samples, which estimators refuse.
    """

    estimator: Any
    method: str
    empty: Any = None

    def __call__(self, X):
        if X.shape[0] == 0:
            return self.empty
        with single_threaded_blas():  # dask has a thread for each task
            return getattr(self.estimator, self.method)(X)


@dataclass(frozen=True)
class OfChunk:
    """A method of a fitted estimator, as a function of a chunk of a bag."""

    estimator: Any
    method: str

    def __call__(self, chunk):
        with single_threaded_blas():
            return getattr(self.estimator, self.method)(load(chunk).X)
