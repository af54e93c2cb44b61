"""Codes of a whole matrix for several sparsities at once."""

import numpy as np

from sksparse_nn.solvers.coding._base import compress_codes, prepare_atoms
from sksparse_nn.solvers.coding._blocks import encode_blocks, join_sparse
from sksparse_nn.solvers.coding._encode import check_finite, code_norms, warn_of_gaps
from sksparse_nn.solvers.coding._missing import encode_rows_path


def encode_path(coder, dictionary, X, values, *, n_jobs=None):
    """Code the rows of a matrix for several values of the coder's path parameter.

    Parameters
    ----------
    coder : AbstractCoder
        Algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm; the codes are in their scale.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type; NaN where a value is missing.

    values : sequence
        Values of the parameter named by ``coder.sparsity``.

    n_jobs : int or None, default=None
        Number of threads.

    Returns
    -------
    path : list of CSR matrix of shape (n_samples, n_atoms)
        Codes for each value.
    """
    atoms = prepare_atoms(coder, dictionary, X.dtype)
    norms = code_norms(coder, atoms)

    def encode_block(which):
        with np.errstate(all="ignore"):  # `check_finite` raises for what overflows
            path = encode_rows_path(coder, atoms, X[which], values)
            blocks = [compress_codes(codes, norms) for codes in path]
        for block in blocks:
            check_finite(block)
        return blocks, np.max([codes.gaps for codes in path], axis=0)

    shape = X.shape[0], len(atoms.norms)
    path, gaps = encode_blocks(
        encode_block, shape, X.dtype, join=_join_each, n_jobs=n_jobs
    )
    warn_of_gaps(gaps, coder.largest_gap(X.dtype))
    return path


def _join_each(blocks, shape, dtype):
    """Join the codes of each value of the parameter."""
    return [
        join_sparse(of_value, shape, dtype) for of_value in zip(*blocks, strict=True)
    ]
