"""The screener of rows."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._documented import Documented
from sksparse_nn._methods import available_if
from sksparse_nn._saved import Saved
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import check_mergeable, restored_on_error
from sksparse_nn.screening._detectors import compare, fit_detector
from sksparse_nn.screening._exclusions import describe_counts
from sksparse_nn.screening._hashes import hash_rows
from sksparse_nn.screening._kept_rows import take_labels, take_rows
from sksparse_nn.screening._labels import count_classes, read_labels, screen_labels
from sksparse_nn.screening._limits import Limits
from sksparse_nn.screening._repair import repair
from sksparse_nn.screening._rules import RULES, Rules, learn_rules
from sksparse_nn.screening._samples import read_samples
from sksparse_nn.screening._state import ScreeningState
from sksparse_nn.screening._whole_rows import find_duplicates, find_near_duplicates


def _has_rules_only(screener):
    return screener.detector is None


class RowScreener(OutlierMixin, Saved, Documented, BaseEstimator):
    """Exclude rows that break rules learnt from the data, and say which and why.

    `fit` learns the rules, and lists in `excluded_` the rows that break them. `predict`
    holds new rows against the same rules. In a pipeline of imbalanced-learn it drops
    the excluded rows from the training data; for pipelines of scikit-learn there is
    `ScreenedEstimator`.

    The rules are

    - "missing" and "infinite": a cell is NaN, None or NA; or infinite;
    - "type": a cell of text where most of the column are numbers;
    - "category": a category that was never seen, in a column of text whose categories
      are few enough to be known;
    - "range": a number beyond the limits of its column;
    - "constant": all numbers of a row are the same, such as zero;
    - "duplicate": a row is equal to an earlier one, or nearly, see `duplicate_tol`;
    - "label": a label is missing, or its class is too small.

    The last two are about the training data: `predict` neither compares rows with each
    other nor knows labels.

    Parameters
    ----------
    rules : "auto" or list of str, default="auto"
        Names of the rules in force.

        "auto" takes all, but leaves out "duplicate" or "constant" where equal cells are
        so frequent that such a row is likely by chance: where more than 0.01 of them
        would be expected if columns were independent. `rules_` has what is left.

    quantile_range : tuple of (float, float), default=(5.0, 95.0)
        Quantiles in percent that the limits of a column are measured from.

        A value that more than half of the rows have, such as the zeros of a sparse
        matrix, is left out of the quantiles and within the limits.

    margin : float, default=5.0
        Distance of the limits from the quantiles, in units of the distance between
        the two. Columns with less than 20 values beside the most frequent one have no
        limits.

    duplicate_tol : float, default=0.0
        Distance up to which two rows are near duplicates, as a share of the typical
        distance of two rows.

        Columns are divided by the distance of their quantiles first. Near duplicates
        are looked for within one call of `fit` or `partial_fit`.

    min_class_size : int, default=1
        Number of rows below which a class is too small.

    missing_label : int, float, str or None, default=None
        A label that stands for a missing one, such as -1, beside None, NaN and NA.

    detector : estimator, "reconstruction" or None, default=None
        What judges the rows that break no rule.

        A detector of outliers with a `decision_function`, such as ``IsolationForest``;
        a transformer with an `inverse_transform`, such as `SparseDictionaryCoder`, to
        judge rows by the error of their reconstruction; "reconstruction" for a
        `TruncatedSVDReducer` that keeps 90 % of the energy. It is cloned, and gets
        columns of numbers only.

    detector_quantile : float or None, default=None
        Quantile of the detector's scores of training rows below which rows are
        excluded. None for the detector's own threshold. Errors of reconstruction are
        compared with those of held-out rows; there None is 0.01.

    Attributes
    ----------
    excluded_ : dict of ndarray
        A line for each exclusion among the rows of the last fit.

        It becomes a table by ``pandas.DataFrame(screener.excluded_)``. The columns are
        "row", the index of the row; "column", the name of the feature, or "" for a rule
        of whole rows; "rule"; "value", what was found; and "limit", what was allowed,
        for a duplicate the row that it is equal to. A row has at most ten lines for one
        rule.

    sample_indices_ : ndarray of int of shape (n_kept,)
        Rows of the last fit that were kept.

    rules_ : list of str
        Names of the rules in force.

    lower_limits_, upper_limits_ : ndarray of shape (n_features_in_,)
        Limits of the rule "range"; infinite where there are none.

    medians_ : ndarray of shape (n_features_in_,)
        Medians of columns of numbers; NaN for the others.

    offset_ : float
        Difference between `score_samples` and `decision_function`, -0.5.

    detector_ : estimator
        The fitted detector, if there is one.

    n_samples_seen_ : int
        Samples that have been fitted; those of weight zero do not count.

        Rows of all calls, excluded ones too.

    n_features_in_ : int
        Number of features seen in `fit`.

        Only defined if the estimator defines it.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    ScreenedEstimator : An estimator that is fitted on the kept rows.

    Notes
    -----
    Limits are learnt from 10,000 different rows at most, the same ones whatever the
    order and the chunks, and fewer where dense rows have more than 1,600 columns. Rows
    are compared by hashes of 64 bits, of which the smallest 2**20 are kept, 16 MB:
    duplicates among chunks are found as long as there are no more different rows, and
    beyond that only among a share of them. Duplicates within one call are all found.

    Scores are between -1 and 0, as those of ``IsolationForest``: zero in the middle of
    all limits, -0.5 at a limit, -1 where a rule without limits is broken.

    Tables may have columns of all kinds. Columns of numbers, of text and categories,
    and of dates are told apart in `fit`. Dates are compared with those of other rows,
    and may be missing; no other rule reads them.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from sksparse_nn import RowScreener
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> X.iloc[3, 0] *= 25.4
    >>> X.iloc[70, 2] = np.nan
    >>> screener = RowScreener().fit(X, y)
    >>> pd.DataFrame(screener.excluded_)[["row", "column", "rule"]]
       row             column     rule
    0    3  sepal length (cm)    range
    1   70  petal length (cm)  missing
    >>> screener.predict(X[2:5])
    array([ 1, -1,  1])
    """

    _only_for_fitting = ("_state", "excluded_", "sample_indices_")

    _parameter_constraints: dict = {
        "rules": [StrOptions({"auto"}), list, tuple],
        "quantile_range": [tuple, list],
        "margin": [Interval(Real, 0, None, closed="left")],
        "duplicate_tol": [Interval(Real, 0, 1, closed="left")],
        "min_class_size": [Interval(Integral, 1, None, closed="left")],
        "missing_label": [Real, str, None],
        "detector": [
            StrOptions({"reconstruction"}),
            HasMethods(["fit", "decision_function"]),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "detector_quantile": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(
        self,
        rules: str | Iterable[str] = "auto",
        *,
        quantile_range: tuple[float, float] = (5.0, 95.0),
        margin: float = 5.0,
        duplicate_tol: float = 0.0,
        min_class_size: int = 1,
        missing_label: Any = None,
        detector: str | BaseEstimator | None = None,
        detector_quantile: float | None = None,
    ) -> None:
        self.rules = rules
        self.quantile_range = quantile_range
        self.margin = margin
        self.duplicate_tol = duplicate_tol
        self.min_class_size = min_class_size
        self.missing_label = missing_label
        self.detector = detector
        self.detector_quantile = detector_quantile

    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Learn the rules from rows, and find those that break them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, whatever is wrong with their cells.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets, which may be missing.

        Returns
        -------
        self : RowScreener
            The fitted screener.

        Raises
        ------
        ValueError
            If all rows are excluded, or a parameter is not one of its values.
        """
        with restored_on_error(self):
            self._validate_params()
            self._check_parameters()
            samples = read_samples(self, X)
            self._learn(ScreeningState.empty(samples.kinds), samples, y)
            self._check_kept(len(samples))
        return self

    @available_if(_has_rules_only)
    def partial_fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Learn from further rows, and find those that break the rules.

        The rules are those of all rows so far. A class that is too small so far is
        excluded, even if it will grow. Without a detector only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Further rows. `excluded_` and `sample_indices_` count from the first of
            them; the "limit" of a duplicate is counted over all rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their labels or targets.

        Returns
        -------
        self : RowScreener
            The screener.
        """
        if not hasattr(self, "_kinds"):
            with restored_on_error(self):
                self._validate_params()
                self._check_parameters()
                samples = read_samples(self, X)
                self._learn(ScreeningState.empty(samples.kinds), samples, y)
            return self
        with restored_on_error(self):
            samples = read_samples(self, X, self._kinds)
            self._learn(self._known_state(), samples, y)
        return self

    @available_if(_has_rules_only)
    def merge(self, other: Self) -> Self:
        """Add what another screener has learnt.

        Parameters
        ----------
        other : RowScreener
            Fitted on other rows of the same features.

        Returns
        -------
        self : RowScreener
            With the rules of the rows of both; `excluded_` and `sample_indices_` stay
            as they were.

        Raises
        ------
        ValueError
            If the features are not the same.
        """
        check_mergeable(self, other)
        with restored_on_error(self):
            self._store(self._known_state().merge(other._known_state()))
        return self

    def predict(self, X: MatrixLike) -> NDArray:
        """Hold rows against the rules.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, whatever is wrong with their cells.

        Returns
        -------
        is_inlier : ndarray of int of shape (n_samples,)
            -1 for rows that break a rule, 1 for the others.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score_samples(self, X: MatrixLike) -> NDArray:
        """Score rows by their distance from the limits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, whatever is wrong with their cells.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Between -1 and 0, the lower, the less usual.
        """
        check_is_fitted(self)
        ratios, _ = self._judge(read_samples(self, X, self._kinds))
        with np.errstate(divide="ignore"):
            return -1 / (1 + 1 / ratios) + 0.0  # no negative zeros

    def decision_function(self, X: MatrixLike) -> NDArray:
        """Return the scores above -0.5.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, whatever is wrong with their cells.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            Negative for rows that break a rule.
        """
        return self.score_samples(X) - self.offset_

    def fit_predict(self, X: MatrixLike, y: MatrixLike | None = None) -> NDArray:
        """Fit the screener, and say which of the rows it excludes.

        Other than `predict`, this excludes duplicates and rows without a label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets.

        Returns
        -------
        is_inlier : ndarray of int of shape (n_samples,)
            -1 for excluded rows, 1 for the others.
        """
        kept = self.fit(X, y).sample_indices_
        is_inlier = np.full(self.n_samples_seen_, -1)
        is_inlier[kept] = 1
        return is_inlier

    def fit_resample(self, X: MatrixLike, y: MatrixLike | None = None) -> tuple:
        """Fit the screener, and return the rows that it keeps.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets.

        Returns
        -------
        X_resampled : {array-like, sparse matrix} of shape (n_kept, n_features)
            Rows that break no rule, in the form that they came in.

        y_resampled : array-like of shape (n_kept,) or (n_kept, n_outputs)
            Their labels.
        """
        kept = self.fit(X, y).sample_indices_
        return take_rows(X, kept), take_labels(y, kept)

    def list_exclusions(
        self, X: MatrixLike, y: MatrixLike | None = None
    ) -> dict[str, NDArray]:
        """List what is wrong with new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels, for the rule "label"; None if they are not known.

        Returns
        -------
        table : dict of ndarray
            As `excluded_`, without duplicates.
        """
        check_is_fitted(self)
        samples = read_samples(self, X, self._kinds)
        labels, is_missing = read_labels(y, samples.numbers, self.missing_label)
        _, exclusions = self._judge(samples)
        if labels is not None and "label" in self.rules_:
            classes = self._known_state().classes
            screen_labels(labels, is_missing, classes, self.min_class_size, exclusions)
        return exclusions.table(self._names())

    def _check_parameters(self):
        """Raise for rules that do not exist, and quantiles that are no range."""
        unknown = [] if self.rules == "auto" else set(self.rules) - {*RULES}
        if unknown or not len(self.rules):
            raise ValueError(
                f"rules must be 'auto', or some of {list(RULES)}. Got {self.rules!r}."
            )
        quantiles = self.quantile_range
        if len(quantiles) != 2 or not 0 <= quantiles[0] < quantiles[1] <= 100:
            raise ValueError(
                "quantile_range must be two numbers from 0 to 100, the lower one first."
                f" Got {quantiles}."
            )
        if self.detector is None and self.detector_quantile is not None:
            raise ValueError(
                "detector_quantile is read by a detector only. Got detector_quantile="
                f"{self.detector_quantile} with detector=None; set one of them."
            )

    def _learn(self, state, samples, y):
        """Learn from rows, and store which of them break a rule."""
        labels, is_missing = read_labels(y, samples.numbers, self.missing_label)
        is_read = self.rules == "auto" or "label" in self.rules
        has_classes = labels is not None and is_read and self.min_class_size > 1
        classes = count_classes(labels, is_missing) if has_classes else {}
        keys = hash_rows(samples)
        self._store(state.add(samples, classes, keys))
        rules = self._known_rules()
        ratios, exclusions = rules.screen(samples)
        if self.detector is None:
            ratios = None  # many bytes
        if labels is not None and "label" in rules.names:
            known = self._known_state().classes
            screen_labels(labels, is_missing, known, self.min_class_size, exclusions)
        if "duplicate" in rules.names:
            self._find_duplicates(samples, keys, state, exclusions)
        if self.detector is not None:
            self._fit_detector(samples, exclusions)
            self._detect(samples, ratios, exclusions)
        self.excluded_ = exclusions.table(self._names())
        self.sample_indices_ = np.flatnonzero(~exclusions.excluded)

    def _store(self, state):
        """Store a state, and the rules that follow from it."""
        self._kinds, self._state = state.kinds, state.arrays()
        rules = learn_rules(state, self.rules, self.quantile_range, self.margin)
        self.rules_, self._categories = rules.names, rules.categories
        self._limits = vars(rules.limits)
        self.lower_limits_ = np.full(self.n_features_in_, -np.inf)
        self.upper_limits_ = np.full(self.n_features_in_, np.inf)
        self.medians_ = np.full(self.n_features_in_, np.nan)
        is_number = np.array(list(state.kinds)) == "n"
        self.medians_[is_number] = rules.limits.middle
        self.lower_limits_[is_number] = rules.limits.lower
        self.upper_limits_[is_number] = rules.limits.upper
        self.n_samples_seen_, self.offset_ = state.weight, -0.5

    def _known_state(self):
        if not hasattr(self, "_state"):
            raise ValueError(
                "What was learnt of the rows is needed to go on, and to know classes. "
                "Got a copy for prediction, which left it out; use the original."
            )
        return ScreeningState.from_arrays(self._state, self._kinds)

    def _known_rules(self):
        return Rules(self.rules_, Limits(**self._limits), self._categories)

    def _names(self):
        names = getattr(self, "feature_names_in_", None)
        return [f"x{i}" for i in range(self.n_features_in_)] if names is None else names

    def _repair(self, X, keep_missing):
        """Replace missing and infinite numbers by the medians of their columns."""
        samples = read_samples(self, X, self._kinds)
        return repair(X, samples, self._limits["middle"], keep_missing)

    def _find_duplicates(self, samples, keys, before, exclusions):
        """Find rows equal or nearly equal to an earlier one, among the kept."""
        kept = np.flatnonzero(~exclusions.excluded)
        rows, firsts = find_duplicates(keys, kept, before, before.weight)
        exclusions.add("duplicate", rows, limits=firsts)
        kept = np.flatnonzero(~exclusions.excluded)
        if self.duplicate_tol and len(kept) > 1:
            numbers = samples.take(kept)
            near = find_near_duplicates(
                numbers, self._limits["spread"], self.duplicate_tol
            )
            rows, firsts, shares = near
            exclusions.add(
                "near_duplicate",
                kept[rows],
                values=shares,
                limits=before.weight + kept[firsts],
            )

    def _fit_detector(self, samples, exclusions):
        kept = np.flatnonzero(~exclusions.excluded)
        if len(kept):
            fitted = fit_detector(
                self.detector,
                self.detector_quantile,
                samples.take(kept),
                self._limits["spread"],
            )
            self.detector_, self._threshold, self._scale = fitted

    def _judge(self, samples):
        """Hold new rows against the rules, and ask the detector."""
        ratios, exclusions = self._known_rules().screen(samples)
        if self.detector is not None:
            self._detect(samples, ratios, exclusions)
        return ratios, exclusions

    def _detect(self, samples, ratios, exclusions):
        """Ask the detector about the rows that broke no rule."""
        asked = np.flatnonzero(~exclusions.excluded)
        if not len(asked):
            return
        decisions = self.detector_.decision_function(samples.take(asked))
        found = compare(decisions, self._threshold, self._scale)
        ratios[asked] = np.maximum(ratios[asked], found)
        is_out = found > 1
        exclusions.add(
            "detector",
            asked[is_out],
            values=decisions[is_out],
            limits=np.full(is_out.sum(), self._threshold),
        )

    def _check_kept(self, n_samples):
        if not len(self.sample_indices_):
            raise ValueError(
                f"One row or more must break no rule. Got n_samples = {n_samples}, all "
                f"of them excluded by {describe_counts(self.excluded_)}; repair the "
                "data, or leave these out of the rules."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags
