"""Mean gradients along lines, sampled adaptively where the gradient bends.

Each part of a line has the points of a Chebyshev polynomial of degree twelve. The sum
of the last coefficients of the polynomial of a contribution bounds its error: by far
for a smooth gradient, and also for one with a jump, where the coefficients stay large
until the part is cut at the jump. Errors of contributions are summed, never the
contributions, as those of opposite signs cancel.
"""

from dataclasses import dataclass

import numpy as np

_DEGREE = 12
_ANGLES = np.pi * np.arange(_DEGREE + 1) / _DEGREE
_PLACES = (1 - np.cos(_ANGLES)) / 2
_COEFFICIENTS = np.cos(np.outer(np.arange(_DEGREE + 1), _ANGLES)) * 2 / _DEGREE
_COEFFICIENTS[:, [0, -1]] /= 2
_COEFFICIENTS[[0, -1]] /= 2

# The mean of a polynomial is that of its even parts.
_WEIGHTS = (1 / (1 - np.arange(0, _DEGREE + 1, 2) ** 2)) @ _COEFFICIENTS[::2]

# The largest of these is more than a jump costs, wherever it is: 1.09 would do.
_TAIL = 1.3 * _COEFFICIENTS[-3:]

# Distance of points from the ends of their part, where the jumps are.
_MARGIN = 1e-9

# Most points per line.
_MOST = 4096


def average_gradients(slopes, directions, changes, tol, floor):
    """Average gradients along lines until contributions do not change.

    Parameters
    ----------
    slopes : callable
        Takes lines, an ndarray of int of shape (n_parts,), and places on them, zero to
        one, of shape (n_parts, n_points); returns values of that shape and gradients of
        shape (n_parts, n_points, n_inputs).

    directions : ndarray of shape (n_lines, n_inputs)
        Ends of the lines minus their beginnings.

    changes : ndarray of shape (n_lines,)
        Sums of contributions, the products of directions and mean gradients.

    tol : float
        Error that a contribution may have, as a share of the largest of its line.

    floor : float
        Error that is always allowed.

    Returns
    -------
    gradients : ndarray of shape (n_lines, n_inputs)
        Mean gradients.

    errors : ndarray of shape (n_lines,)
        Bounds on the errors of contributions.
    """
    lines = _Lines(slopes, directions, tol)
    parts = lines.make_parts()
    while True:
        added = lines.gradients * directions
        allowed = np.maximum(tol * np.abs(added).max(axis=1, initial=0.0), floor)
        errors = lines.errors()
        n_parts = np.bincount(parts.lines, minlength=len(directions))
        # If a sum is missed although no part bends, all parts have too few points.
        missed = np.abs(changes - added.sum(axis=1)) > allowed
        least = np.where(missed & (errors <= allowed), -1, allowed / (2 * n_parts))
        is_open = (missed | (errors > allowed)) & (lines.n_points < _MOST)
        chosen = (is_open[parts.lines]) & (
            parts.errors.max(axis=1, initial=0.0) > least[parts.lines]
        )
        if not chosen.any():
            return lines.gradients, errors
        parts = parts.replace(chosen, lines.halve(parts.take(chosen)))


@dataclass
class _Parts:
    """Parts of lines.

    Attributes
    ----------
    lines : ndarray of int of shape (n_parts,)
        The line of each.

    begins, ends, cuts : ndarray of shape (n_parts,)
        Where they begin and end on their line, and where to cut them.

    sums : ndarray of shape (n_parts, n_inputs)
        Integrals of the gradient.

    errors : ndarray of shape (n_parts, n_inputs)
        Bounds on the errors of contributions.
    """

    lines: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    cuts: np.ndarray
    sums: np.ndarray
    errors: np.ndarray

    def take(self, chosen):
        # Return a selection of the parts.
        return _Parts(*(field[chosen] for field in vars(self).values()))

    def replace(self, chosen, others):
        # Replace some of the parts by others.
        kept = self.take(~chosen)
        fields = zip(vars(kept).values(), vars(others).values(), strict=True)
        return _Parts(*(np.concatenate(pair) for pair in fields))


class _Lines:
    """Lines, and the gradients along them so far."""

    def __init__(self, slopes, directions, tol):
        self._slopes, self._directions, self._tol = slopes, directions, tol
        self.gradients = np.zeros(directions.shape)
        self.n_points = np.zeros(len(directions), dtype=np.intp)
        self._sums, self._squares = np.zeros((2, *directions.shape))

    def errors(self):
        # Bound the errors of contributions over all parts of a line: for many parts by
        # two standard deviations, as their signs differ.
        roots = np.sqrt(np.maximum(self._squares, 0))
        return np.minimum(self._sums, 2 * roots).max(axis=1, initial=0.0)

    def make_parts(self):
        # Return one part per line.
        n = len(self.gradients)
        return self._parts(np.arange(n), np.zeros(n), np.ones(n))

    def halve(self, parts):
        # Cut parts in two.
        self._add(parts, -1)
        return self._parts(
            np.concatenate([parts.lines, parts.lines]),
            np.concatenate([parts.begins, parts.cuts]),
            np.concatenate([parts.cuts, parts.ends]),
        )

    def _add(self, parts, sign):
        np.add.at(self.gradients, parts.lines, sign * parts.sums)
        np.add.at(self._sums, parts.lines, sign * parts.errors)
        np.add.at(self._squares, parts.lines, sign * parts.errors**2)

    def _parts(self, lines, begins, ends):
        """Evaluate parts, and add them to the gradients."""
        lengths, directions = ends - begins, self._directions[lines]
        inside = _MARGIN + (1 - 2 * _MARGIN) * _PLACES
        places = begins[:, None] + lengths[:, None] * inside
        values, gradients = self._slopes(lines, places)
        sums = lengths[:, None] * (_WEIGHTS @ gradients)
        bends = np.abs(_TAIL @ gradients).max(axis=1) * np.abs(directions)
        errors = lengths[:, None] * bends
        np.add.at(self.n_points, lines, len(_PLACES))
        cuts = (begins + ends) / 2
        largest = np.abs(sums * directions).max(axis=1, initial=0.0)
        some = errors.max(axis=1, initial=0.0) > self._tol * largest
        meeting = _find_jumps(
            places[some], values[some], gradients[some], directions[some]
        )
        cuts[some] = np.where(np.isnan(meeting), cuts[some], meeting)
        parts = _Parts(lines, begins, ends, cuts, sums, errors)
        self._add(parts, 1)
        return parts


def _find_jumps(places, values, gradients, directions):
    """Return where the gradient jumps, if there is one jump; NaN if there is not.

    Tangents on both sides of a jump meet in it.
    """
    steps = np.abs(np.diff(gradients, axis=1) * directions[:, None])
    steps = steps.max(axis=2, initial=0.0)
    before = steps.argmax(axis=1)[:, None]
    slopes = np.einsum("ijk,ik->ij", gradients, directions)
    (t0, t1), (f0, f1), (s0, s1) = (
        [np.take_along_axis(part, at, axis=1)[:, 0] for at in (before, before + 1)]
        for part in (places, values, slopes)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        meeting = (f1 - f0 + s0 * t0 - s1 * t1) / (s0 - s1)
    is_jump = 2 * steps.max(axis=1, initial=0.0) > steps.sum(axis=1)
    return np.where(is_jump & (t0 < meeting) & (meeting < t1), meeting, np.nan)
