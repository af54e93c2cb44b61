"""Groups of features, and matrices with one block per group."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np


@dataclass(frozen=True)
class Run:
    """Neighbouring groups of equal width, which fit one three-way array.

    Attributes
    ----------
    start : int
        Position of the first feature.

    n_groups : int
        Number of groups.

    width : int
        Features per group.

    columns : slice
        All features of the run.
    """

    start: int
    n_groups: int
    width: int

    @property
    def columns(self):
        return slice(self.start, self.start + self.n_groups * self.width)

    def split(self, Y):
        """Split the run's columns of a matrix by group.

        Parameters
        ----------
        Y : ndarray of shape (n_rows, n_features)
            C-contiguous, its columns arranged by group.

        Returns
        -------
        columns : ndarray of shape (n_groups, n_rows, width)
            A view.
        """
        columns = Y[:, self.columns]
        return columns.reshape(len(Y), self.n_groups, self.width).transpose(1, 0, 2)


class Partition:
    """Features arranged so that those of each group are adjacent.

    Parameters
    ----------
    labels : ndarray of shape (n_features,)
        Group of each feature, 0 to n_groups - 1, none empty.

    Attributes
    ----------
    order : ndarray of shape (n_features,) or None
        Features arranged by group; None if they already are.

    widths : ndarray of shape (n_groups,)
        Features per group.

    n_features : int
        Number of features.

    n_products : int
        Number of pairs of features that share a group.

    widest : int
        Features of the largest group.

    columns : list of slice
        Arranged features of each group.

    runs : list of Run
        Neighbouring groups of equal width.
    """

    def __init__(self, labels):
        self.labels = labels
        self.widths = np.bincount(labels)
        is_arranged = len(self.widths) == 1 or (np.diff(labels) >= 0).all()
        self.order = None if is_arranged else np.argsort(labels, kind="stable")
        self.n_features = len(labels)
        self.n_products = int((self.widths.astype(np.int64) ** 2).sum())
        self.widest = int(self.widths.max())

    @cached_property
    def columns(self):
        stops = np.cumsum(self.widths).tolist()
        return [slice(*pair) for pair in zip([0, *stops], stops, strict=False)]

    @cached_property
    def runs(self):
        runs, start = [], 0
        for width, groups in groupby(self.widths.tolist()):
            run = Run(start, len(list(groups)), width)
            runs.append(run)
            start = run.columns.stop
        return runs

    def check_same(self, other):
        """Check that another partition has the same groups.

        Parameters
        ----------
        other : Partition
            Of as many features.

        Raises
        ------
        ValueError
            If its groups are others.
        """
        if not np.array_equal(self.labels, other.labels):
            raise ValueError(
                f"Statistics of the same groups of features can be merged. Got "
                f"{len(self.widths)} and {len(other.widths)} groups, or other labels; "
                "fit both with the same groups."
            )

    def features(self, group):
        """Return the features of a group.

        Parameters
        ----------
        group : int
            The group.

        Returns
        -------
        features : slice or ndarray of int
            A slice if they are adjacent.
        """
        columns = self.columns[group]
        return columns if self.order is None else self.order[columns]

    def arrange(self, X):
        """Arrange the columns of a matrix by group.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_rows, n_features)
            The matrix.

        Returns
        -------
        arranged : ndarray or CSR matrix of shape (n_rows, n_features)
            `X` itself if its columns are arranged already.
        """
        return X if self.order is None else X[:, self.order]

    def restore(self, values):
        """Put arranged features back in their original order.

        Parameters
        ----------
        values : ndarray of shape (..., n_features)
            Arranged by group.

        Returns
        -------
        restored : ndarray of shape (..., n_features)
            `values` itself if the orders are the same.
        """
        if self.order is None:
            return values
        restored = np.empty_like(values)
        restored[..., self.order] = values
        return restored

    def blocks(self, flat):
        """Split the products of all groups into square matrices.

        Parameters
        ----------
        flat : ndarray of shape (n_products,)
            Products of two features of one group.

        Returns
        -------
        blocks : list of ndarray of shape (n_groups of the run, width, width)
            A view for each run.
        """
        blocks, start = [], 0
        for run in self.runs:
            stop = start + run.n_groups * run.width**2
            shape = run.n_groups, run.width, run.width
            blocks.append(flat[start:stop].reshape(shape))
            start = stop
        return blocks

    def grams(self, Y, weights=None):
        """Multiply the columns of each group with each other.

        Parameters
        ----------
        Y : ndarray of shape (n_rows, n_features)
            Arranged by group, C-contiguous.

        weights : ndarray of shape (n_rows,) or None, default=None
            Weight of the product of each row; None for one.

        Returns
        -------
        flat : ndarray of shape (n_products,)
            See `blocks`.
        """
        if len(self.widths) == 1 and weights is None:
            return (Y.T @ Y).ravel()
        flat = np.empty(self.n_products, Y.dtype)
        right = Y if weights is None else weights[:, None] * Y
        for run, out in zip(self.runs, self.blocks(flat), strict=True):
            columns = run.split(Y)
            np.matmul(columns.transpose(0, 2, 1), run.split(right), out=out)
        return flat


def partition_features(groups, n_features):
    """Read the parameter `groups`.

    Parameters
    ----------
    groups : None, int or array-like of shape (n_features,)
        One group, groups of that many neighbours, or one label per feature; labelled
        groups are numbered in order of first appearance.

    n_features : int
        Number of features.

    Returns
    -------
    partition : Partition
        The groups.

    Raises
    ------
    ValueError
        If there is not one label per feature.
    """
    if groups is None:
        return Partition(np.zeros(n_features, np.intp))
    if np.ndim(groups) == 0:
        return Partition(np.arange(n_features) // groups)
    labels = np.asarray(groups)
    if labels.shape != (n_features,):
        raise ValueError(
            f"groups must have one label for each of the {n_features} features of X. "
            f"Got shape {labels.shape}; give one label per feature, or an int for "
            f"groups of neighbouring features."
        )
    return Partition(_number(labels))


def _number(labels):
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.intp)
    number[np.argsort(first)] = np.arange(len(first))
    return number[inverse]
