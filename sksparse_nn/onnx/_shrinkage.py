"""Codes by one look at the correlations."""

import numpy as np

from sksparse_nn.solvers.coding import HardThreshold, SoftThreshold, TopK, Triangle

# Distances that differ by less, as a share of their mean, are equal.
_EQUAL = 1e-6


def _emit_hard_threshold(coder, graph, products):
    """Keep correlations larger than a level; as all here, of unit atoms."""
    values = _values(graph, products)
    levels = coder.levels(products.atoms).astype(products.dtype)
    large = graph("Greater", graph("Abs", values), levels)
    return graph.keep(large, values)


def _emit_soft_threshold(coder, graph, products):
    """Shrink correlations towards zero by a level."""
    values = _values(graph, products)
    levels = coder.levels(products.atoms).astype(products.dtype)
    above = graph("Relu", graph("Sub", values, levels))
    if coder.positive_code:
        return above
    below = graph("Relu", graph("Sub", graph("Neg", values), levels))
    return graph("Sub", above, below)


def _emit_top_k(coder, graph, products):
    """Keep the largest correlations, the first of equal ones."""
    most = np.array([coder.count_most(*products.atoms.shape)])
    values, sizes = _values(graph, products), graph("Abs", products.correlations)
    _, places = graph("TopK", sizes, most, n_outputs=2, axis=1)
    kept = graph("GatherElements", values, places, axis=1)
    zeros = graph("Sub", sizes, sizes)
    return graph("ScatterElements", zeros, places, kept, axis=1)


def _emit_triangle(coder, graph, products):
    """Code each atom by how much nearer to the row it is than the average atom."""
    norms, lengths = products.norms, products.atoms.norms.astype(products.dtype)
    product = graph("Mul", graph("Mul", products.correlations, norms), 2 * lengths)
    squares = graph("Add", graph("Mul", norms, norms), lengths**2)
    distances = graph("Sqrt", graph("Relu", graph("Sub", squares, product)))
    mean = graph("ReduceMean", distances, np.array([1]), keepdims=1)
    gains = graph("Sub", mean, distances)
    least = graph("Mul", mean, np.array(_EQUAL, products.dtype))
    return graph.keep(graph("Greater", gains, least), gains)


def _values(graph, products):
    """Return products of rows and unit atoms, without those that are rounding."""
    floor = np.array(products.floor, products.dtype)
    is_seen = graph("Greater", graph("Abs", products.correlations), floor)
    return graph.keep(is_seen, graph("Mul", products.correlations, products.norms))


# Those of single precision where rows are, and those that need double.
QUICK = {
    HardThreshold: _emit_hard_threshold,
    SoftThreshold: _emit_soft_threshold,
    TopK: _emit_top_k,
}
IN_DOUBLE = {Triangle: _emit_triangle}
