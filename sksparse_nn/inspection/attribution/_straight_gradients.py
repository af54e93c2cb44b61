"""Gradients along lines through layers that are straight up to a kink at zero."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

# Up to so many units ahead of the last kinks, each of which cuts a line into one piece
# more, pieces take less time than points.
_MOST_UNITS = 1024

# Numbers in memory at a time.
_ROOM = 2**21


def take_less_time(layers):
    """Tell whether pieces between kinks take less time than points.

    Parameters
    ----------
    layers : list of Layer
        The network.

    Returns
    -------
    take_less_time : bool
        Of many units, lines are cut into too many pieces.
    """
    return sum(len(layer.bias) for layer in layers[:-2]) <= _MOST_UNITS


def straight_gradients(layers, Z, start, which):
    """Average gradients along lines, piece by piece between kinks.

    Parameters
    ----------
    layers : list of Layer
        The network.

    Z, start : ndarray of shape (n_samples, n_inputs)
        Ends and beginnings of the lines.

    which : ndarray of int of shape (n_samples, n_targets)
        Outputs that are wanted of each row.

    Returns
    -------
    gradients : ndarray of shape (n_samples, n_targets, n_inputs)
        Exact but for rounding.
    """
    out = np.empty((*which.shape, Z.shape[1]))
    widths = [len(layer.bias) for layer in layers[:-1]]
    n_pieces = 1 + sum(widths[:-1])
    size = max(1, _ROOM // (n_pieces * which.shape[1] * max(widths, default=1)))
    for begin in range(0, len(Z), size):
        part = slice(begin, begin + size)
        out[part] = _of_block(layers, Z[part], start[part], which[part])
    return out


def _of_block(layers, Z, start, which):
    first, *others, last = layers if len(layers) > 1 else [None, *layers]
    if first is None:
        return last.weight[which]
    lines = _Pieces.whole(first.apply(start), (Z - start) @ first.weight.T)
    if not others:
        slopes = lines.mean_slopes(first.slope)[:, None]
        return last.weight[which] * slopes @ first.weight
    bends, pieces = _through_first(lines, first.slope, others[0])
    slopes = []
    for layer, behind in pairwise(others):
        parents, pieces = pieces.cut()
        bends = bends.cut(parents)
        slopes = [slope[parents] for slope in slopes]
        slopes.append(pieces.slopes(layer.slope))
        pieces = pieces.through(slopes[-1], behind)
    slopes.append(pieces.mean_slopes(others[-1].slope))
    gradients = last.weight[which][pieces.owners] * slopes.pop()[:, None]
    for layer in others[:0:-1]:
        gradients = gradients @ layer.weight * slopes.pop()[:, None]
    gradients *= (pieces.ends - pieces.begins)[:, None, None]
    return bends.back(gradients, pieces.owners, others[0]) @ first.weight


def _through_first(lines, slope, behind):
    """Cut lines by the first layer, and return the sums of the one behind it.

    From a piece to the next a single unit bends, so that its weights alone are added.
    """
    pieces = lines.cut()[1]
    is_start = pieces.units < 0
    below = np.broadcast_to(slope, lines.values.shape[1:])[pieces.units]
    at = np.arange(len(is_start)), pieces.units
    jumps = np.where(pieces.rates[at] > 0, 1 - below, below - 1)
    columns = np.ascontiguousarray(behind.weight.T)[pieces.units]
    starts, sums = pieces.take(is_start), []
    slopes = starts.slopes(slope)
    for part, first in ((pieces.values, starts.values), (pieces.rates, starts.rates)):
        added = columns * (jumps * part[at])[:, None]
        added[is_start] = slopes * first @ behind.weight.T
        sums.append(_added_up(added, is_start))
    ends = pieces.take(np.append(is_start[1:], True)).slopes(slope)
    bends = _Bends(pieces.units, jumps, ends)
    return bends, replace(pieces, values=sums[0] + behind.bias, rates=sums[1])


def _added_up(parts, is_start):
    """Add up along pieces, anew for each line."""
    # Many times as fast as cumsum along the first axis.
    for piece in np.flatnonzero(~is_start):
        parts[piece] += parts[piece - 1]
    return parts


@dataclass(frozen=True)
class _Bends:
    """Where the first layer bends.

    Attributes
    ----------
    units : ndarray of int of shape (n_pieces,)
        The unit that crosses zero where a piece begins, -1 if there is none.

    jumps : ndarray of shape (n_pieces,)
        What its slope grows by.

    ends : ndarray of shape (n_lines, n_units)
        Slopes at the ends of lines.
    """

    units: np.ndarray
    jumps: np.ndarray
    ends: np.ndarray

    def cut(self, parents):
        # The first of the pieces that another is cut into begins where it began.
        is_first = np.diff(parents, prepend=-1) != 0
        units = np.where(is_first, self.units[parents], -1)
        return replace(self, units=units, jumps=self.jumps[parents])

    def back(self, gradients, owners, behind):
        # Each unit has its last slope on the whole line, and its first one before it
        # bends.
        is_start = np.diff(owners, prepend=-1) != 0
        sums = _added_up(gradients, is_start)
        out = sums[np.append(is_start[1:], True)] @ behind.weight * self.ends[:, None]
        bent = np.flatnonzero(self.units >= 0)
        units, lines = self.units[bent], owners[bent]
        columns = np.ascontiguousarray(behind.weight.T)[units]
        before = np.matmul(sums[bent - 1], columns[:, :, None])[:, :, 0]
        out[lines, :, units] -= self.jumps[bent, None] * before
        return out


@dataclass(frozen=True)
class _Pieces:
    """Pieces of lines, and sums of a layer that are straight on each.

    Attributes
    ----------
    owners : ndarray of int of shape (n_pieces,)
        The line of each, ascending.

    begins, ends : ndarray of shape (n_pieces,)
        Where they are on their line, from zero to one.

    values, rates : ndarray of shape (n_pieces, n_units)
        Sums are these values, those at the line's beginning, plus rates times places.

    units : ndarray of int of shape (n_pieces,)
        The unit whose sum is zero where a piece begins, -1 if there is none.
    """

    owners: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    values: np.ndarray
    rates: np.ndarray
    units: np.ndarray

    @classmethod
    def whole(cls, values, rates):
        # Return a piece a line.
        n = len(values)
        units = np.full(n, -1)
        return cls(np.arange(n), np.zeros(n), np.ones(n), values, rates, units)

    def cut(self):
        # Cut where sums cross zero; return also the piece that each comes from.
        begins, ends = self.begins[:, None], self.ends[:, None]
        crossings = self._crossings()
        parents, units = np.nonzero((crossings > begins) & (crossings < ends))
        places = np.append(self.begins, crossings[parents, units])
        units = np.append(np.full(len(self.owners), -1), units)
        parents = np.append(np.arange(len(self.owners)), parents)
        order = np.lexsort([places, parents])
        parents, begins = parents[order], places[order]
        ends = np.append(begins[1:], 0.0)
        is_last = np.append(parents[1:] != parents[:-1], True)
        ends[is_last] = self.ends[parents[is_last]]
        pieces = _Pieces(
            self.owners[parents],
            begins,
            ends,
            self.values[parents],
            self.rates[parents],
            units[order],
        )
        return parents, pieces

    def take(self, chosen):
        # Return some of the pieces.
        return _Pieces(*(field[chosen] for field in vars(self).values()))

    def slopes(self, below):
        # Return what sums are multiplied by, of pieces that no sum crosses zero in.
        middles = (self.begins + self.ends)[:, None] / 2
        return np.where(self.values + self.rates * middles > 0, 1.0, below)

    def mean_slopes(self, below):
        # Return what sums are multiplied by in the mean of each piece.
        begins, ends = self.begins[:, None], self.ends[:, None]
        crossings = np.clip(self._crossings(), begins, ends)
        after = (ends - crossings) / np.maximum(ends - begins, np.finfo(float).tiny)
        above = np.where(self.rates > 0, after, 1 - after)
        above = np.where(self.rates == 0, self.values > 0, above)
        return below + (1 - below) * above

    def through(self, slopes, layer):
        # Return the sums of the next layer.
        rates = self.rates * slopes @ layer.weight.T
        return replace(self, values=layer.apply(self.values * slopes), rates=rates)

    def _crossings(self):
        """Return where sums are zero, one where they do not change."""
        moves = self.rates != 0
        return np.where(moves, -self.values / np.where(moves, self.rates, 1), 1.0)
