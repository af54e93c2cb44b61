"""Grid search over the sparsity of codes that learns one dictionary per fold."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Self

from joblib import Memory
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import process_routing

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._kinds import check_kind
from sksparse_nn._methods import fits_others
from sksparse_nn._pipelines import replace_leaves, walk_named_leaves
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import restored_on_error
from sksparse_nn.decomposition import SparseDictionaryCoder
from sksparse_nn.model_selection._checked_search import CheckedSearch
from sksparse_nn.solvers.coding import CODERS

# Where scikit-learn keeps the callbacks of an estimator, and what is left out of the
# name under which a dictionary is kept.
_CALLBACKS = "_skl_callbacks"
_NOT_HASHED = ["task", "callbacks"]


class SparsitySearchCV(CheckedSearch):  # numpydoc ignore=PR02
    """Search the sparsity of a coder in a pipeline with one dictionary per fold.

    Use it instead of :class:`~sklearn.model_selection.GridSearchCV` if the grid varies
    the sparsity of a :class:`~sksparse_nn.SparseDictionaryCoder`. Most of the time goes
    into learning dictionaries. Here one is learnt per training set, at the densest
    value on the grid, and samples are coded with it at every value.

    Parameters
    ----------
    estimator : Pipeline
        The estimator that this one wraps.

        With one `SparseDictionaryCoder` among its steps, or among those of the
        pipelines, `FeatureUnion` and `ColumnTransformer` in it.

    param_grid : dict or list of dict
        As for `GridSearchCV`. Each dict must have the coder's `alpha`, for "lasso",
        "elastic_net", "threshold" and "soft_threshold", or its `n_nonzero_coefs`, for
        "omp", "ols" and "top_k". It may have any other parameter too, and also the
        `algorithm`, among those of one kind. The sparsity of an algorithm that is an
        object is named ``algorithm__alpha`` or the like.

    scoring : str, callable, list, tuple or dict, default=None
        As for `GridSearchCV`.

    n_jobs : int, default=None
        Number of processes.

    refit : bool or str, default=True
        Whether to fit the best pipeline on all samples; with several metrics the name
        of the one to choose by.

    cv : int, cross-validation generator or iterable, default=None
        As for `GridSearchCV`.

    verbose : int, default=0
        Whether to print lines about the progress.

        As for `GridSearchCV`.

    pre_dispatch : int or str, default="2*n_jobs"
        As for `GridSearchCV`.

    error_score : "raise" or float, default=nan
        Score of a pipeline whose fit raises.

    return_train_score : bool, default=False
        Whether `cv_results_` has scores of the training sets.

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, \
            n_splits_, refit_time_, multimetric_, classes_, n_features_in_
        As those of `GridSearchCV`. The dictionary of `best_estimator_` is learnt at the
        densest value too; the coder is then set to the best one.

    See Also
    --------
    sparsity_path : Codes for several sparsities without a search.

    Notes
    -----
    The scores equal those of `GridSearchCV` if the dictionary does not depend on the
    sparsity: with ``learner=None``, and for "threshold" and "soft_threshold" unless
    `alpha` is None, since their dictionaries are learnt with one atom per sample.
    Otherwise they are an approximation: `GridSearchCV` learns a dictionary for each
    sparsity, with codes of that sparsity, which suits few atoms per sample better than
    one learnt with many. If scores are close, the two can choose different values: on
    digits with "omp" and 128 atoms one found 2 nonzeros best and the other 8, with
    scores 0.02 apart. Search with this class, then compare the ends of the grid with
    `GridSearchCV`.

    Dictionaries are kept in a temporary folder during the search, so that processes
    share them. With more processes than folds, some may be learnt twice.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import SparseDictionaryCoder, SparsitySearchCV
    >>> X, y = load_digits(return_X_y=True)
    >>> pipeline = make_pipeline(
    ...     SparseDictionaryCoder(32, algorithm="omp", random_state=0),
    ...     LogisticRegression(max_iter=2000),
    ... )
    >>> grid = {"sparsedictionarycoder__n_nonzero_coefs": [1, 8]}
    >>> search = SparsitySearchCV(pipeline, grid, cv=2).fit(X[:400] / 16, y[:400])
    >>> search.best_params_
    {'sparsedictionarycoder__n_nonzero_coefs': 8}
    """

    @fits_others
    def fit(self, X: MatrixLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Search, then fit the best pipeline on all samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.

        **params : dict
            As for `GridSearchCV`.

        Returns
        -------
        self : SparsitySearchCV
            The fitted search.

        Raises
        ------
        ValueError
            If the pipeline does not have exactly one coder, or the grid lacks its
            sparsity.
        TypeError
            If the grid does not consist of dicts of lists.
        """
        self._validate_params()
        ParameterGrid(self.param_grid)  # raises if it is malformed
        if self.refit is True and isinstance(self.scoring, list | tuple | set | dict):
            raise ValueError(
                "refit must be the name of the metric to choose by if there are "
                f"several, or False. Got refit=True with scoring={self.scoring!r}."
            )
        check_structure(X)
        check_structure(y, "y")
        step = _find_coder_step(self.estimator)
        densest = _find_densest(self.estimator, step, self.param_grid)
        whole = fit_task(self, 1 + bool(self.refit), X, y, params.get("sample_weight"))
        kept = restored_on_error(self)
        with whole as task, kept, TemporaryDirectory() as folder:
            shared = _share(self.estimator, step, densest, folder)
            search = GridSearchCV(**self.get_params(deep=False) | {"estimator": shared})
            search.set_params(
                param_grid=_rename_parameters(self.param_grid, step), refit=False
            )
            with task.lend("search", search):
                search.fit(X, y, **params)
            self._adopt(search, step)
            if self.refit:
                self._refit(task, shared, step, X, y, **params)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags = get_tags(self.estimator).target_tags
        return tags

    def _adopt(self, search, step):
        """Copy the results of a search, with the parameter names of the pipeline."""
        for name, value in vars(search).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(self, name, value)
        if self.scoring is None:
            self.scorer_ = check_scoring(self.estimator)  # not of the shared coder
        inner, outer = f"{step}__coder__", f"{step}__"
        self.cv_results_ = {
            _replace_prefix(name, inner, outer): values
            for name, values in search.cv_results_.items()
        }
        self.cv_results_["params"] = [
            {
                _replace_prefix(name, inner, outer): value
                for name, value in params.items()
            }
            for params in search.cv_results_["params"]
        ]

    def _refit(self, task, shared, step, X, y, **params):
        metric = self.refit if isinstance(self.refit, str) else "score"
        self.best_index_ = self.cv_results_[f"rank_test_{metric}"].argmin()
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
        best = _rename_parameters(
            {name: [value] for name, value in self.best_params_.items()}, step
        )
        start = perf_counter()
        [best] = ParameterGrid(best)
        # An object on the grid must not change.
        fitted = clone(shared).set_params(**clone(best, safe=False))
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        else:
            params.pop("groups", None)  # which only the splits read
        with task.lend("refit-with-best-params", fitted):
            fitted.fit(X, y, **params)
        self.refit_time_ = perf_counter() - start
        self.best_estimator_ = replace_leaves(fitted, _unshare)
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


