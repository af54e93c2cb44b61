"""Shares of keys: scores, sorted and mapped onto the simplex."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.solvers.simplex import Entmax15, Sparsemax


def emit_attention_codes(estimator, graph, x, dtype):
    """Write the nodes of an attention coder.

    Parameters
    ----------
    estimator : SparseAttentionCoder
        Fitted.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of rows and codes.

    Returns
    -------
    codes : str
        Of shape (n_rows, n_keys).
    """
    if estimator.iterate:
        refuse(
            "SparseAttentionCoder(iterate=True)",
            "set iterate=False, whose codes are one step",
        )
    keys = estimator.keys_.astype(dtype)
    shares = Shares(estimator._mapping(), keys, estimator.temperature_)
    return emit_shares(shares, graph, x, dtype)


@dataclass(frozen=True)
class Shares:
    """A mapping of distances from keys.

    Attributes
    ----------
    mapping : AbstractMapping
        The function.

    keys : ndarray of shape (n_keys, n_features)
        Points that rows are compared with.

    temperature : float
        In squared units of the data.
    """

    mapping: object
    keys: np.ndarray
    temperature: float


def emit_shares(shares, graph, x, dtype):
    """Write the nodes of a mapping of distances, in double precision.

    Parameters
    ----------
    shares : Shares
        The mapping.

    graph, x, dtype
        As in `emit_attention_codes`.

    Returns
    -------
    codes : str
        Of shape (n_rows, n_keys).
    """
    emit = _MAPPINGS.get(type(shares.mapping))
    if emit is None:
        refuse(
            f"The mapping {type(shares.mapping).__name__}",
            f"one of {[kind.__name__ for kind in _MAPPINGS]} can",
        )
    keys, unit = shares.keys.astype(np.float64), np.sqrt(shares.temperature)
    centre = keys.mean(axis=0)
    keys = (keys - centre) / unit
    x = graph("Sub", graph.cast(x, np.float64), centre)
    x = graph("Div", x, np.array(unit))
    products = graph("MatMul", x, np.ascontiguousarray(keys.T))
    scores = graph("Sub", products, (keys**2).sum(axis=1) / 2)
    scores = graph("Sub", scores, graph.largest(scores))
    return graph.cast(emit(graph, scores, len(keys)), dtype)


def _emit_sparsemax(graph, scores, n_keys):
    sizes, ranks = np.arange(1.0, n_keys + 1), _sort(graph, scores, n_keys)
    levels = graph("Sub", _sum_up(graph, ranks), np.array(1.0))
    levels = graph("Div", levels, sizes)
    level = _last_reached(graph, levels, graph("Greater", ranks, levels))
    return graph("Max", graph("Sub", scores, level), np.array(0.0))


def _emit_entmax15(graph, scores, n_keys):
    scores = graph("Mul", scores, np.array(0.5))
    sizes, ranks = np.arange(1.0, n_keys + 1), _sort(graph, scores, n_keys)
    means = graph("Div", _sum_up(graph, ranks), sizes)
    squares = graph("Div", _sum_up(graph, graph("Mul", ranks, ranks)), sizes)
    spread = graph("Sub", squares, graph("Mul", means, means))
    rest = graph("Sub", 1.0 / sizes, spread)
    levels = graph("Sub", means, graph("Sqrt", graph("Max", rest, np.array(0.0))))
    reached = graph("LessOrEqual", levels, ranks)
    above = graph("Sub", scores, _last_reached(graph, levels, reached))
    above = graph("Max", above, np.array(0.0))
    return graph("Mul", above, above)


def _sort(graph, scores, n_keys):
    return graph("TopK", scores, np.array([n_keys]), n_outputs=2, axis=1)[0]


def _sum_up(graph, values):
    return graph("CumSum", values, np.array(1))


def _last_reached(graph, levels, reached):
    """Return the level of the last of the leading entries that reach theirs."""
    number = graph.sum(graph.cast(reached, np.int64))
    last = graph("Max", graph("Sub", number, np.array(1)), np.array(0))
    return graph("GatherElements", levels, last, axis=1)


_MAPPINGS = {Sparsemax: _emit_sparsemax, Entmax15: _emit_entmax15}
