"""An estimator that is fitted on the rows that a screener keeps."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import (
    _check_method_params,
    _num_samples,
    check_is_fitted,
)

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._documented import Documented
from sksparse_nn._methods import available_if, fits_others
from sksparse_nn._saved import Saved
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import restored_on_error
from sksparse_nn.screening._exclusions import describe_counts
from sksparse_nn.screening._kept_rows import take_labels, take_rows
from sksparse_nn.screening._spread import fill, spread_over

_ATTRIBUTES = ("classes_", "n_features_in_", "feature_names_in_")


def _inner_has(method):
    def has(self):
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return has


def _can_stream(self):
    return all(hasattr(part, "partial_fit") for part in (self.screener, self.estimator))


class ScreenedEstimator(
    CallbackSupportMixin, MetaEstimatorMixin, Saved, Documented, BaseEstimator
):
    """Fit an estimator on the rows that a screener keeps.

    Pipelines of scikit-learn cannot drop rows, so the screener and what comes behind it
    are one estimator. The screener sees the rows as they are handed in, and the
    estimator, which may be a pipeline, those that are kept.

    Parameters
    ----------
    screener : RowScreener or detector of outliers
        Says which rows are kept; its `fit_predict` is given the labels too.

    estimator : estimator
        The estimator that this one wraps.

        A classifier, a regressor, a transformer, or a pipeline. It is cloned.

    on_excluded : {"predict", "nan", "raise"}, default="predict"
        What becomes of rows that the screener excludes when they are predicted or
        transformed.

        - "predict": they are predicted like others. Infinite numbers, and missing ones
          unless the estimator takes these, are replaced by the median of their column
          before;
        - "nan": their outputs are NaN, and integers and texts then become floats and
          objects. They do not count in `score`, so compare scores of the same rows
          only;
        - "raise": an error that says which rows they are, and why.

    Attributes
    ----------
    screener_ : RowScreener or detector of outliers
        The fitted screener, with the table of what was excluded.

    estimator_ : estimator
        The fitted estimator.

    classes_ : ndarray of shape (n_classes,)
        The labels.

        Only defined if the estimator defines them.

    n_features_in_ : int
        Number of features seen in `fit`.

        Only defined if the estimator defines it.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    RowScreener : The rules, and the table of what they excluded.

    Notes
    -----
    Arguments of `fit` that have a number per row, such as `sample_weight`, lose those
    of the excluded rows. With ``enable_metadata_routing`` they are passed on where they
    are requested. A compressor goes inside, as in ``ScreenedEstimator(screener,
    NetPruner(net))``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sksparse_nn import RowScreener, ScreenedEstimator
    >>> X, y = load_wine(return_X_y=True)
    >>> X[3], X[70, 2] = np.nan, 1000
    >>> model = make_pipeline(StandardScaler(), LogisticRegression())
    >>> screened = ScreenedEstimator(RowScreener(), model).fit(X, y)
    >>> screened.screener_.excluded_["rule"][[0, -1]].tolist()
    ['missing', 'range']
    >>> screened.predict(X[[2, 3]])
    array([0, 1])
    >>> screened.set_params(on_excluded="nan").predict(X[[2, 3]])
    array([ 0., nan])
    """

    # Marks it for `_pipelines`, which cannot import it.
    _is_screened = True

    _parameter_constraints: dict = {
        "screener": [HasMethods(["fit", "fit_predict"])],
        "estimator": [HasMethods(["fit"])],
        "on_excluded": [StrOptions({"predict", "nan", "raise"})],
    }

    def __init__(
        self,
        screener: BaseEstimator,
        estimator: BaseEstimator,
        *,
        on_excluded: str = "predict",
    ) -> None:
        self.screener = screener
        self.estimator = estimator
        self.on_excluded = on_excluded

    @fits_others
    def fit(
        self, X: MatrixLike, y: MatrixLike | None = None, **fit_params: Any
    ) -> Self:
        """Fit the screener, and the estimator on the rows that are kept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, whatever is wrong with their cells.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets, which may be missing.

        **fit_params : dict
            Further arguments of the estimator's `fit`, such as `sample_weight`.

        Returns
        -------
        self : ScreenedEstimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If all rows are excluded.
        """
        with fit_task(self, 1, X, y) as task, restored_on_error(self):
            self._validate_params()
            fit_params = self._route("fit", fit_params)
            self.screener_ = clone(self.screener)
            kept = np.flatnonzero(self.screener_.fit_predict(X, y) == 1)
            rows, labels = take_rows(X, kept), take_labels(y, kept)
            fit_params = _take_params(X, fit_params, kept)
            inner = clone(self.estimator)
            with task.lend("fit-estimator", inner):
                self.estimator_ = inner.fit(rows, labels, **fit_params)
            self._shape_of_labels = () if labels is None else labels.shape[1:]
            self._copy_attributes()
        return self

    @available_if(_can_stream)
    def partial_fit(
        self,
        X: MatrixLike,
        y: MatrixLike | None = None,
        classes: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Go on with a chunk of rows.

        A chunk of which no row is kept leaves the estimator as it was.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets.

        classes : array-like of shape (n_classes,), default=None
            All classes, for the first chunk of classifiers that want them.

        **fit_params : dict
            Further arguments of the estimator's `partial_fit`.

        Returns
        -------
        self : ScreenedEstimator
            The estimator.
        """
        with restored_on_error(self):
            self._validate_params()
            fit_params = self._route("partial_fit", fit_params)
            screener = deepcopy(getattr(self, "screener_", None)) or clone(
                self.screener
            )
            kept = screener.partial_fit(X, y).sample_indices_
            fit_params = _take_params(X, fit_params, kept)
            if classes is not None:
                fit_params["classes"] = classes
            if not hasattr(self, "estimator_"):
                self.estimator_ = clone(self.estimator)
            self.screener_ = screener
            if len(kept):
                rows, labels = take_rows(X, kept), take_labels(y, kept)
                self.estimator_.partial_fit(rows, labels, **fit_params)
                self._shape_of_labels = () if labels is None else labels.shape[1:]
            self._copy_attributes()
        return self

    @available_if(_inner_has("predict"))
    def predict(self, X: MatrixLike) -> NDArray | list[NDArray]:
        """Predict labels or numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, see `on_excluded`.
        """
        return self._respond("predict", X)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X: MatrixLike) -> NDArray | list[NDArray]:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Probabilities, see `on_excluded`.
        """
        return self._respond("predict_proba", X)

    @available_if(_inner_has("predict_log_proba"))
    def predict_log_proba(self, X: MatrixLike) -> NDArray | list[NDArray]:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Logarithms, see `on_excluded`.
        """
        return self._respond("predict_log_proba", X)

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X: MatrixLike) -> NDArray | list[NDArray]:
        """Return the confidence scores of the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Scores, see `on_excluded`.
        """
        return self._respond("decision_function", X)

    @available_if(_inner_has("transform"))
    def transform(self, X: MatrixLike) -> NDArray | sparse.csr_matrix:
        """Transform rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        X_new : {ndarray, sparse matrix} of shape (n_samples, n_features_out)
            Outputs of the transformer, see `on_excluded`.
        """
        return self._respond("transform", X)

    @available_if(_inner_has("transform"))
    def fit_transform(
        self, X: MatrixLike, y: MatrixLike | None = None, **fit_params: Any
    ) -> NDArray | sparse.csr_matrix:
        """Fit on the rows that are kept, and transform all.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets.

        **fit_params : dict
            Further arguments of the estimator's `fit`.

        Returns
        -------
        X_new : {ndarray, sparse matrix} of shape (n_samples, n_features_out)
            Outputs of the transformer, see `on_excluded`.
        """
        return self.fit(X, y, **fit_params).transform(X)

    @available_if(_inner_has("inverse_transform"))
    def inverse_transform(self, X: MatrixLike) -> NDArray:
        """Reconstruct samples from codes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features_out)
            Outputs of `transform`.

        Returns
        -------
        X_original : {ndarray, sparse matrix} of shape (n_samples, n_features)
            As the transformer reconstructs them.
        """
        check_is_fitted(self)
        return self.estimator_.inverse_transform(X)

    @available_if(_inner_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Return the names of the outputs of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features.

        Returns
        -------
        names : ndarray of str
            As the transformer names them.
        """
        check_is_fitted(self)
        return self.estimator_.get_feature_names_out(input_features)

    @available_if(_inner_has("set_output"))
    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the container of the outputs of `transform`.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            As in scikit-learn.

        Returns
        -------
        self : ScreenedEstimator
            The estimator.
        """
        for part in (self.estimator, getattr(self, "estimator_", None)):
            if part is not None:
                part.set_output(transform=transform)
        return self

    @available_if(_inner_has("score"))
    def score(self, X: MatrixLike, y: MatrixLike | None = None, **params: Any) -> float:
        """Return the score of the estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows. Excluded ones count as they are predicted; with ``on_excluded="nan"``
            they do not count.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or targets.

        **params : dict
            Further arguments of the estimator's `score`, such as `sample_weight`.

        Returns
        -------
        score : float
            The score.

        Raises
        ------
        ValueError
            If rows are excluded and ``on_excluded="raise"``, or all are and it is
            "nan".
        """
        check_is_fitted(self)
        params = self._route("score", params)
        kept = None
        if self.on_excluded == "predict":
            rows, labels = self._repair(X), y
        else:
            kept = np.flatnonzero(self._check_kept(X))
            rows, labels = take_rows(X, kept), take_labels(y, kept)
        params = _take_params(X, params, kept)
        return self.estimator_.score(rows, labels, **params)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata are passed where.

        Returns
        -------
        routing : MetadataRouter
            Requests of the estimator.
        """
        mapping = MethodMapping()
        for method in ("fit", "partial_fit", "score"):
            mapping.add(caller=method, callee=method)
        mapping.add(caller="fit_transform", callee="fit")
        return MetadataRouter(owner=self).add(
            estimator=self.estimator, method_mapping=mapping
        )

    def _route(self, method, params):
        """Return the arguments of a method of the estimator."""
        if not get_config()["enable_metadata_routing"]:
            return params
        return dict(process_routing(self, method, **params).estimator[method])

    def _copy_attributes(self):
        """Take over what the screener and the estimator have learnt of the input."""
        for name in _ATTRIBUTES:
            vars(self).pop(name, None)
            for part in (self.screener_, self.estimator_):
                if hasattr(part, name):
                    setattr(self, name, getattr(part, name))
                    break

    def _respond(self, method, X):
        """Return an output of the estimator, with what becomes of excluded rows."""
        check_is_fitted(self)
        check_structure(X)
        answer = getattr(self.estimator_, method)
        if self.on_excluded == "predict":
            return answer(self._repair(X))
        is_kept = self._check_kept(X)
        if is_kept.all():
            return answer(X)
        if not is_kept.any():
            return self._no_outputs(method, is_kept)
        found = answer(take_rows(X, np.flatnonzero(is_kept)))
        return spread_over(found, is_kept, X)

    def _check_kept(self, X):
        """Return which rows are kept, and raise if that is asked for."""
        is_kept = self.screener_.predict(X) == 1
        if self.on_excluded == "raise" and not is_kept.all():
            rows = np.flatnonzero(~is_kept)
            why = ""
            if hasattr(self.screener_, "list_exclusions"):
                why = f", by {describe_counts(self.screener_.list_exclusions(X))}"
            raise ValueError(
                f"No row may be excluded with on_excluded='raise'. Got {len(rows)} of "
                f"{len(is_kept)}{why}: rows {rows[:10].tolist()}"
                f"{' and others' if len(rows) > 10 else ''}; leave them out or repair "
                "them."
            )
        return is_kept

    def _repair(self, X):
        """Return rows that the estimator can take."""
        if not hasattr(self.screener_, "_repair"):
            return X
        keep_missing = get_tags(self.estimator_).input_tags.allow_nan
        return self.screener_._repair(X, keep_missing)

    def _no_outputs(self, method, is_kept):
        """Return outputs of rows that are all excluded."""
        if method == "predict":
            shape = self._shape_of_labels
        elif method in ("predict_proba", "predict_log_proba"):
            shape = (len(self.classes_),)
        else:
            raise ValueError(
                f"{method} needs one row or more that the screener keeps. Got "
                f"{len(is_kept)} rows, all of them excluded."
            )
        return fill(np.empty((0, *shape)), is_kept)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = deepcopy(get_tags(self.estimator))
        for name in (
            "estimator_type",
            "target_tags",
            "transformer_tags",
            "classifier_tags",
            "regressor_tags",
            "input_tags",
            "non_deterministic",
        ):
            setattr(tags, name, getattr(inner, name))
        screener = get_tags(self.screener).input_tags
        tags.input_tags.sparse &= screener.sparse
        if self.on_excluded != "raise" and _excludes_nan(self.screener):
            tags.input_tags.allow_nan = True
        return tags


def _excludes_nan(screener):
    """Return whether rows that are not finite do not reach the estimator."""
    rules = getattr(screener, "rules", ())
    return isinstance(rules, str) or {"missing", "infinite"} <= set(rules)


def _take_params(X, params, kept):
    """Return parameters of a method, of those with a number per row the kept rows'."""
    n_rows = _num_samples(X)
    for name, values in params.items():
        is_weight = name.endswith("sample_weight") and values is not None
        if is_weight and np.ndim(values) and len(values) != n_rows:
            raise ValueError(
                f"{name} must have a number for each of the {n_rows} rows, those that "
                f"are excluded too. Got {len(values)}."
            )
    return _check_method_params(X, params, indices=kept)
