"""Products of the columns of a CSR matrix with each other, within groups."""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def add_upper_grams(indptr, indices, data, entries, stops, starts, features, out):
    """Add the products of some columns with themselves and later ones of their group.

    It goes over the entries of a column, and over what follows each in its row: the
    sums of one column lie together, and no two columns share any.

    Parameters
    ----------
    indptr : int64 array of shape (n_rows + 1,)
        Where rows begin.

    indices : int32 array of shape (nnz,)
        Column of each value, ascending in a row.

    data : float64 array of shape (nnz,)
        Values.

    entries : tuple of int arrays
        By column: where its entries begin, their rows, and their places in `data`.

    stops : int64 array of shape (n_columns,)
        First column behind the group of each column.

    starts : int64 array of shape (n_columns,)
        Where the product of a column with column zero would stand in `out`.

    features : tuple of int
        First column, and the one behind the last, to multiply.

    out : float64 array of shape (n_products,)
        Added to.
    """
    begins, rows, places = entries
    for f in range(features[0], features[1]):
        start, stop = starts[f], stops[f]
        for e in range(begins[f], begins[f + 1]):
            first, end = places[e], indptr[rows[e] + 1]
            value = data[first]
            n = stop - f
            if first + n <= end and indices[first + n - 1] == stop - 1:
                # Nothing is missing from here to the group's end.
                for j in range(np.uint64(n)):
                    out[start + f + j] += value * data[first + j]
                continue
            for t in range(first, end):
                if indices[t] >= stop:
                    break
                out[start + indices[t]] += value * data[t]
