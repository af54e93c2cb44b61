"""What comes back from chunks: a sum, and whether chunks are alike."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """What must be equal in all chunks."""

    shape: tuple  # of a sample
    names: tuple | None  # of columns
    dtype: str

    def __str__(self):
        if self.names is None:
            return f"samples of shape {self.shape} in {self.dtype}"
        first, more = ", ".join(self.names[:5]), ", ..." if len(self.names) > 5 else ""
        return f"{len(self.names)} columns ({first}{more}) in {self.dtype}"


def read_layout(X):
    """Return the layout of samples.

    Parameters
    ----------
    X : array-like, sparse matrix or table
        Samples.

    Returns
    -------
    layout : Layout or None
        None for what has no shape, such as texts.
    """
    shape = getattr(X, "shape", ())
    if len(shape) < 2:
        return None
    if hasattr(X, "columns"):
        return Layout(shape[1:], tuple(map(str, X.columns)), _common_type(X.dtypes))
    return Layout(tuple(shape[1:]), None, str(X.dtype))


def _common_type(dtypes):
    kinds = set(dtypes)
    if all(isinstance(kind, np.dtype) for kind in kinds):
        return str(np.result_type(*kinds))
    return " and ".join(sorted(map(str, kinds)))


@dataclass(frozen=True)
class Part:
    """What some chunks have given.

    Parameters
    ----------
    total : object or None, default=None
        Sum of what a round has read; None if no chunk had samples for it.

    layouts : dict of Layout to tuple, default={}
        Number and name of the first chunk of each layout.
    """

    total: object = None
    layouts: dict = field(default_factory=dict)

    def merge(self, other):
        """Return the part of the chunks of both; neither changes."""
        layouts = dict(self.layouts)
        for layout, first in other.layouts.items():
            layouts[layout] = min(first, layouts.get(layout, first))
        if len(layouts) > 1:
            return Part(None, layouts)  # its sum would be an error
        return Part(_merge(self.total, other.total), layouts)


def _merge(one, other):
    if one is None or other is None:
        return other if one is None else one
    return one.merge(other)


def add_up(parts):
    """Add up parts by a tree, the same for any number of workers.

    No more parts are kept at a time than the tree is deep.

    Parameters
    ----------
    parts : iterable of Part
        In the order of the chunks.

    Returns
    -------
    part : Part
        Their sum; without any, an empty one.
    """
    waiting = []
    for part in parts:
        depth = 0
        while waiting and waiting[-1][0] == depth:
            part, depth = waiting.pop()[1].merge(part), depth + 1
        waiting.append((depth, part))
    total = waiting.pop()[1] if waiting else Part()
    while waiting:
        total = waiting.pop()[1].merge(total)
    return total


def check_alike(layouts):
    """Check that all chunks have one layout.

    Parameters
    ----------
    layouts : dict of Layout to tuple
        Number and name of the first chunk of each.

    Raises
    ------
    ValueError
        If there are several.
    """
    if len(layouts) > 1:
        first, other = sorted(layouts, key=layouts.get)[:2]
        raise ValueError(
            f"{layouts[other][1]} must have what {layouts[first][1]} has: {first}. Got "
            f"{other}; give all chunks the same features in the same order and type."
        )
