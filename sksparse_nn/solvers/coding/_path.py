"""Codes of a whole matrix for several sparsities at once."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.coding._base import compressed
from sksparse_nn.solvers.coding._encode import (
    check_codes,
    stack,
    warn_of_gaps,
    weighing_norms,
)
from sksparse_nn.solvers.coding._missing import encode_rows_path


def encode_path(coder, dictionary, X, values, *, n_jobs=None):
    """Code the rows of a matrix for several values of the coder's path parameter.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm; the codes are in their scale.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type; NaN where a value is missing.

    values : sequence
        Values of the parameter that ``coder.sparsity`` names.

    n_jobs : int or None, default=None
        Number of threads.

    Returns
    -------
    path : list of CSR matrix of shape (n_samples, n_atoms)
        For each value.
    """
    with single_threaded_blas():
        atoms = coder.prepare(np.asarray(dictionary, dtype=X.dtype))
    norms = weighing_norms(coder, atoms)
    gaps = np.zeros(X.shape[0])

    def encode_block(which):
        with np.errstate(all="ignore"):  # codes that are no numbers are an error
            path = encode_rows_path(coder, atoms, X[which], values)
            blocks = [compressed(codes, norms) for codes in path]
        for block in blocks:
            check_codes(block)
        gaps[which] = np.max([codes.gaps for codes in path], axis=0)
        return blocks

    blocks = map_in_order(encode_block, block_slices(X.shape[0]), n_jobs)
    shape = X.shape[0], len(atoms.norms)
    path = [stack(level, shape, X.dtype) for level in zip(*blocks, strict=True)]
    warn_of_gaps(gaps, coder.largest_gap(X.dtype))
    return path
