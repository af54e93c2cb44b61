"""The steps of Adam for weights whose gradient is that of sparse rows."""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def adam_steps(columns, G, W, M, V, rates, features):
    """Move the weights of some features by the gradient of a product with sparse rows.

    The gradient ``A'G`` of the weights is not stored: each feature's is summed, used
    and forgotten while it is in cache.

    Parameters
    ----------
    columns : tuple of arrays
        The rows ``A`` by column: where columns begin, the row of each value, values.

    G : array of shape (n_rows, n_neurons)
        Gradient of the product.

    W, M, V : array of shape (n_features, n_neurons)
        Weights, and the moving averages of their gradients and of the squares of
        these. Overwritten.

    rates : tuple of 9 floats, of the type of the weights
        The decay of the average and one minus it, the same of the squares', the step
        size, what the root of the mean square is multiplied by, what is added to it,
        the factor of the weights before the step, and the share of the weights that is
        added to the gradient.

    features : tuple of int
        First feature, and one past the last.
    """
    starts, rows, data = columns
    m = np.uint64(W.shape[1])
    # All in the type of the weights: a Python number would make everything float64.
    first, more, second, further, step, root, eps, factor, share = rates
    gradient = np.empty(m, G.dtype)
    for f in range(np.uint64(features[0]), np.uint64(features[1])):
        for j in range(m):
            gradient[j] = share * W[f, j]
        for t in range(starts[f], starts[f + np.uint64(1)]):
            i, value = np.uint64(rows[t]), data[t]
            for j in range(m):
                gradient[j] += value * G[i, j]
        for j in range(m):
            g = gradient[j]
            mean = first * M[f, j] + more * g
            square = second * V[f, j] + further * g * g
            M[f, j], V[f, j] = mean, square
            W[f, j] = factor * W[f, j] - step * mean / (np.sqrt(square) * root + eps)


@kernel
def by_column(indptr, indices, data, starts, rows, values):
    """Sort the values of a CSR matrix by column.

    Parameters
    ----------
    indptr, indices, data : array
        The matrix.

    starts : int64 array of shape (n_columns + 1,)
        Overwritten with where columns begin.

    rows, values : array of shape (nnz,)
        Overwritten with the row of each value, and the values.
    """
    starts[:] = 0
    for t in range(indptr[0], indptr[-1]):
        starts[indices[t] + 1] += 1
    for f in range(1, starts.shape[0]):
        starts[f] += starts[f - 1]
    for i in range(indptr.shape[0] - 1):
        for t in range(indptr[i], indptr[i + 1]):
            place = starts[indices[t]]
            rows[place], values[place] = i, data[t]
            starts[indices[t]] += 1
    for f in range(starts.shape[0] - 1, 0, -1):
        starts[f] = starts[f - 1]
    starts[0] = 0
