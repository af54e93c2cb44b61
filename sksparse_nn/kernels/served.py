"""What the codes of some rows, less one of their atoms, add up to."""

from sksparse_nn.kernels._jit import kernel


@kernel
def add_shares(indptr, indices, values, rows, atom, factors, shares):
    """Add the codes of some rows times factors, atom by atom.

    Parameters
    ----------
    indptr, indices, values : array
        Codes of all rows, in CSR form.

    rows : int64 array of shape (n_rows,)
        The rows.

    atom : int
        The atom left out.

    factors : float64 array of shape (n_rows,)
        One per row.

    shares : float64 array of shape (n_atoms,)
        Added to.
    """
    for i in range(rows.size):
        for place in range(indptr[rows[i]], indptr[rows[i] + 1]):
            if indices[place] != atom:
                shares[indices[place]] += factors[i] * values[place]


@kernel
def subtract_projections(indptr, indices, values, rows, atom, of_atoms, out):
    """Subtract from each row the sum of its codes times a number of each atom.

    Parameters
    ----------
    indptr, indices, values, rows, atom
        As in `add_shares`.

    of_atoms : float64 array of shape (n_atoms,)
        One number per atom.

    out : float64 array of shape (n_rows,)
        Subtracted from.
    """
    for i in range(rows.size):
        for place in range(indptr[rows[i]], indptr[rows[i] + 1]):
            if indices[place] != atom:
                out[i] -= values[place] * of_atoms[indices[place]]
