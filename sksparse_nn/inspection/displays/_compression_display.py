"""Accuracy against size and speed, with the Pareto front marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sksparse_nn._typing import MatrixLike
from sksparse_nn.compression import compression_report
from sksparse_nn.drawing._canvas import BLUE, ORANGE, take_axes

if TYPE_CHECKING:
    import pandas

_LABELS = {
    "bytes_disk": "bytes on disk",
    "bytes_memory": "bytes in memory",
    "latency_1": "seconds per prediction, one sample",
    "latency_256": "seconds per prediction, 256 samples",
    "multiply_adds": "multiply-adds per sample",
    "parameters": "parameters",
    "nonzero": "nonzero parameters",
    "r2": "coefficient of determination",
}

# With more points, only the first and those on the Pareto front are named.
_MOST_NAMES = 20


class CompressionDisplay:
    """Draw a report of `compression_report`.

    Parameters
    ----------
    report : pandas.DataFrame
        Result of `compression_report`; for several reports or their means, the drawn
        columns are sufficient.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing, one per cost.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    compression_report : Compute the report.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import NetQuantizer, SparseNetClassifier
    >>> from sksparse_nn.inspection import CompressionDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((64,), max_epochs=2, random_state=0).fit(X / 16, y)
    >>> small = NetQuantizer(net).fit(X / 16, y)
    >>> display = CompressionDisplay.from_estimators(
    ...     {"float": net, "int8": small}, X / 16, y
    ... )
    >>> len(display.axes_)
    2
    """

    def __init__(self, report: pandas.DataFrame) -> None:
        self.report = report

    @classmethod
    def from_estimators(
        cls,
        estimators: dict[str, BaseEstimator],
        X: MatrixLike,
        y: ArrayLike,
        *,
        costs: Sequence[str] = ("bytes_disk", "latency_1"),
        axes: Sequence | None = None,
    ) -> Self:
        """Measure fitted estimators and draw them.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples to measure accuracy and time on.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.

        costs : sequence of str, default=("bytes_disk", "latency_1")
            Columns of the report to draw accuracy against.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on, one per cost; None for a new figure.

        Returns
        -------
        display : CompressionDisplay
            The display, drawn.
        """
        return cls(compression_report(estimators, X, y)).plot(axes=axes, costs=costs)

    def plot(
        self,
        *,
        axes: Sequence | None = None,
        costs: Sequence[str] = ("bytes_disk", "latency_1"),
    ) -> Self:
        """Draw accuracy against costs, with a line along the Pareto front.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes to draw on, one per cost; None for a new figure.

        costs : sequence of str, default=("bytes_disk", "latency_1")
            Columns of the report.

        Returns
        -------
        display : CompressionDisplay
            The display itself.
        """
        size = 5.5 * len(costs), 4.5
        self.axes_ = take_axes(axes, len(costs), figsize=size, sharey=True)
        self.figure_ = self.axes_[0].figure
        for ax, cost in zip(self.axes_, costs, strict=True):
            self._draw(ax, cost)
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            Two sentences.
        """
        report, score = self.report, "r2" if "r2" in self.report else "accuracy"
        best, least = report[score].idxmax(), report["bytes_disk"].idxmin()
        return (
            f"{len(report)} models. The best, {best}, has {_LABELS.get(score, score)} "
            f"{report.loc[best, score]:.3f} in {report.loc[best, 'bytes_disk']:,.0f} "
            f"bytes; the smallest, {least}, {report.loc[least, score]:.3f} in "
            f"{report.loc[least, 'bytes_disk']:,.0f}."
        )

    def _draw(self, ax, cost):
        score = "r2" if "r2" in self.report else "accuracy"
        costs, scores = self.report[cost].to_numpy(), self.report[score].to_numpy()
        best = find_pareto_front(costs, scores)
        ax.plot(costs[best], scores[best], color=ORANGE, drawstyle="steps-post")
        ax.plot(costs, scores, "o", color=BLUE)
        ax.plot(costs[best], scores[best], "o", color=ORANGE)
        is_crowded = len(costs) > _MOST_NAMES
        named = sorted({0, *best.tolist()}) if is_crowded else range(len(costs))
        place = {"xytext": (-5, 3), "ha": "right"} if is_crowded else {"xytext": (4, 4)}
        for i in named:
            ax.annotate(
                self.report.index[i],
                (costs[i], scores[i]),
                textcoords="offset points",
                fontsize=8,
                **place,
            )
        ax.set(xscale="log", xlabel=_LABELS.get(cost, cost))
        ax.set_ylabel(_LABELS.get(score, score))
        ax.margins(x=0.35 if is_crowded else 0.15)
        ax.grid(alpha=0.3)


def find_pareto_front(costs, scores):
    """Find the models that no other model beats in both cost and score.

    Parameters
    ----------
    costs, scores : ndarray of shape (n,)
        Costs, lower is better; scores, higher is better.

    Returns
    -------
    best : ndarray of int
        Indices in order of increasing cost.
    """
    order = np.lexsort([-scores, costs])
    before = np.maximum.accumulate(np.r_[-np.inf, scores[order][:-1]])
    return order[scores[order] > before]
