"""Change of the weights of a layer by ridge least squares."""

import numpy as np
from scipy import linalg

from sksparse_nn.kernels.elimination import eliminate_inputs
from sksparse_nn.solvers.layers._sums import LayerSums, input_units


def find_change(blocks, ridge, *, has_bias=True, units=input_units):
    """Find the change of a layer's weights that gives it the outputs it lacks.

    It minimises the weighted sum of the squares that are missing, plus a penalty on the
    squares of the change. The bias is free. No change at all is one of the choices, so
    that the squares that are missing never grow.

    Parameters
    ----------
    blocks : iterable of tuple
        Inputs of shape (n_rows, n_inputs), what the outputs for them lack, of shape
        (n_rows, n_outputs), and weights of shape (n_rows,) or None. Read once.

    ridge : float
        Penalty of each change in the squared units of its input, above zero.

    has_bias : bool, default=True
        Whether the layer has a bias. If it has, inputs are taken from their means.

    units : callable, default=input_units
        Takes the products of the inputs, and returns their units. By default these are
        the roots of their weighted sums of squares, so the unit of an input does not
        count.

    Returns
    -------
    weight : ndarray of float64 of shape (n_outputs, n_inputs)
        To be added to the weights.

    bias : ndarray of float64 of shape (n_outputs,)
        To be added to the bias; zeros without one.
    """
    sums = LayerSums(has_bias=has_bias)
    for inputs, missing, weights in blocks:
        sums.add(inputs, missing, weights)
    return find_change_of(sums, ridge, units)


def find_change_of(sums, ridge, units=input_units, kept=None):
    """Find the change of a layer's weights from the sums over its blocks.

    Parameters
    ----------
    sums : LayerSums
        Of all blocks that `find_change` would take.

    ridge : float
        As for `find_change`.

    units : callable, default=input_units
        As for `find_change`.

    kept : ndarray of bool of shape (n_outputs, n_inputs) or None, default=None
        Weights that may change; None for all.

    Returns
    -------
    weight : ndarray of float64 of shape (n_outputs, n_inputs)
        To be added to the weights.

    bias : ndarray of float64 of shape (n_outputs,)
        To be added to the bias; zeros without one.
    """
    means, products = sums.centred()
    n_inputs = len(products)
    G, B = products[:, :n_inputs], products[:, n_inputs:]
    units = units(G)[:, None]
    penalised = G / units / units.T + ridge * np.eye(n_inputs)
    if kept is None:
        change = np.linalg.solve(penalised, B / units) / units
    else:
        change = _solve_kept(penalised, B / units, kept) / units
    return change.T, means[n_inputs:] - means[:n_inputs] @ change


def _solve_kept(A, B, kept):
    """Solve each column of the equations for the unknowns that it keeps."""
    solved = np.zeros_like(B)
    for i, mask in enumerate(kept):
        free = np.flatnonzero(mask)
        if len(free):
            part = A[np.ix_(free, free)]
            solved[free, i] = linalg.solve(part, B[free, i], assume_a="pos")
    return solved


def score_inputs(blocks, weight, ridge, *, has_bias=True):
    """Score the inputs of a layer by the outputs that are lost without them.

    One input after the other is removed, that which costs least when the weights of the
    others change as `find_change` would change them: B. Hassibi, D. G. Stork, "Second
    Order Derivatives for Network Pruning: Optimal Brain Surgeon", NIPS 1992.

    Parameters
    ----------
    blocks : iterable of tuple
        Inputs of shape (n_rows, n_inputs), and weights of shape (n_rows,) or None. Read
        once.

    weight : ndarray of shape (n_outputs, n_inputs)
        Weights of the layer.

    ridge : float
        As for `find_change`.

    has_bias : bool, default=True
        Whether the layer has a bias.

    Returns
    -------
    scores : ndarray of shape (n_inputs,)
        Share of the squares of the outputs, or of their differences from the means,
        that is lost with the input and all those that go before it, with the penalty on
        the change of the others. Infinite for the last one.
    """
    sums = LayerSums(has_bias=has_bias)
    for rows, weights in blocks:
        sums.add(rows, rows[:, :0], weights)
    _, G = sums.centred()
    V = np.array(weight.T, np.float64, order="C")
    energy, units = np.sum(G @ V * V), input_units(G)[:, None]
    scores = np.append(np.zeros(len(G) - 1), np.inf)
    if energy > 0:
        C = np.linalg.inv(G / units / units.T + ridge * np.eye(len(G)))
        V *= np.where(G.diagonal()[:, None] > 0, units, 0)  # constants cost nothing
        order, costs = np.empty(len(G), np.int64), np.empty(len(G) - 1)
        eliminate_inputs(C, V, order, costs)
        scores[order[:-1]] = np.cumsum(costs) / energy
        scores[order[-1]] = np.inf
    return scores
