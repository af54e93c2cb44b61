"""Curves of deletion and insertion beside those of random orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn.drawing._canvas import BLUE, ORANGE, take_axes
from sksparse_nn.inspection.attribution._faithfulness import deletion_curves

_LABELS = {"r2": "coefficient of determination"}


class DeletionCurvesDisplay:
    """Draw the result of `deletion_curves`.

    Parameters
    ----------
    curves : sklearn.utils.Bunch
        Result of `deletion_curves`.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing: deletion, and insertion.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    deletion_curves : Compute the curves.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer
    >>> from sksparse_nn.inspection import DeletionCurvesDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(
    ...     TruncatedSVDReducer(16), SparseNetClassifier((), max_epochs=5)
    ... ).fit(X / 16, y)
    >>> display = DeletionCurvesDisplay.from_estimator(model, X[:200] / 16, y[:200])
    >>> display.curves.deletion.shape
    (11,)
    """

    def __init__(self, curves: Bunch) -> None:
        self.curves = curves

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike | Sequence[str],
        y: ArrayLike,
        *,
        n_points: int = 11,
        n_random: int = 5,
        tol: float = 1e-2,
        random_state: Seed = None,
        axes: Sequence | None = None,
    ) -> Self:
        """Compute the curves of a fitted estimator and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted, as in `attribute`.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        y : array-like of shape (n_samples,)
            Their classes, or targets.

        n_points : int, default=11
            Number of shares of atoms to remove, from none to all.

        n_random : int, default=5
            Number of random orders to compare with.

        tol : float, default=1e-2
            Passed to `attribute`.

        random_state : int, RandomState instance or None, default=None
            Source of the random orders.

        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : DeletionCurvesDisplay
            The display, drawn.
        """
        curves = deletion_curves(
            estimator,
            X,
            y,
            n_points=n_points,
            n_random=n_random,
            tol=tol,
            random_state=random_state,
        )
        return cls(curves).plot(axes=axes)

    def plot(self, *, axes: Sequence | None = None) -> Self:
        """Draw both curves, and the mean and the range of the random ones.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : DeletionCurvesDisplay
            The display itself.
        """
        self.axes_ = take_axes(axes, 2, figsize=(7, 3.5), sharey=True)
        self.figure_ = self.axes_[0].figure
        for ax, kind in zip(self.axes_, ("deletion", "insertion"), strict=True):
            self._draw(ax, kind)
        name = self.curves.score_name
        self.axes_[0].set_ylabel(_LABELS.get(name, name))
        self.axes_[0].set_xlabel("% of a sample's atoms removed")
        self.axes_[1].set_xlabel("% of a sample's atoms inserted")
        self.axes_[1].legend(loc="lower right", fontsize=8)
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        name = _LABELS.get(self.curves.score_name, self.curves.score_name)
        return (
            f"As atoms are removed in order of their contribution, {name} averages "
            f"{self._means('deletion')}; as they are inserted, "
            f"{self._means('insertion')}."
        )

    def _means(self, kind):
        random = self.curves[f"random_{kind}"]
        text = f"{np.mean(self.curves[kind]):.3f}"
        return text + (f" ({random.mean():.3f} in random order)" if len(random) else "")

    def _draw(self, ax, kind):
        shares, random = 100 * self.curves.shares, self.curves[f"random_{kind}"]
        if len(random):
            low, high = random.min(axis=0), random.max(axis=0)
            ax.fill_between(shares, low, high, color=ORANGE, alpha=0.25, linewidth=0)
            label = f"{len(random)} random orders: mean, range"
            ax.plot(shares, random.mean(axis=0), "--", color=ORANGE, label=label)
        label = "by contribution"
        ax.plot(shares, self.curves[kind], "o-", color=BLUE, markersize=4, label=label)
        ax.set_title(kind, fontsize=10)
        ax.grid(alpha=0.3)
