"""Products of small integers."""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def int8_product(A, B, out):
    """Multiply rows of integers with rows of integers, exactly.

    Parameters
    ----------
    A : int8 array of shape (n_rows, n_columns)
        C-contiguous; fewer than 130,000 columns.

    B : int8 array of shape (m, n_columns)
        C-contiguous.

    out : int32 array of shape (n_rows, m)
        Overwritten with ``A B'``.
    """
    n_columns = np.uint64(A.shape[1])
    for i in range(np.uint64(A.shape[0])):
        for j in range(np.uint64(B.shape[0])):
            total = np.int32(0)
            for k in range(n_columns):
                total += np.int32(A[i, k]) * np.int32(B[j, k])
            out[i, j] = total
