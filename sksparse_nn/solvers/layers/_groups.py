"""Removal of groups of inputs that several layers share, one after the other."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.layers._sums import LayerSums, input_units

# Group of inputs that were removed.
_GONE = -2


@dataclass(frozen=True)
class Reader:
    """Inputs of a layer, in groups, and the matrix that reads them.

    Attributes
    ----------
    sums : LayerSums
        Sums over the inputs.

    weight : ndarray of shape (n_outputs, n_inputs)
        The matrix.

    groups : ndarray of int of shape (n_inputs,)
        Group of each input; -1 for inputs that stay.
    """

    sums: LayerSums
    weight: np.ndarray
    groups: np.ndarray


def score_groups(layers, n_groups, ridge):
    """Score groups of inputs by the outputs that are lost without them.

    One group after the other is removed, that which costs least when the weights of the
    other inputs change as `find_change` would change them. That is `score_inputs` for
    groups, and for several layers that read the same ones.

    Parameters
    ----------
    layers : list of list of Reader
        The parts of each layer. Inputs of one part do not make up for those of another.

    n_groups : int
        Number of groups.

    ridge : float
        As for `find_change`.

    Returns
    -------
    scores : ndarray of shape (n_groups,)
        Sum over the layers of the share of the squares of the outputs that is lost with
        the group and all those that go before it.
    """
    states = [state for readers in layers for state in _start(readers, ridge)]
    left, scores, lost = np.arange(n_groups), np.zeros(n_groups), 0.0
    while len(left):
        costs = np.zeros(n_groups)
        for state in states:
            state.add_costs(costs)
        cheapest = left[costs[left].argmin()]
        lost += costs[cheapest]
        scores[cheapest] = lost
        for state in states:
            state.remove(cheapest)
        left = left[left != cheapest]
    return scores


def _start(readers, ridge):
    """Return the states of the parts of a layer, in units of all its outputs."""
    products = [reader.sums.centred()[1] for reader in readers]
    columns = [np.array(reader.weight.T, np.float64) for reader in readers]
    energy = sum(np.sum(G @ V * V) for G, V in zip(products, columns, strict=True))
    if energy <= 0:
        return
    for reader, G, V in zip(readers, products, columns, strict=True):
        units = input_units(G)[:, None]
        C = np.linalg.inv(G / units / units.T + ridge * np.eye(len(G)))
        V *= np.where(G.diagonal()[:, None] > 0, units, 0)  # constants cost nothing
        yield _State(C, V / np.sqrt(energy), reader.groups)


class _State:
    """What is left of the inputs of a part of a layer."""

    def __init__(self, C, V, groups):
        self._C, self._V, self._groups = C, V, np.array(groups)
        self._find_places()

    def _find_places(self):
        numbers = np.unique(self._groups[self._groups >= 0])
        self._of = {g: np.flatnonzero(self._groups == g) for g in numbers}

    def add_costs(self, costs):
        """Add what the outputs lose without each group."""
        for size in {len(places) for places in self._of.values()}:
            same = {g: places for g, places in self._of.items() if len(places) == size}
            places = np.array(list(same.values()))
            V = self._V[places]
            C = self._C[places[:, :, None], places[:, None, :]]
            costs[list(same)] += np.sum(V * np.linalg.solve(C, V), axis=(1, 2))

    def remove(self, group):
        """Remove a group from the others."""
        gone = self._of.pop(group, None)
        if gone is None:
            return
        shares = np.linalg.solve(self._C[np.ix_(gone, gone)], self._C[gone])
        self._V -= shares.T @ self._V[gone]
        self._C -= self._C[:, gone] @ shares
        self._groups[gone] = _GONE
        if 2 * np.count_nonzero(self._groups == _GONE) > len(self._groups):
            self._close_up()

    def _close_up(self):
        left = np.flatnonzero(self._groups != _GONE)
        self._C, self._V = self._C[np.ix_(left, left)], self._V[left]
        self._groups = self._groups[left]
        self._find_places()


def choose_groups(scores, layers, n_removed):
    """Choose the groups of channels to keep, ranked over all layers.

    Parameters
    ----------
    scores : ndarray of shape (n_groups,)
        Importance of each group.

    layers : list of ndarray of int of shape (n_channels,)
        Group of each channel of each layer; -1 for channels that stay. A layer keeps at
        least one channel.

    n_removed : int
        Number of channels to remove.

    Returns
    -------
    keeps : ndarray of bool of shape (n_groups,)
        Among equal scores the first are kept.
    """
    counts = np.zeros((len(layers), len(scores)), np.int64)
    for row, groups in zip(counts, layers, strict=True):
        np.add.at(row, groups[groups >= 0], 1)
    left, sizes = np.array([len(groups) for groups in layers]), counts.sum(axis=0)
    keeps = np.ones(len(scores), bool)
    for group in np.lexsort((-np.arange(len(scores)), scores)):
        if n_removed >= sizes[group] / 2 and np.all(left > counts[:, group]):
            keeps[group] = False
            left -= counts[:, group]
            n_removed -= sizes[group]
    return keeps
