"""Encoding of a whole matrix into CSR or dense codes, in blocks on threads."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn._progress import silent
from sksparse_nn._warnings import warn
from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.coding import (
    compress_codes,
    encode_blocks,
    join_dense,
    join_sparse,
)
from sksparse_nn.solvers.simplex._coding import Converged
from sksparse_nn.solvers.simplex._keys import Keys


def encode(coding, keys, X, *, n_jobs=None, sparse_output=True, report=silent):
    """Code the rows of a matrix.

    Parameters
    ----------
    coding : Step or Converged
        Method of coding.

    keys : ndarray of shape (n_keys, n_features)
        The keys.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type.

    n_jobs : int or None, default=None
        Number of threads.

    sparse_output : bool, default=True
        Whether to return a CSR matrix.

    report : ProgressLines, default=silent
        Prints lines about the progress.

    Returns
    -------
    codes : CSR matrix or ndarray of shape (n_samples, n_keys)
        Codes, of the type of `X`.
    """
    with single_threaded_blas():
        keys = Keys.of(np.asarray(keys, dtype=X.dtype))

    def encode_block(which):
        codes = coding.encode(keys, keys.read_block(X[which]))
        return compress_codes(codes), codes.gaps

    codes, gaps = encode_blocks(
        encode_block,
        (X.shape[0], len(keys.given)),
        X.dtype,
        join=join_sparse if sparse_output else join_dense,
        n_jobs=n_jobs,
        report=report,
    )
    if isinstance(coding, Converged):
        _warn_of_gaps(gaps, coding)
    return codes


def _warn_of_gaps(gaps, coding):
    n_failed = np.count_nonzero(gaps > coding.tol)
    if n_failed:
        warn(
            f"{n_failed} of {len(gaps)} rows are not at the optimum after"
            f" {coding.max_iter} steps: the largest relative duality gap is"
            f" {gaps.max():.2g}, wanted was {coding.tol:g}. Raise max_iter or tol.",
            ConvergenceWarning,
        )
