"""Removal of the inputs of a layer, one after the other."""

import numpy as np

from sksparse_nn.kernels._jit import kernel, step


@kernel
def eliminate_inputs(C, V, order, costs):
    """Remove the input that costs least, until one is left.

    The cost is what the squared error grows by when the weights of the others change
    for the best: the squared norm of the input's weights over its diagonal entry of C.

    Parameters
    ----------
    C : float64 array of shape (n_inputs, n_inputs)
        Inverse of the products of the inputs. Overwritten.

    V : float64 array of shape (n_inputs, n_outputs)
        Weights, a row per input. Overwritten.

    order : int64 array of shape (n_inputs,)
        Overwritten with the inputs in the order of their removal, the last one at the
        end.

    costs : float64 array of shape (n_inputs - 1,)
        Overwritten with their costs.
    """
    n_inputs = len(C)
    for i in range(n_inputs):
        order[i] = i
    for i in range(n_inputs - 1):
        place = _find_cheapest(C, V, i, costs)
        order[i], order[place] = order[place], order[i]
        _swap(C, V, i, place)
        _remove(C, V, i)


@step
def _find_cheapest(C, V, first, costs):
    costs[first], place = np.inf, first
    for j in range(first, len(C)):
        cost = 0.0
        for k in range(V.shape[1]):
            cost += V[j, k] * V[j, k]
        cost /= C[j, j]
        if cost < costs[first]:
            costs[first], place = cost, j
    return place


@step
def _swap(C, V, i, j):
    """Swap two inputs in the part of C that is left."""
    for k in range(i, len(C)):
        C[i, k], C[j, k] = C[j, k], C[i, k]
    for k in range(i, len(C)):
        C[k, i], C[k, j] = C[k, j], C[k, i]
    for k in range(V.shape[1]):
        V[i, k], V[j, k] = V[j, k], V[i, k]


@step
def _remove(C, V, i):
    """Remove an input from those behind it."""
    for j in range(i + 1, len(C)):
        share = C[j, i] / C[i, i]
        for k in range(i + 1, len(C)):
            C[j, k] -= share * C[i, k]
        for k in range(V.shape[1]):
            V[j, k] -= share * V[i, k]
