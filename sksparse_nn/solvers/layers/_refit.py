"""Change of the weights of a layer by ridge least squares."""

import numpy as np

from sksparse_nn.kernels.elimination import eliminate_inputs

# Least unit of an input, in units of an average one.
_LEAST_UNIT = 1e-6


def find_change(blocks, ridge, *, has_bias=True):
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
        Penalty of each change in units of the weighted sum of squares of its input,
        above zero. So the unit of an input does not count.

    has_bias : bool, default=True
        Whether the layer has a bias. If it has, inputs are taken from their means.

    Returns
    -------
    weight : ndarray of float64 of shape (n_outputs, n_inputs)
        To be added to the weights.

    bias : ndarray of float64 of shape (n_outputs,)
        To be added to the bias; zeros without one.
    """
    means, products = _add_up(blocks, has_bias)
    n_inputs = len(products)
    G, B = products[:, :n_inputs], products[:, n_inputs:]
    units = _units(G)[:, None]
    penalised = G / units / units.T + ridge * np.eye(n_inputs)
    change = np.linalg.solve(penalised, B / units) / units
    return change.T, means[n_inputs:] - means[:n_inputs] @ change


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
    _, G = _add_up(((rows, rows[:, :0], weights) for rows, weights in blocks), has_bias)
    V = np.array(weight.T, np.float64, order="C")
    energy, units = np.sum(G @ V * V), _units(G)[:, None]
    scores = np.append(np.zeros(len(G) - 1), np.inf)
    if energy > 0:
        C = np.linalg.inv(G / units / units.T + ridge * np.eye(len(G)))
        V *= np.where(G.diagonal()[:, None] > 0, units, 0)  # constants cost nothing
        order, costs = np.empty(len(G), np.int64), np.empty(len(G) - 1)
        eliminate_inputs(C, V, order, costs)
        scores[order[:-1]] = np.cumsum(costs) / energy
        scores[order[-1]] = np.inf
    return scores


def _units(G):
    """Return the root of the sum of squares of each input; ones if none varies.

    Those that vary by rounding alone have a larger one, so that nothing is fitted to
    them.
    """
    roots = np.sqrt(np.maximum(G.diagonal(), 0))  # rounding may go below
    least = _LEAST_UNIT * np.sqrt(np.mean(roots**2))
    return np.maximum(roots, least or 1.0)


def _add_up(blocks, is_centred):
    """Return the means of inputs and outputs, and the products of inputs with both.

    Products are those of the differences from the means; without centring, means are
    zeros. Sums are taken from the first row, so that large means cancel no digits and
    inputs that never vary are zeros to the last bit.
    """
    origin, total, sums, products = None, 0.0, 0.0, 0.0
    for inputs, missing, weight in blocks:
        rows = np.hstack([inputs, missing]).astype(np.float64)
        weight = np.ones(len(rows)) if weight is None else weight
        if origin is None:
            origin = is_centred * rows[0]
        rows -= origin
        weighted = weight[:, None] * rows
        products = products + weighted[:, : inputs.shape[1]].T @ rows
        total, sums = total + weight.sum(), sums + weighted.sum(axis=0)
    means = is_centred * sums / total
    products -= total * np.outer(means[: len(products)], means)
    return origin + means, products
