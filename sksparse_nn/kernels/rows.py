"""Norms of rows, dense and sparse, safe from overflow and underflow."""

import numpy as np

from sksparse_nn.kernels._jit import kernel

SAFE_LOW = 1e-250
SAFE_HIGH = 1e250


@kernel
def sum_of_squares(values, scale):
    """Return the sum of the squares of scaled values, in float64.

    Parameters
    ----------
    values : array of shape (n,)
        Read only.

    scale : float
        Multiplies each value.

    Returns
    -------
    total : float
        The sum, by four partial ones, which need not wait for each other.
    """
    t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
    whole = values.size // 4 * 4
    for j in range(0, whole, 4):
        t0 += (values[j] * scale) ** 2
        t1 += (values[j + 1] * scale) ** 2
        t2 += (values[j + 2] * scale) ** 2
        t3 += (values[j + 3] * scale) ** 2
    for j in range(whole, values.size):
        t0 += (values[j] * scale) ** 2
    return (t0 + t1) + (t2 + t3)


@kernel
def normalise(values):
    """Divide a vector by its Euclidean norm.

    Parameters
    ----------
    values : array of shape (n,)
        Overwritten; a zero vector stays as it is.

    Returns
    -------
    norm : float
        Norm that divided the vector, or 0.
    """
    scale = 1.0
    total = sum_of_squares(values, scale)
    if not SAFE_LOW < total < SAFE_HIGH:
        largest = 0.0
        for j in range(values.size):
            largest = max(largest, abs(float(values[j])))
        if largest == 0.0:
            return 0.0
        # A power of two: multiplying by it rounds nothing.
        scale = 2.0 ** -max(np.floor(np.log2(largest)), -1000.0)
        total = sum_of_squares(values, scale)
    root = np.sqrt(total)
    inverse = 1 / root
    for j in range(values.size):
        values[j] = (values[j] * scale) * inverse
    return root / scale


@kernel
def normalise_rows(rows, norms):
    """Divide each row by its norm.

    Parameters
    ----------
    rows : array of shape (n_rows, n)
        Overwritten.

    norms : float64 array of shape (n_rows,)
        Overwritten with the norms.
    """
    for i in range(rows.shape[0]):
        norms[i] = normalise(rows[i])


@kernel
def normalise_csr_rows(indptr, data, norms):
    """Divide each row of a CSR matrix by its norm.

    Parameters
    ----------
    indptr : int32 array of shape (n_rows + 1,)
        Where rows begin.

    data : array of shape (nnz,)
        Overwritten.

    norms : float64 array of shape (n_rows,)
        Overwritten with the norms.
    """
    for i in range(norms.size):
        norms[i] = normalise(data[indptr[i] : indptr[i + 1]])
