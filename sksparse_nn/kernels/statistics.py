"""Sums of outer products of sparse codes, for dictionary updates."""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def add_code_products(counts, indices, values, weights, A):
    """Add the weighted outer product of each code with itself.

    Parameters
    ----------
    counts : int32 array of shape (n_rows,)
        Nonzeros of each code.

    indices, values : array of shape (n_rows, room)
        The codes, nonzeros at the front.

    weights : float64 array of shape (n_rows,)
        Weight of each row.

    A : float64 array of shape (n_atoms, n_atoms)
        Added to.
    """
    for i in range(counts.size):
        for s in range(counts[i]):
            weighted = weights[i] * values[i, s]
            for t in range(counts[i]):
                A[indices[i, s], indices[i, t]] += weighted * values[i, t]


@kernel
def add_row_products(counts, indices, values, weights, rows, B):
    """Add the weighted outer product of each code with its dense row.

    Parameters
    ----------
    counts, indices, values
        As in `add_code_products`.

    weights : float64 array of shape (n_rows,)
        Weight of each row, times the norm that divided the row.

    rows : array of shape (n_rows, n_features)
        The rows.

    B : float64 array of shape (n_atoms, n_features)
        Added to.
    """
    n_features = np.uint64(rows.shape[1])
    for i in range(counts.size):
        for s in range(counts[i]):
            weighted = weights[i] * values[i, s]
            atom = np.uint64(indices[i, s])
            for j in range(n_features):
                B[atom, j] += weighted * rows[i, j]


@kernel
def add_csr_row_products(counts, indices, values, weights, indptr, columns, data, B):
    """Add the weighted outer product of each code with its sparse row.

    Parameters
    ----------
    counts, indices, values, weights
        As in `add_row_products`.

    indptr, columns, data : arrays
        The rows in CSR form.

    B : float64 array of shape (n_atoms, n_features)
        Added to.
    """
    for i in range(counts.size):
        for s in range(counts[i]):
            weighted = weights[i] * values[i, s]
            atom = indices[i, s]
            for t in range(indptr[i], indptr[i + 1]):
                B[atom, columns[t]] += weighted * data[t]


@kernel
def squared_errors(counts, indices, values, rows, norms, atoms, errors):
    """Measure what the codes leave of each dense row.

    Parameters
    ----------
    counts, indices, values
        As in `add_code_products`.

    rows : array of shape (n_rows, n_features)
        Rows divided by their norms.

    norms : float64 array of shape (n_rows,)
        Their norms.

    atoms : array of shape (n_atoms, n_features)
        The dictionary.

    errors : float64 array of shape (n_rows,)
        Overwritten with the squared norms of the residuals.
    """
    n = np.uint64(rows.shape[1])
    residual = np.empty(rows.shape[1], rows.dtype)
    for i in range(counts.size):
        errors[i] = 0.0
        if norms[i] > 0:
            for j in range(n):
                residual[j] = rows[i, j]
            for s in range(counts[i]):
                share = rows.dtype.type(values[i, s] / norms[i])
                atom = np.uint64(indices[i, s])
                for j in range(n):
                    residual[j] -= share * atoms[atom, j]
            total = 0.0
            for j in range(residual.size):
                total += residual[j] ** 2
            errors[i] = total * norms[i] * norms[i]


@kernel
def squared_csr_errors(
    counts, indices, values, indptr, columns, data, norms, transposed, gram, errors
):
    """Measure what the codes leave of each sparse row.

    Parameters
    ----------
    counts, indices, values
        As in `add_code_products`.

    indptr, columns, data : arrays
        Rows divided by their norms, in CSR form.

    norms : float64 array of shape (n_rows,)
        Their norms.

    transposed : array of shape (n_features, n_atoms)
        The transpose of the dictionary.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    errors : float64 array of shape (n_rows,)
        Overwritten with the squared norms of the residuals.
    """
    for i in range(counts.size):
        errors[i] = 0.0
        if norms[i] > 0:
            total = 1.0
            for s in range(counts[i]):
                atom = indices[i, s]
                share = values[i, s] / norms[i]
                product = 0.0
                for t in range(indptr[i], indptr[i + 1]):
                    product += data[t] * transposed[columns[t], atom]
                for t in range(counts[i]):
                    other = values[i, t] / norms[i]
                    total += share * other * gram[atom, indices[i, t]]
                total -= 2 * share * product
            errors[i] = max(total, 0.0) * norms[i] * norms[i]
