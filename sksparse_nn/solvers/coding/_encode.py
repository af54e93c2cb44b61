"""Encode a whole matrix, block by block on threads, into CSR or dense codes."""

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn._progress import silent
from sksparse_nn._warnings import warn
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.coding._base import compressed
from sksparse_nn.solvers.coding._missing import encode_rows


def encode(
    coder,
    dictionary,
    X,
    *,
    n_jobs=None,
    sparse_output=True,
    split_sign=False,
    report=silent,
):
    """Code the rows of a matrix.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm; the codes are in their scale.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type; NaN where a value is missing.

    n_jobs : int or None, default=None
        Number of threads.

    sparse_output : bool, default=True
        Whether the codes come as a CSR matrix.

    split_sign : bool, default=False
        Whether the negative parts get columns of their own, behind the positive ones.

    report : ProgressLines, default=silent
        Told how far it is.

    Returns
    -------
    codes : CSR matrix or ndarray of shape (n_samples, n_atoms)
        Of the type of `X`; twice as wide with `split_sign`.
    """
    with single_threaded_blas():
        atoms = coder.prepare(np.asarray(dictionary, dtype=X.dtype))
    norms = weighing_norms(coder, atoms)
    n_atoms = len(atoms.unit)
    gaps = np.zeros(X.shape[0])

    def encode_block(which):
        with np.errstate(all="ignore"):  # codes that are no numbers are an error
            codes = encode_rows(coder, atoms, X[which])
            block = compressed(codes, norms)
        check_codes(block)
        gaps[which] = codes.gaps
        return _split(*block, n_atoms) if split_sign else block

    slices = block_slices(X.shape[0])
    blocks = map_in_order(encode_block, slices, n_jobs)
    blocks = report.through(blocks, len(slices), "coding rows")
    shape = X.shape[0], n_atoms * (2 if split_sign else 1)
    codes = (stack if sparse_output else _fill)(blocks, shape, X.dtype)
    if sparse_output and split_sign:
        codes.sort_indices()
    warn_of_gaps(gaps, coder.largest_gap(X.dtype))
    return codes


def check_codes(block):
    """Check that codes are numbers of their type.

    Parameters
    ----------
    block : tuple of ndarray
        What `compressed` gave.

    Raises
    ------
    ValueError
        If one is not, as rows are near the largest number.
    """
    values = block[2]
    faults = values[~np.isfinite(values)]
    if len(faults):
        raise ValueError(
            f"Codes of X must be numbers of {values.dtype}. Got {faults[0]}, as rows or"
            " their sums are beyond its largest number; scale X."
        )


def weighing_norms(coder, atoms):
    """Return what codes of unit atoms are divided by to be those of the given atoms.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    atoms : Atoms
        The dictionary.

    Returns
    -------
    norms : ndarray of shape (n_atoms,) or None
        None where codes do not weight atoms.
    """
    return np.where(atoms.norms > 0, atoms.norms, 1) if coder.weights_atoms else None


def warn_of_gaps(gaps, largest, *, n=None, what="rows"):
    """Warn once of all rows that are not at the optimum.

    Parameters
    ----------
    gaps : ndarray of shape (n_samples,)
        Relative duality gaps; those that are small may be missing.

    largest : float
        What they are held to.

    n : int or None, default=None
        Number of rows, if not all gaps are there.

    what : str, default="rows"
        What the rows are.
    """
    n_failed = np.count_nonzero(gaps > largest)
    if n_failed:
        n = len(gaps) if n is None else n
        warn(
            f"{n_failed} of {n} {what} are not at the optimum: the largest"
            f" relative duality gap is {gaps.max():.2g}, wanted was {largest:g}."
            " Use float64 or a larger alpha.",
            ConvergenceWarning,
        )


def _split(counts, indices, values, n_atoms):
    """Move negative values, as positive ones, to columns of their own."""
    return counts, indices + n_atoms * (values < 0).astype(np.int32), np.abs(values)


def stack(blocks, shape, dtype):
    """Join compressed blocks into one matrix, freeing each as it is copied.

    Parameters
    ----------
    blocks : iterable of tuple
        What `compressed` gave, in the order of the rows.

    shape : tuple of int
        Of the matrix.

    dtype : dtype
        Of its values.

    Returns
    -------
    codes : CSR matrix
        With sorted indices if the blocks have them.
    """
    blocks = list(blocks)
    counts = np.concatenate([np.zeros(1, np.int32), *[block[0] for block in blocks]])
    n_values = int(counts.sum(dtype=np.int64))
    wide = n_values > np.iinfo(np.int32).max
    indptr = np.cumsum(counts, dtype=np.int64 if wide else np.int32)
    indices = np.empty(n_values, indptr.dtype)
    values = np.empty(n_values, dtype)
    at = 0
    blocks.reverse()
    while blocks:
        _, part, part_values = blocks.pop()
        indices[at : at + len(part)] = part
        values[at : at + len(part)] = part_values
        at += len(part)
    return sparse.csr_matrix((values, indices, indptr), shape=shape, copy=False)


def _fill(blocks, shape, dtype):
    """Write compressed blocks into a dense matrix."""
    codes = np.zeros(shape, dtype)
    at = 0
    for counts, indices, values in blocks:
        rows = np.repeat(np.arange(at, at + len(counts)), counts)
        codes[rows, indices] = values
        at += len(counts)
    return codes