class _SharedDictionary(CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """A coder whose dictionary is learnt at one sparsity and kept on disk.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        The coder, at the sparsity of its codes.

    densest : dict of str to int or float
        Value of each sparsity parameter at which the dictionary is learnt.

    folder : str
        Folder of the learnt coders.
    """

    def __init__(self, coder, densest, folder):
        self.coder = coder
        self.densest = densest
        self.folder = folder

    @fits_others
    def fit(self, X, y=None, sample_weight=None):
        sparsity = _find_sparsity(self.coder.algorithm)
        densest = {sparsity: self.densest[sparsity]}
        learner = clone(self.coder).set_params(**densest)
        own = self.coder.get_params()[sparsity]
        with fit_task(self, 1, X, y, sample_weight) as task:
            learnt = self._learn(learner, X, sample_weight, task)
            self.coder_ = learnt.set_params(**{sparsity: own})
        return self

    def _learn(self, learner, X, sample_weight, task):
        """Learn a dictionary, or read one that was learnt from the same samples."""
        # What is learnt does not depend on callbacks, and they are not kept on disk.
        callbacks = vars(learner).pop(_CALLBACKS, ())
        learn = Memory(self.folder, verbose=0).cache(_learn, ignore=_NOT_HASHED)
        X = check_kind(X)  # joblib ignores masks
        return learn(learner, X, sample_weight, task, callbacks)

    def transform(self, X):
        return self.coder_.transform(X)

    def get_feature_names_out(self, input_features=None):
        return self.coder_.get_feature_names_out(input_features)


def _learn(coder, X, sample_weight, task, callbacks):
    if callbacks:
        coder.set_callbacks(*callbacks)
    with task.lend("learn-dictionary", coder):
        coder.fit(X, sample_weight=sample_weight)
    vars(coder).pop(_CALLBACKS, None)
    return coder


def _find_coder_step(estimator):
    steps = walk_named_leaves(estimator) if isinstance(estimator, Pipeline) else []
    found = [name for name, step in steps if isinstance(step, SparseDictionaryCoder)]
    if len(found) != 1:
        raise ValueError(
            "estimator must be a Pipeline with one SparseDictionaryCoder among its"
            f" steps. Got {len(found)} of them in {estimator!r}."
        )
    return found[0]


def _find_densest(estimator, step, param_grid):
    """Find the densest value of each sparsity parameter on the grids."""
    grids, values = [param_grid] if isinstance(param_grid, dict) else param_grid, {}
    kinds = {}
    for grid in grids:
        own = [estimator.get_params()[step].algorithm]
        for choice in grid.get(f"{step}__{CODERS.parameter}", own):
            name = _find_sparsity(choice)
            _check_grid(grid, step, choice, name)
            kinds[name] = CODERS.look_up(choice).sparsity
            values.setdefault(name, []).extend(grid[f"{step}__{name}"])
    return {name: kinds[name].densest(found) for name, found in values.items()}


def _find_sparsity(choice):
    """Find the name of the coder's parameter for the sparsity of an algorithm."""
    is_known = not isinstance(choice, str) or choice in CODERS
    sparsity = CODERS.look_up(choice).sparsity if is_known else None
    if sparsity is None:
        raise ValueError(
            f"algorithm={choice!r} has no parameter of sparsity to search. Use"
            " GridSearchCV."
        )
    return CODERS.full_name(choice, sparsity.parameter)


def _check_grid(grid, step, choice, name):
    if f"{step}__{name}" not in grid:
        able = [
            kind
            for kind in CODERS
            if CODERS[kind].sparsity
            and f"{step}__{CODERS[kind].sparsity.parameter}" in grid
        ]
        other = f"; set algorithm to one of {able}" if able else ""
        raise ValueError(
            f"Each grid of param_grid must have {step}__{name}, the sparsity of"
            f" algorithm={choice!r}. Got one of {sorted(grid)}{other}, and use"
            " GridSearchCV for tolerances."
        )


def _share(estimator, step, densest, folder):
    """Replace the coder of a pipeline by one that shares its dictionaries."""
    shared = clone(estimator)
    coder = shared.get_params()[step]
    replacement = _SharedDictionary(coder, densest, folder)
    for setting in ("_sklearn_output_config", "_metadata_request"):
        if hasattr(coder, setting):
            setattr(replacement, setting, getattr(coder, setting))
    return shared.set_params(**{step: replacement})


def _rename_parameters(param_grid, step):
    """Rename the coder's parameters to those of the coder inside the shared one."""
    if not isinstance(param_grid, dict):
        return [_rename_parameters(grid, step) for grid in param_grid]
    outer, inner = f"{step}__", f"{step}__coder__"
    return {
        _replace_prefix(name, outer, inner): value for name, value in param_grid.items()
    }


def _replace_prefix(name, old, new):
    """Replace the prefix in the name of a parameter or of its column."""
    column = "param_" if name.startswith("param_") else ""
    rest = name.removeprefix(column)
    return column + new + rest.removeprefix(old) if rest.startswith(old) else name


def _unshare(leaf):
    """Return the coder inside a shared one, fitted or not; others as they are."""
    if isinstance(leaf, _SharedDictionary):
        return getattr(leaf, "coder_", leaf.coder)
    return leaf
