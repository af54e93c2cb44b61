"""Encode a whole matrix, block by block on threads, into CSR or dense codes."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn._progress import silent
from sksparse_nn._warnings import warn
from sksparse_nn.solvers.coding._base import compress_codes, prepare_atoms
from sksparse_nn.solvers.coding._blocks import encode_blocks, join_dense, join_sparse
from sksparse_nn.solvers.coding._missing import encode_rows


def encode(coder, dictionary, X, **options):
    """Code the rows of a matrix in a dictionary.

    Parameters
    ----------
    coder : AbstractCoder
        Algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm; the codes are in their scale.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type; NaN where a value is missing.

    **options : dict
        Further arguments of `encode_with`.

    Returns
    -------
    codes : CSR matrix or ndarray of shape (n_samples, n_atoms)
        As `encode_with` returns them.
    """
    return encode_with(coder, prepare_atoms(coder, dictionary, X.dtype), X, **options)


def encode_with(
    coder,
    atoms,
    X,
    *,
    n_jobs=None,
    sparse_output=True,
    split_sign=False,
    report=silent,
):
    """Code the rows of a matrix with prepared atoms.

    Parameters
    ----------
    coder : AbstractCoder
        Algorithm.

    atoms : Atoms
        From `prepare_atoms`, in the type of `X`. The codes are in the scale of the
        atoms as they were given.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type; NaN where a value is missing.

    n_jobs : int or None, default=None
        Number of threads.

    sparse_output : bool, default=True
        Whether to return a CSR matrix.

    split_sign : bool, default=False
        Whether negative parts get columns of their own, after the positive ones.

    report : ProgressLines, default=silent
        Prints the progress.

    Returns
    -------
    codes : CSR matrix or ndarray of shape (n_samples, n_atoms)
        Of the type of `X`; twice as wide with `split_sign`.
    """
    norms = code_norms(coder, atoms)
    n_atoms = len(atoms.norms)

    def encode_block(which):
        with np.errstate(all="ignore"):  # `check_finite` raises for what overflows
            codes = encode_rows(coder, atoms, X[which])
            block = compress_codes(codes, norms)
        check_finite(block)
        return _split_signs(*block, n_atoms) if split_sign else block, codes.gaps

    codes, gaps = encode_blocks(
        encode_block,
        (X.shape[0], n_atoms * (2 if split_sign else 1)),
        X.dtype,
        join=join_sparse if sparse_output else join_dense,
        n_jobs=n_jobs,
        report=report,
    )
    if sparse_output and split_sign:
        codes.sort_indices()
    warn_of_gaps(gaps, coder.largest_gap(X.dtype))
    return codes


def check_finite(block):
    """Check that codes are finite.

    Parameters
    ----------
    block : tuple of ndarray
        Result of `compress_codes`.

    Raises
    ------
    ValueError
        If a code is not finite, as rows are near the largest number of their type.
    """
    values = block[2]
    faults = values[~np.isfinite(values)]
    if len(faults):
        raise ValueError(
            f"Codes of X must be finite numbers of {values.dtype}. Got {faults[0]}, as"
            " values of X or their sums overflow that type; scale X."
        )


def code_norms(coder, atoms):
    """Return the norms that turn codes of unit atoms into codes of the given atoms.

    Parameters
    ----------
    coder : AbstractCoder
        Algorithm.

    atoms : Atoms
        Dictionary.

    Returns
    -------
    norms : ndarray of shape (n_atoms,) or None
        None if codes do not weight atoms.
    """
    return np.where(atoms.norms > 0, atoms.norms, 1) if coder.weights_atoms else None


def warn_of_gaps(gaps, largest, *, n=None, what="rows"):
    """Warn once of all rows whose codes are not at the optimum.

    Parameters
    ----------
    gaps : ndarray of shape (n_samples,)
        Relative duality gaps; small ones may be left out.

    largest : float
        Largest gap that is allowed.

    n : int or None, default=None
        Number of rows, if gaps are left out.

    what : str, default="rows"
        Name of the rows in the message.
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


def _split_signs(counts, indices, values, n_atoms):
    """Move negative values, made positive, to columns of their own."""
    return counts, indices + n_atoms * (values < 0).astype(np.int32), np.abs(values)
