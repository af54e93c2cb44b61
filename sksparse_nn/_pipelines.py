"""Traversal of estimators that contain others."""

from copy import copy

from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import _safe_indexing

from sksparse_nn._structure import check_structure

_NOTHING = (None, "passthrough", "drop")


def is_frame(estimator):
    """Return whether an estimator wraps another.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_frame : bool
        Whether it is a compressor, a search, screened or frozen.
    """
    return (
        isinstance(estimator, FrozenEstimator)
        or hasattr(estimator, "_is_compressor")
        or is_screened(estimator)
        or is_search(estimator)
    )


def is_search(estimator):
    """Return whether an estimator searches parameters of another.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_search : bool
        Whether it is one of scikit-learn's searches, or similar.
    """
    if getattr(estimator, "_is_compressor", False):
        return False  # it may have a `refit`, of weights
    return hasattr(estimator, "best_estimator_") or (
        hasattr(estimator, "estimator") and hasattr(estimator, "refit")
    )


def unwrap(frame):
    """Return the estimator inside a frame.

    Parameters
    ----------
    frame : estimator
        A compressor, a search, a screened or a frozen estimator.

    Returns
    -------
    estimator : estimator
        The smaller one in a fitted compressor, the best one in a fitted search.
    """
    return getattr(frame, _inner_name(frame))


def _inner_name(frame):
    for name in ("best_estimator_", "estimator_"):
        if hasattr(frame, name) and not isinstance(frame, FrozenEstimator):
            return name
    return "estimator"


def has_frozen(estimator):
    """Return whether an estimator holds a frozen one, which clones share.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    has_frozen : bool
        Whether it contains a frozen estimator.
    """
    return _holds(estimator, lambda part: isinstance(part, FrozenEstimator))


def is_screened(estimator):
    """Return whether an estimator is a `ScreenedEstimator`.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_screened : bool
        Whether it screens rows ahead of the estimator that it wraps.
    """
    return hasattr(estimator, "_is_screened")


def has_screened(estimator):
    """Return whether an estimator holds a `ScreenedEstimator`.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    has_screened : bool
        Whether it contains one, or is one.
    """
    return _holds(estimator, is_screened)


def _holds(estimator, test):
    if test(estimator):
        return True
    if is_frame(estimator):
        return _holds(unwrap(estimator), test)
    steps = estimator.steps if isinstance(estimator, Pipeline) else []
    return any(_holds(step, test) for _, step in steps)


def list_steps(estimator):
    """Return the steps that a prediction goes through, in order.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    steps : list of estimator
        At least one step, without pipelines, frames, and samplers, which act only in
        `fit`.
    """
    return _flatten(estimator) or [estimator]


def split_steps(estimator):
    """Return the steps of a prediction, with a tuned coder as a step of its own.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    steps : list of estimator
        As `list_steps` returns them; the network of a tuned coder is a copy that takes
        codes.
    """
    *steps, last = list_steps(estimator)
    return [*steps, *getattr(last, "_split_steps", lambda: [last])()]


def split_coders(estimator):
    """Copy an estimator in which coders that are not tuned are steps of pipelines.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    copy : estimator
        The estimators inside are not copied.
    """

    def split(leaf):
        steps = list_steps(leaf)
        return leaf if len(steps) == 1 else make_pipeline(*steps)

    return replace_inside(estimator, split)


def replace_inside(estimator, change):
    """Copy an estimator with replaced leaves, also inside frames.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline, a frame, or anything else, in any nesting.

    change : callable
        Returns the replacement of an estimator of another kind.

    Returns
    -------
    copy : estimator
        The estimators that stay are not copied.
    """

    def change_leaf(leaf):
        if not is_frame(leaf):
            return change(leaf)
        twin, name = copy(leaf), _inner_name(leaf)
        setattr(twin, name, replace_inside(getattr(leaf, name), change))
        return twin

    return replace_leaves(estimator, change_leaf)


def last_step(estimator):
    """Return the estimator that pipelines and frames end in.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    step : estimator
        The innermost last step.
    """
    return list_steps(estimator)[-1]


