"""Rules of cells: missing, infinite, and out of the limits of a column."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

# The least ratio of a cell that is out of limits.
_OUT = np.nextafter(1.0, 2.0)


@dataclass(frozen=True)
class Cells:
    """Cells of a block of rows; the arrays are broadcast against each other.

    Attributes
    ----------
    rows, columns : ndarray of int
        Where the cells are, in the block.

    values : ndarray
        Their numbers, of two dimensions if every row has the same columns.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    def find(self, mask):
        """Return rows, columns and values of chosen cells.

        Parameters
        ----------
        mask : ndarray of bool
            In the shape of the values.

        Returns
        -------
        rows, columns, values : ndarray of shape (n_chosen,)
            In order.
        """
        whole = (self.rows, self.columns, self.values)
        return tuple(np.broadcast_to(part, mask.shape)[mask] for part in whole)

    def raise_to(self, ratios, found):
        """Raise a number per row to the largest of its cells.

        Parameters
        ----------
        ratios : ndarray
            A number per cell.

        found : ndarray of shape (n_rows,)
            Written to.
        """
        if ratios.ndim == 2 and ratios.shape[1]:
            np.maximum(found, ratios.max(axis=1), out=found)
        elif ratios.ndim == 1:
            np.maximum.at(found, self.rows, ratios)


def screen_cells(samples, limits, rules, exclusions):
    """Find the cells that break a rule, and how far rows are from the limits.

    Parameters
    ----------
    samples : Samples
        Rows.

    limits : Limits
        Limits of the columns of numbers.

    rules : collection of str
        Names of the rules in force.

    exclusions : Exclusions
        Takes the lines.

    Returns
    -------
    ratios : ndarray of shape (n_samples,)
        Largest distance of a cell from the median of its column, relative to that of
        the limit: above one exactly where a rule is broken.
    """
    ratios, features = np.zeros(len(samples)), samples.columns
    filled = _find_filled(limits)
    for start, block in samples.blocks():
        found = ratios[start : start + block.shape[0]]
        for cells in _list_cells(block, filled):
            own, broken = _judge(cells, limits, rules)
            cells.raise_to(own, found)
            for rule, (mask, bound) in broken.items():
                rows, columns, values = cells.find(mask)
                exclusions.add(
                    rule,
                    rows + start,
                    columns=features[columns],
                    values=values,
                    limits=np.broadcast_to(bound, mask.shape)[mask],
                )
    return ratios


def _find_filled(limits):
    """Find the columns in which a zero that is not stored matters."""
    is_out = (limits.lower > 0) | (limits.upper < 0)
    return np.flatnonzero(is_out | (limits.middle != 0))


def _list_cells(block, filled):
    """List the cells of a block; of a CSR matrix only those that matter."""
    rows = np.arange(block.shape[0])[:, None]
    if not sparse.issparse(block):
        return [Cells(rows, np.arange(block.shape[1])[None], block)]
    stored = np.repeat(rows[:, 0], np.diff(block.indptr))
    is_filled = np.zeros(block.shape[1], dtype=bool)
    is_filled[filled] = True
    kept = ~is_filled[block.indices]
    others = Cells(stored[kept], block.indices[kept], block.data[kept])
    if not len(filled):
        return [others]
    return [others, Cells(rows, filled[None], block[:, filled].toarray())]


def _judge(cells, limits, rules):
    """Return the ratio of each cell, and the broken rules with what they allow."""
    values, at = cells.values, cells.columns
    lower, upper, middle = limits.lower[at], limits.upper[at], limits.middle[at]
    is_low, is_high = values < lower, values > upper
    with np.errstate(all="ignore"):
        is_above = values > middle
        reach = np.where(is_above, upper - middle, middle - lower)
        ratios = np.nan_to_num(np.abs(values - middle) / reach, nan=0.0, posinf=np.inf)
    is_out = is_low | is_high
    ratios = np.where(is_out, np.maximum(ratios, _OUT), np.minimum(ratios, 1.0))
    broken = {}
    for rule, test in (("missing", np.isnan), ("infinite", np.isinf)):
        mask = test(values)
        if rule in rules and mask.any():
            broken[rule] = mask, np.nan
            ratios[mask] = np.inf
            is_out &= ~mask
    if is_out.any():
        broken["range"] = is_out, np.where(is_low, lower, upper)
    return ratios, broken
