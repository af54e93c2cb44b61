"""What a screener excluded: rows by rule, and values beside the limits."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sksparse_nn.drawing._canvas import BLUE, ORANGE, escape_letters, take_axes
from sksparse_nn.screening._exclusions import count_rules

# Columns that are drawn, those with most values beyond their limits.
_MOST_COLUMNS = 10

# Positions beyond are drawn at the edge.
_FARTHEST = 1e6


class ScreeningDisplay:
    """Draw what a screener excluded.

    Parameters
    ----------
    counts : dict of str to int
        Rows that each rule excluded.

    n_samples : int
        Number of rows that were screened.

    columns : sequence of str
        Names of the columns with values beyond their limits.

    positions : sequence of ndarray
        These values, a sequence for each column, as distances from the median relative
        to that of the limit: below -1 or above 1.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing, of rules and of values.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    RowScreener : Learns the rules.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sksparse_nn import RowScreener
    >>> from sksparse_nn.inspection import ScreeningDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> X[:3, 4] *= 1000
    >>> display = ScreeningDisplay.from_estimator(RowScreener().fit(X, y))
    >>> display.counts
    {'range': 3}
    """

    def __init__(self, counts, n_samples, columns=(), positions=()):
        self.counts = counts
        self.n_samples = n_samples
        self.columns = columns
        self.positions = positions

    @classmethod
    def from_estimator(cls, screener, X=None, y=None, *, axes=None):
        """Draw what a screener excluded.

        Parameters
        ----------
        screener : RowScreener or ScreenedEstimator
            Fitted.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows to screen; None for those of the last fit.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their labels.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ScreeningDisplay
            The display, drawn.
        """
        check_is_fitted(screener)
        screener = getattr(screener, "screener_", screener)
        if X is None:
            table = screener.excluded_
            n_samples = len(screener.sample_indices_) + len(np.unique(table["row"]))
        else:
            table = screener.list_exclusions(X, y)
            n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
        columns, positions = _find_positions(screener, table)
        display = cls(count_rules(table), n_samples, columns, positions)
        return display.plot(axes=axes)

    def plot(self, *, axes=None):
        """Draw bars of rows per rule, and the values beyond limits by column.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ScreeningDisplay
            The display itself.
        """
        self.axes_ = take_axes(axes, 2, figsize=(9, 3.5))
        self.figure_ = self.axes_[0].figure
        self._draw_rules(self.axes_[0])
        self._draw_values(self.axes_[1])
        return self

    def describe(self):
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        if not self.counts:
            return f"No rule is broken by any of {self.n_samples:,} rows."
        rules = ", ".join(f"{rule} {n:,}" for rule, n in self.counts.items())
        text = f"Rows excluded by each rule, of {self.n_samples:,}: {rules}."
        if len(self.columns):
            text += f" Most values beyond limits are in column {self.columns[0]}."
        return text

    def _draw_rules(self, ax):
        names, places = list(self.counts), np.arange(len(self.counts))
        ax.barh(places, list(self.counts.values()), color=BLUE)
        for place, count in zip(places, self.counts.values(), strict=True):
            ax.annotate(
                f"{count:,} ({count / self.n_samples:.1%})",
                (count, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        ax.set_yticks(places, [name.replace("_", " ") for name in names])
        ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
        ax.set_xlim(0, 1.45 * max([1, *self.counts.values()]))
        ax.xaxis.get_major_locator().set_params(integer=True, nbins=4)
        ax.set(xlabel="rows excluded")
        ax.set_title(f"{self.n_samples:,} rows screened", fontsize=10)

    def _draw_values(self, ax):
        ax.set_xscale("symlog", linthresh=1, linscale=0.7)
        ax.axvspan(-1, 1, color=BLUE, alpha=0.15, linewidth=0)
        shown = list(zip(self.columns, self.positions, strict=True))[:_MOST_COLUMNS]
        for place, (_, positions) in enumerate(shown):
            drawn = np.clip(positions, -_FARTHEST, _FARTHEST)
            ax.plot(drawn, np.full(len(drawn), place), "|", color=ORANGE, markersize=9)
        names = [escape_letters(name, 20) for name, _ in shown]
        ax.set_yticks(np.arange(len(shown)), names, fontsize=8)
        ax.set_ylim(max(len(shown), 1) - 0.4, -0.6)
        farthest = max([4, *(np.abs(part).max() for _, part in shown)])
        edge = 3 * min(farthest, _FARTHEST)
        ax.set_xlim(-edge, edge)
        ticks = 10.0 ** np.arange(0, np.log10(edge), max(1, np.log10(edge) // 2))
        ax.set_xticks([*-ticks[::-1], 0, *ticks])
        ax.set_xticklabels([f"{tick:g}" for tick in ax.get_xticks()], fontsize=8)
        ax.minorticks_off()
        ax.set(xlabel="distance from the median, limits = 1")
        ax.set_title("values beyond the limits (shaded: within)", fontsize=10)


def _find_positions(screener, table):
    """Find the columns with values beyond limits, and the values relative to these."""
    is_out = table["rule"] == "range"
    names, counts = np.unique(table["column"][is_out], return_counts=True)
    columns = [str(name) for name in names[np.argsort(-counts, kind="stable")]]
    known = dict(zip(map(str, screener._names()), screener.medians_, strict=True))
    positions = []
    for name in columns:
        lines = is_out & (table["column"] == name)
        values = table["value"][lines].astype(np.float64)
        limits = table["limit"][lines]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            ratios = (values - known[name]) / np.abs(limits - known[name])
        positions.append(np.nan_to_num(ratios, posinf=np.inf, neginf=-np.inf))
    return columns, positions
