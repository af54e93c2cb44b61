"""Gradients along lines through layers that are straight up to a kink at zero."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from torch import nn

from sksparse_nn.modules._perceptron import Perceptron

# Up to so many units ahead of the last kinks, each of which cuts a line into one piece
# more, pieces take less time than points.
_MOST_UNITS = 1024

# Numbers in memory at a time.
_ROOM = 2**21


@dataclass(frozen=True)
class Layer:
    """Products of rows, and what becomes of those below zero.

    Attributes
    ----------
    weight : ndarray of shape (n_units, n_inputs)
        What rows are multiplied by.

    bias : ndarray of shape (n_units,)
        Added to the products.

    slope : float or ndarray of shape (n_units,), default=1.0
        Multiplies sums that are not above zero.
    """

    weight: np.ndarray
    bias: np.ndarray
    slope: np.ndarray | float = 1.0

    def then(self, other):
        # Return this layer, that has no kink, and one behind it as one.
        weight = other.weight @ self.weight
        return replace(other, weight=weight, bias=other.apply(self.bias))

    def apply(self, rows):
        # Return the sums of rows.
        return rows @ self.weight.T + self.bias


def read_layers(module, width):
    """Read a module whose outputs are straight between kinks.

    Parameters
    ----------
    module : torch.nn.Module
        In double precision, evaluating.

    width : int
        Of its input.

    Returns
    -------
    layers : list of Layer or None
        All but the last one with a kink; None if there are other layers, or so many
        units that points take less time.
    """
    layers, last = [], None
    for part in _leaves(module):
        if type(part) not in _KINDS or _is_hooked(part):
            return None
        found = _KINDS[type(part)](part)
        if isinstance(found, Layer):
            last = found if last is None else last.then(found)
        elif found is not None:
            layers.append(replace(last or _same(width), slope=found))
            last, width = None, len(layers[-1].bias)
    last = last or _same(width)
    n_units = sum(len(layer.bias) for layer in layers[:-1])
    return None if n_units > _MOST_UNITS else [*layers, last]


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


def _leaves(module):
    if type(module) in (nn.Sequential, Perceptron) and not _is_hooked(module):
        return [leaf for child in module for leaf in _leaves(child)]
    return [module]


def _is_hooked(module):
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _same(width):
    return Layer(np.eye(width), np.zeros(width))


def _of_linear(part):
    weight = part.weight.detach().numpy()
    bias = np.zeros(len(weight)) if part.bias is None else part.bias.detach().numpy()
    return Layer(weight, bias)


def _of_batch_norm(part):
    scale = 1 / (part.running_var + part.eps).sqrt()
    scale = scale if part.weight is None else scale * part.weight.detach()
    shift = 0 if part.bias is None else part.bias.detach()
    shift = shift - part.running_mean * scale
    return Layer(np.diag(scale.numpy()), shift.numpy())


# Layers that leave rows as they are say None, those with a kink a slope.
_KINDS = {
    nn.Linear: _of_linear,
    nn.BatchNorm1d: _of_batch_norm,
    nn.ReLU: lambda part: 0.0,
    nn.LeakyReLU: lambda part: part.negative_slope,
    nn.PReLU: lambda part: part.weight.detach().numpy(),
    nn.Identity: lambda part: None,
    nn.Dropout: lambda part: None,
    nn.Flatten: lambda part: None,
}
