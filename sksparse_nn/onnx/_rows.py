"""Rows divided by their norms, and their products with unit atoms."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.coding import Atoms


@dataclass(frozen=True)
class Products:
    """Products of unit rows and unit atoms, in a graph.

    Attributes
    ----------
    correlations : str
        Of shape (n_rows, n_atoms).

    norms : str
        Of the rows, of shape (n_rows, 1).

    atoms : Atoms
        The dictionary.

    given : dtype
        Float type of the rows as they were given, which says what is rounding.

    dtype : dtype
        Float type of these products.
    """

    correlations: str
    norms: str
    atoms: Atoms
    given: np.dtype
    dtype: np.dtype

    @property
    def floor(self):
        """Bound on correlations that are rounding."""
        return 32 * np.finfo(self.given).eps


def emit_products(graph, x, dictionary, given, dtype):
    """Multiply unit rows by unit atoms.

    Parameters
    ----------
    graph : Graph
        Takes the nodes.

    x : str
        Rows.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    given, dtype : dtype
        Float types of the rows and of the products.

    Returns
    -------
    products : Products
        Of both.
    """
    atoms = Atoms.of(np.asarray(dictionary, given).astype(dtype), gram=True)
    unit, norms = emit_unit_rows(graph, graph.cast(x, dtype), dtype)
    correlations = graph("MatMul", unit, atoms.columns)
    given, dtype = np.dtype(given), np.dtype(dtype)
    return Products(correlations, norms, atoms, given, dtype)


def emit_unit_rows(graph, x, dtype):
    """Divide rows by their norms, whose squares do not overflow.

    Parameters
    ----------
    graph : Graph
        Takes the nodes.

    x : str
        Rows.

    dtype : dtype
        Their float type.

    Returns
    -------
    unit, norms : str
        Of shapes (n_rows, n_features) and (n_rows, 1). A row of zeros stays.
    """
    one = np.ones((), dtype)
    largest = graph.largest(graph("Abs", x))
    is_row = graph("Greater", largest, np.zeros((), dtype))
    largest = graph("Where", is_row, largest, one)
    scaled = graph("Div", x, largest)
    norms = graph("Sqrt", graph.sum(graph("Mul", scaled, scaled)))
    unit = graph("Div", scaled, graph("Where", is_row, norms, one))
    return unit, graph("Mul", norms, largest)