def transform_ahead(estimator, X):
    """Return the input of the last step of a fitted estimator.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline, a frame, or anything else.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Input of the estimator.

    Returns
    -------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        `X` after all the transformers.

    Raises
    ------
    ValueError
        If the indices of a sparse `X` are not within its shape.
    """
    check_structure(X)
    for step in list_steps(estimator)[:-1]:
        X = step.transform(X)
    return X


def walk_leaves(step, X):
    """Yield the transformers inside a fitted one, with their inputs.

    Parameters
    ----------
    step : transformer or {"drop", "passthrough", None}
        A pipeline, a union, a transformer of columns, a frame, or anything else.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Input of the step.

    Yields
    ------
    leaf : transformer
        A transformer without inner transformers.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Input of the leaf.
    """
    if _is_nothing(step):
        return
    if isinstance(step, FeatureUnion):
        for _, part in step.transformer_list:
            yield from walk_leaves(part, X)
    elif isinstance(step, ColumnTransformer):
        for _, part, columns in step.transformers_:
            if not _is_nothing(part):
                yield from walk_leaves(part, _safe_indexing(X, columns, axis=1))
    elif isinstance(step, Pipeline) or is_frame(step):
        *steps, last = list_steps(step)
        for part in steps:
            yield from walk_leaves(part, X)
            X = part.transform(X)
        yield from walk_leaves(last, X)
    else:
        yield step, X


def walk_named_leaves(estimator, prefix=""):
    """Yield the innermost steps of an estimator, with the names of their parameters.

    Parameters
    ----------
    estimator : estimator
        Pipelines, unions, column transformers and their steps; fitted or not.

    prefix : str, default=""
        Prefix of the names.

    Yields
    ------
    name : str
        Name for ``set_params``.

    leaf : estimator
        An estimator of another kind.
    """
    if _is_nothing(estimator):
        return
    for kind, names in _PARTS.items():
        if isinstance(estimator, kind):
            for name, part, *_ in getattr(estimator, names[0]):
                yield from walk_named_leaves(
                    part, f"{prefix}__{name}" if prefix else name
                )
            return
    yield prefix, estimator


def replace_leaves(estimator, change):
    """Copy an estimator with replaced leaves.

    Parameters
    ----------
    estimator : estimator or {"drop", "passthrough", None}
        Pipelines, unions, column transformers and their steps.

    change : callable
        Returns the replacement of an estimator of another kind, frames included.

    Returns
    -------
    copy : estimator
        Copy with the original classes and settings.
    """

    def change_parts(parts):
        return [(part[0], replace_leaves(part[1], change), *part[2:]) for part in parts]

    if _is_nothing(estimator):
        return estimator
    for kind, names in _PARTS.items():
        if isinstance(estimator, kind):
            twin = copy(estimator)
            for name in names:
                if hasattr(estimator, name):
                    setattr(twin, name, change_parts(getattr(estimator, name)))
            return twin
    return change(estimator)


def drop_samplers(pipeline):
    """Copy a pipeline without the steps that act only in `fit`.

    Parameters
    ----------
    pipeline : Pipeline
        Any pipeline, such as one of imbalanced-learn.

    Returns
    -------
    copy : Pipeline
        Pipeline of the same class.
    """
    twin = copy(pipeline)
    twin.steps = [(name, step) for name, step in pipeline.steps if not _resamples(step)]
    return twin


# Attributes of the parts of a composition: as given, and as fitted.
_PARTS = {
    Pipeline: ["steps"],
    FeatureUnion: ["transformer_list"],
    ColumnTransformer: ["transformers", "transformers_"],
}


def _flatten(estimator):
    if is_frame(estimator):
        return _flatten(unwrap(estimator))
    if hasattr(estimator, "_split_steps") and not estimator._is_tuned:
        return estimator._split_steps()
    if not isinstance(estimator, Pipeline):
        return [estimator]
    kept = [
        step
        for _, step in estimator.steps
        if not _is_nothing(step) and not _resamples(step)
    ]
    return [inner for step in kept for inner in _flatten(step)]


def _is_nothing(step):
    return step is None or (isinstance(step, str) and step in _NOTHING)


def _resamples(step):
    return hasattr(step, "fit_resample")
