"""How a loss of codes depends on the atoms, the rows and the penalty.

Codes that solve linear equations on their support, G a + penalty = D x with the Gram
matrix G, are differentiated implicitly: with b the solution of the same equations for
the gradient of the loss, the loss falls with the atoms as b' (x - a D) - a' (b D) says,
and with the row as b D says. The support is held fixed, which is right almost
everywhere; where a code is about to gain or lose an atom, the derivative is that of the
support as it is.

References
----------
J. Mairal, F. Bach, J. Ponce (2012), Task-driven dictionary learning. IEEE TPAMI 34(4).
"""

import numpy as np

from sksparse_nn.kernels.adjoint import add_cross_products, solve_on_supports

# Share of an atom that must be outside the span of the others on its support.
_PIVOT_TOL = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-13}


def pick_on_supports(codes, gradients):
    """Return the gradients of the nonzeros of codes.

    Parameters
    ----------
    codes : Codes
        Codes of some rows.

    gradients : ndarray of shape (n_rows, n_atoms)
        Of a loss by all codes.

    Returns
    -------
    picked : ndarray of shape (n_rows, room)
        Zero where there is no nonzero.
    """
    used = codes.used()
    picked = np.take_along_axis(gradients, np.where(used, codes.indices, 0), axis=1)
    return np.where(used, picked, 0).astype(codes.values.dtype)


def solve_normal_equations(atoms, ridges, codes, gradients):
    """Solve the equations of each support for the gradients of its codes.

    Parameters
    ----------
    atoms : Atoms
        The dictionary, with its Gram matrix.

    ridges : ndarray of shape (n_atoms,)
        Quadratic penalty of each unit atom.

    codes : Codes
        Codes of some rows.

    gradients : ndarray of shape (n_rows, n_atoms)
        Of a loss by all codes.

    Returns
    -------
    solutions : ndarray of shape (n_rows, room)
        Zero where there is no nonzero.
    """
    solutions = np.zeros_like(codes.values)
    solve_on_supports(
        codes.counts,
        codes.indices,
        atoms.gram,
        ridges,
        _PIVOT_TOL[codes.values.dtype],
        gradients,
        solutions,
    )
    return solutions


def atom_gradients(coder, atoms, rows, codes, adjoint):
    """Differentiate a loss by the unit atoms.

    Parameters
    ----------
    coder : AbstractCoder
        Whose codes they are.

    atoms : Atoms
        The dictionary.

    rows : DenseRows or SparseRows
        Those that were coded.

    codes : Codes
        Their codes.

    adjoint : ndarray of shape (n_rows, room)
        What `AbstractCoder.adjoint` returns.

    Returns
    -------
    gradients : ndarray of shape (n_atoms, n_features)
        In the float type of the atoms.
    """
    gradients = np.zeros(atoms.shape)
    ones = np.ones(len(codes.counts))
    rows.add_products(codes._replace(values=adjoint), ones, gradients)
    if coder.fits_support:
        products = np.zeros((len(atoms.norms),) * 2)
        add_cross_products(*codes.entries, adjoint, products)
        # In the float type of the atoms, which takes half the time, without overflow.
        peak = np.abs(products).max(initial=0) or 1.0
        gradients -= peak * ((products / peak).astype(atoms.dtype) @ atoms.unit)
    return gradients.astype(atoms.dtype)


def alpha_gradient(coder, codes, adjoint):
    """Differentiate a loss by the penalty alpha.

    Parameters
    ----------
    coder : AbstractCoder
        Whose codes they are; it reads alpha.

    codes : Codes
        Codes of some rows.

    adjoint : ndarray of shape (n_rows, room)
        What `AbstractCoder.adjoint` returns.

    Returns
    -------
    gradient : float
        How much the loss grows with alpha.
    """
    used = codes.used()
    falls = coder.falls_with_alpha(codes)
    return -float(np.sum(adjoint[used].astype(np.float64) * falls[used]))
