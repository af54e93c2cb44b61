"""The part of a page about rows that a screener excluded."""

from copy import copy
from dataclasses import dataclass

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksparse_nn._pipelines import (
    has_screened,
    is_frame,
    is_screened,
    is_search,
    unwrap,
)
from sksparse_nn.inspection.displays._screening_display import ScreeningDisplay
from sksparse_nn.inspection.pages._page import Section, picture, table
from sksparse_nn.screening import RowScreener
from sksparse_nn.screening._exclusions import describe_counts
from sksparse_nn.screening._kept_rows import take_rows

# Lines of each table.
_MOST_LINES = 200


@dataclass(frozen=True)
class Screening:
    """A fitted screener, and what it excludes of the rows of a page.

    Attributes
    ----------
    screener : RowScreener
        Fitted.

    table : dict of ndarray
        What it excludes of these rows.

    kept : ndarray of int
        Indices of the other rows.
    """

    screener: RowScreener
    table: dict
    kept: np.ndarray

    def make_section(self):
        """Make the section of the page.

        Returns
        -------
        section : Section
            A picture and tables of exclusions.
        """
        n_rows = len(self.kept) + len(np.unique(self.table["row"]))
        text = (
            "Rows of the training data that were excluded, by rule, and values beside "
            f"the limits of their columns. Of the {n_rows:,} rows of this page "
            f"{n_rows - len(self.kept):,} are excluded; the other sections are about "
            "the rest."
        )
        tables = [
            _make_table(self.table, "Excluded rows of this page"),
            _make_table(self.screener.excluded_, "Excluded rows of the training data"),
        ]
        return Section(
            "screening",
            "Screening",
            text,
            pictures=[picture(ScreeningDisplay.from_estimator(self.screener))],
            tables=[made for made in tables if made is not None],
        )


def read_screening(estimator, X, y):
    """Screen the rows of a page, if the estimator has a screener.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline, a frame, or anything else.

    X : array-like, sparse matrix or texts
        Rows of the page.

    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Their labels.

    Returns
    -------
    screening : Screening or None
        None if there is no screener of this package.

    Raises
    ------
    ValueError
        If all rows are excluded.
    """
    found = _find_screener(estimator)
    if found is None:
        return None
    screener, ahead = found
    for step in ahead:
        X = step.transform(X) if hasattr(step, "transform") else X
    excluded = screener.list_exclusions(X, y)
    kept = np.setdiff1d(np.arange(len(y)), excluded["row"])
    if not len(kept):
        raise ValueError(
            f"report needs rows that the screener keeps. Got {len(y)} rows, all of "
            f"them excluded by {describe_counts(excluded)}."
        )
    return Screening(screener, excluded, kept)


def drop_screening(estimator):
    """Return an estimator without its screeners.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline, a frame, or anything else.

    Returns
    -------
    estimator : estimator
        The same if it has none; searches around one are replaced by their best one.
    """
    if not has_screened(estimator):
        return estimator
    if is_screened(estimator):
        return drop_screening(estimator.estimator_)
    if isinstance(estimator, FrozenEstimator) or is_search(estimator):
        return drop_screening(unwrap(estimator))
    twin = copy(estimator)
    twin.steps = [(name, drop_screening(step)) for name, step in estimator.steps]
    return twin


def take_kept(X, y, screening):
    """Return the rows that are kept, with their labels.

    Parameters
    ----------
    X, y : array-like
        All rows, and their labels.

    screening : Screening or None
        What is excluded.

    Returns
    -------
    X, y : array-like
        The others.
    """
    if screening is None or len(screening.kept) == len(y):
        return X, y
    return take_rows(X, screening.kept), y[screening.kept]


def _find_screener(estimator):
    """Return the first screener of an estimator and the steps ahead of it, or None."""
    if isinstance(estimator, RowScreener):
        return estimator, []
    if is_screened(estimator):
        return _find_screener(estimator.screener_)
    if is_frame(estimator):
        return _find_screener(unwrap(estimator))
    ahead = []
    for _, step in estimator.steps if isinstance(estimator, Pipeline) else ():
        found = _find_screener(step)
        if found is not None:
            return found[0], [*ahead, *found[1]]
        ahead.append(step)
    return None


def _make_table(excluded, caption):
    """Make a table of the first exclusions, or return None if there are none."""
    import pandas as pd

    n_lines = len(excluded["row"])
    if not n_lines:
        return None
    frame = pd.DataFrame(excluded)[:_MOST_LINES].set_index("row")
    frame["value"] = [_show(value) for value in frame["value"]]
    more = f", the first {_MOST_LINES} of {n_lines:,}" if n_lines > _MOST_LINES else ""
    return table(frame, f"{caption}{more}; click on a name to sort.")


def _show(value):
    return f"{value:.6g}" if isinstance(value, float) else str(value)
