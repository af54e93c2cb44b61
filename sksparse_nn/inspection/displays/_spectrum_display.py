"""Singular values, and their cumulative share of the energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sksparse_nn.drawing._canvas import BLUE, ORANGE, take_axes
from sksparse_nn.inspection.atoms._codes import find_coder


class SpectrumDisplay:
    """Draw the spectrum of a singular value decomposition.

    Parameters
    ----------
    singular_values : ndarray of shape (n_components,)
        Singular values.

    explained_ratio : ndarray of shape (n_components,)
        Share of the energy of all features that each component keeps.

    groups : ndarray of int of shape (n_components,), default=None
        Group of each component; None for one group.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing: singular values, and shares.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    sksparse_nn.TruncatedSVDReducer : Truncated SVD, optionally by groups of features.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import TruncatedSVDReducer
    >>> from sksparse_nn.inspection import SpectrumDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> display = SpectrumDisplay.from_estimator(TruncatedSVDReducer(20).fit(X))
    >>> len(display.axes_)
    2
    """

    def __init__(
        self,
        singular_values: NDArray,
        explained_ratio: NDArray,
        *,
        groups: NDArray | None = None,
    ) -> None:
        self.singular_values = singular_values
        self.explained_ratio = explained_ratio
        self.groups = groups

    @classmethod
    def from_estimator(
        cls, reducer: BaseEstimator, *, axes: Sequence | None = None
    ) -> Self:
        """Draw the spectrum of a fitted reducer.

        Parameters
        ----------
        reducer : transformer
            With ``singular_values_`` and ``explained_variance_ratio_``, such as
            `TruncatedSVDReducer`, or a pipeline of transformers that ends in one.

        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : SpectrumDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the reducer has no singular values.
        """
        last = find_coder(reducer)
        if not hasattr(last, "singular_values_"):
            raise TypeError(
                "reducer must have singular values (singular_values_), such as a "
                f"TruncatedSVDReducer. Got {type(last).__name__}."
            )
        return cls(
            last.singular_values_,
            last.explained_variance_ratio_,
            groups=getattr(last, "component_groups_", None),
        ).plot(axes=axes)

    def plot(self, *, axes: Sequence | None = None) -> Self:
        """Draw singular values, one line per group, and their cumulative share.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : SpectrumDisplay
            The display itself.
        """
        self.axes_ = take_axes(axes, 2, figsize=(7, 3.5))
        self.figure_ = self.axes_[0].figure
        self._draw_values(self.axes_[0])
        self._draw_shares(self.axes_[1])
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        shares, values = self._accumulate(), np.asarray(self.singular_values)
        n_groups, n_most = len(self._split_by_group()), np.searchsorted(shares, 0.9) + 1
        within = f" in {n_groups} groups of features" if n_groups > 1 else ""
        text = (
            f"{len(values)} components{within} keep {shares[-1]:.1%} of the energy. "
            f"Singular values go from {values.max():.3g} to {values.min():.3g}."
        )
        if n_most <= len(shares):
            text += f" The strongest {n_most} keep 90%."
        return text

    def _split_by_group(self):
        values = np.asarray(self.singular_values)
        if self.groups is None:
            return [values]
        groups = np.asarray(self.groups)
        return [values[groups == group] for group in np.unique(groups)]

    def _accumulate(self):
        return np.cumsum(np.sort(self.explained_ratio)[::-1])

    def _draw_values(self, ax):
        by_group = self._split_by_group()
        thin = {"linewidth": 0.8, "alpha": 0.5, "markersize": 2}
        style = thin if len(by_group) > 1 else {"markersize": 3}
        for values in by_group:
            values = np.where(values > 0, values, np.nan)
            ranks = np.arange(1, len(values) + 1)
            ax.plot(ranks, values, "o-", color=BLUE, **style)
        ax.set(yscale="log", xlabel="component", ylabel="singular value")
        if len(by_group) > 1:
            ax.set_xlabel("component of its group")
            ax.set_title(f"{len(by_group)} groups, one line per group", fontsize=10)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)

    def _draw_shares(self, ax):
        shares = self._accumulate()
        numbers = np.arange(1, len(shares) + 1)
        ax.plot(numbers, 100 * shares, "s-", color=ORANGE, markersize=3)
        ax.set(xlabel="components, strongest first", ylabel="% of the energy kept")
        ax.set_title(f"{len(shares)} components keep {shares[-1]:.1%}", fontsize=10)
        ax.set_ylim(top=103, bottom=min(0, 100 * shares[0]))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)
