"""Usage of each atom, and the number of atoms per sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sksparse_nn._typing import MatrixLike
from sksparse_nn.drawing._canvas import BLUE, ORANGE, take_axes
from sksparse_nn.inspection.atoms._codes import code_rows


class CodeUsageDisplay:
    """Draw how atoms are used.

    Parameters
    ----------
    usage : ndarray of shape (n_atoms,)
        Share of samples that use each atom.

    counts : ndarray of int of shape (n_samples,)
        Atoms that each sample uses.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing, of `usage` and of `counts`.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    atom_table : Table of all atoms.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import CodeUsageDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(
    ...     16, algorithm="omp", n_nonzero_coefs=3, random_state=0
    ... ).fit(X)
    >>> display = CodeUsageDisplay.from_estimator(coder, X)
    >>> int(display.counts.max())
    3
    """

    def __init__(self, usage: NDArray, counts: NDArray) -> None:
        self.usage = usage
        self.counts = counts

    @classmethod
    def from_estimator(
        cls,
        transformer: BaseEstimator,
        X: MatrixLike | Sequence[str],
        *,
        axes: Sequence | None = None,
    ) -> Self:
        """Encode samples and draw how atoms are used.

        Parameters
        ----------
        transformer : transformer
            Fitted, with ``components_``, or a pipeline of transformers that ends in
            one.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : CodeUsageDisplay
            The display, drawn.
        """
        codes = code_rows(transformer, X) != 0
        usage = np.asarray(codes.sum(axis=0)).ravel() / codes.shape[0]
        return cls(usage, np.asarray(codes.sum(axis=1)).ravel()).plot(axes=axes)

    def plot(self, *, axes: Sequence | None = None) -> Self:
        """Draw atoms by decreasing usage, and a histogram of atoms per sample.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : CodeUsageDisplay
            The display itself.
        """
        self.axes_ = take_axes(axes, 2, figsize=(7, 3.5))
        self.figure_ = self.axes_[0].figure
        self._draw_usage(self.axes_[0])
        self._draw_counts(self.axes_[1])
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        return (
            f"{self._describe_dead()}. The most used one is used by "
            f"{np.max(self.usage):.0%} of the samples, the median one by "
            f"{np.median(self.usage):.1%}. A sample uses {np.mean(self.counts):.1f} "
            f"atoms on average, {np.min(self.counts)} to {np.max(self.counts)}."
        )

    def _describe_dead(self):
        n_dead, n_atoms = np.sum(np.asarray(self.usage) == 0), len(self.usage)
        if not n_dead:
            return f"All {n_atoms} atoms are used"
        return (
            f"{n_dead} of {n_atoms} atoms {'is' if n_dead == 1 else 'are'} never used"
        )

    def _draw_usage(self, ax):
        usage = np.sort(self.usage)[::-1]
        edges = np.arange(len(usage) + 1)
        ax.stairs(100 * usage, edges, fill=True, color=BLUE)
        ax.set(xlabel="atoms, by decreasing usage", ylabel="% of samples that use it")
        ax.set(title=self._describe_dead(), xlim=(0, len(usage)))
        ax.title.set_fontsize(10)
        ax.grid(axis="y", alpha=0.3)

    def _draw_counts(self, ax):
        counts, mean = np.asarray(self.counts), np.mean(self.counts)
        step = max(1, -(-(counts.max() - counts.min()) // 40))
        edges = np.arange(counts.min(), counts.max() + step + 1, step) - 0.5
        ax.hist(counts, edges, color=BLUE, edgecolor="white", linewidth=0.5)
        ax.axvline(mean, color=ORANGE, linestyle="--")
        ax.set_title(f"mean {mean:.1f} atoms (dashed)", fontsize=10)
        ax.set(xlabel="atoms per sample", ylabel="samples")
        ax.set_xlim(edges[0] - 1, edges[-1] + 1)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="y", alpha=0.3)
