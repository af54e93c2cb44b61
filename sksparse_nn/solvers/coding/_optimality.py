"""How far a lasso code is from the optimum, where rounding hides the residual.

With a small penalty what a code leaves of its row is near the rounding of the row, and
no dual point can be made of it. So the residual of the optimum on the support is made
without the code: the part of the row outside the span of its atoms, and the vector in
the span whose products with the atoms are their penalties. Either alone is as exact as
its own size, and where the former is rounding the latter is a dual point as it is.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular


@dataclass
class Dual:
    """What dual points of a row are held to.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms, n_features)
        Unit atoms, in float64.

    linear, quadratic : ndarray of shape (n_atoms,)
        Penalties of each atom; the linear ones are above zero.

    positive : bool
        Whether coefficients must not be negative.
    """

    atoms: np.ndarray
    linear: np.ndarray
    quadratic: np.ndarray
    positive: bool

    def gap(self, row, support, code):
        """Return the duality gap of a code, as a share of its objective.

        Parameters
        ----------
        row : ndarray of shape (n_features,)
            In float64.

        support, code : ndarray of shape (n_values,)
            Atoms of the code, and their coefficients.

        Returns
        -------
        gap : float
            Infinite where the atoms of the code depend on each other.
        """
        support, code = support[code != 0], code[code != 0]
        linear, ridges = self.linear[support], np.sqrt(self.quadratic[support])
        # A ridge is a feature that one atom has and the row has not.
        system = np.hstack([self.atoms[support], np.diag(ridges)])
        row = np.append(row, np.zeros(len(support)))
        orthonormal, triangle = np.linalg.qr(system.T)
        if np.abs(np.diag(triangle)).min(initial=1) < np.finfo(float).eps:
            return np.inf
        steepest = linear * np.sign(code)
        inside = orthonormal @ solve_triangular(triangle, steepest, trans="T")
        outside = _project_out(_project_out(row, orthonormal), orthonormal)
        best = max(
            self._objective(row, point, support, ridges)
            for point in (inside + outside, inside)
        )
        residual = row - code @ system
        objective = 0.5 * residual @ residual + linear @ np.abs(code)
        return (objective - best) / objective

    def _objective(self, row, point, support, ridges):
        """Return what a dual point proves, shrunk until it is feasible."""
        n_features = self.atoms.shape[1]
        products = self.atoms @ point[:n_features]
        products[support] += ridges * point[n_features:]
        if not self.positive:
            products = np.abs(products)
        shrink = 1 / max(1.0, (products / self.linear).max())
        return shrink * (row @ point) - 0.5 * shrink**2 * (point @ point)


def _project_out(row, orthonormal):
    """Return what is outside a span; of that again, it is exact for its size."""
    return row - orthonormal @ (orthonormal.T @ row)
