"""Sparse codes written as rows of a dense matrix."""

from sksparse_nn.kernels._jit import kernel


@kernel
def write_codes(counts, indices, values, out):
    """Write the nonzeros of codes into a matrix.

    Parameters
    ----------
    counts : int32 array of shape (n_rows,)
        Nonzeros of each code.

    indices, values : array of shape (n_rows, room)
        The codes, nonzeros at the front.

    out : array of shape (n_rows, n_atoms)
        Overwritten at the nonzeros.
    """
    for i in range(counts.size):
        for s in range(counts[i]):
            out[i, indices[i, s]] = values[i, s]


@kernel
def write_weighted_codes(counts, indices, values, weights, out):
    """Write codes times weights, divided by the largest of all, into a matrix.

    Parameters
    ----------
    counts, indices, values
        As in `write_codes`.

    weights : float64 array of shape (n_rows,)
        Weight of each row.

    out : array of shape (n_rows, n_atoms)
        Overwritten at the nonzeros.

    Returns
    -------
    peak : float
        What the products were divided by, or 1 where there is no nonzero.
    """
    peak = 0.0
    for i in range(counts.size):
        for s in range(counts[i]):
            peak = max(peak, abs(values[i, s] * weights[i]))
    if peak == 0:
        peak = 1.0
    for i in range(counts.size):
        for s in range(counts[i]):
            out[i, indices[i, s]] = values[i, s] * weights[i] / peak
    return peak
