"""The one walk through estimators that are made of others."""

from copy import copy

from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import _safe_indexing

from sksparse_nn._structure import check_structure

_NOTHING = (None, "passthrough", "drop")


def is_frame(estimator):
    """Tell whether an estimator only stands around another.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_frame : bool
        Whether it is a compressor, a search or frozen.
    """
    return (
        isinstance(estimator, FrozenEstimator)
        or hasattr(estimator, "_is_compressor")
        or is_search(estimator)
    )


def is_search(estimator):
    """Tell whether an estimator searches parameters of another.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_search : bool
        Whether it is one of scikit-learn's searches, or alike.
    """
    return hasattr(estimator, "best_estimator_") or (
        hasattr(estimator, "estimator") and hasattr(estimator, "refit")
    )


def inside(frame):
    """Return what a frame is around.

    Parameters
    ----------
    frame : estimator
        A compressor, a search or a frozen estimator.

    Returns
    -------
    estimator : estimator
        Of a fitted compressor the smaller one, of a fitted search the best one.
    """
    for name in ("best_estimator_", "estimator_"):
        if hasattr(frame, name) and not isinstance(frame, FrozenEstimator):
            return getattr(frame, name)
    return frame.estimator


def holds_frozen(estimator):
    """Tell whether a step is the same object in every clone.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    holds_frozen : bool
        Whether there is a frozen estimator in it.
    """
    if isinstance(estimator, FrozenEstimator):
        return True
    if is_frame(estimator):
        return holds_frozen(inside(estimator))
    steps = estimator.steps if isinstance(estimator, Pipeline) else []
    return any(holds_frozen(step) for _, step in steps)


def flat_steps(estimator):
    """Return the steps that a prediction goes through, in order.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    steps : list of estimator
        None of them a pipeline, a frame, or a sampler, which acts while fitting only;
        at least one.
    """
    return _flat(estimator) or [estimator]


def last_step(estimator):
    """Return the estimator that pipelines and frames end in.

    Parameters
    ----------
    estimator : estimator
        A pipeline, a frame, or anything else, in any nesting.

    Returns
    -------
    step : estimator
        What is left when all of these are taken off.
    """
    return flat_steps(estimator)[-1]


def transform_ahead(estimator, X):
    """Return what the last step of a fitted estimator is given.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline, a frame, or anything else.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        What the whole is given.

    Returns
    -------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        `X` behind all the transformers.

    Raises
    ------
    ValueError
        If the indices of a sparse `X` are not within its shape.
    """
    check_structure(X)
    for step in flat_steps(estimator)[:-1]:
        X = step.transform(X)
    return X


def leaves(step, X):
    """Yield the transformers that a fitted one is made of, and what each is given.

    Parameters
    ----------
    step : transformer or {"drop", "passthrough", None}
        A pipeline, a union, a transformer of columns, a frame, or anything else.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        What it is given.

    Yields
    ------
    leaf : transformer
        Not made of others.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        What the leaf is given.
    """
    if _is_nothing(step):
        return
    if isinstance(step, FeatureUnion):
        for _, part in step.transformer_list:
            yield from leaves(part, X)
    elif isinstance(step, ColumnTransformer):
        for _, part, columns in step.transformers_:
            if not _is_nothing(part):
                yield from leaves(part, _safe_indexing(X, columns, axis=1))
    elif isinstance(step, Pipeline) or is_frame(step):
        *steps, last = flat_steps(step)
        for part in steps:
            yield from leaves(part, X)
            X = part.transform(X)
        yield from leaves(last, X)
    else:
        yield step, X


def named_leaves(estimator, prefix=""):
    """Yield the steps that an estimator is made of, with the names of their parameters.

    Parameters
    ----------
    estimator : estimator
        Pipelines, unions, transformers of columns, and what is in them; fitted or not.

    prefix : str, default=""
        What to put ahead of the names.

    Yields
    ------
    name : str
        As ``set_params`` takes it.

    leaf : estimator
        None of these kinds.
    """
    if _is_nothing(estimator):
        return
    for kind, names in _PARTS.items():
        if isinstance(estimator, kind):
            for name, part, *_ in getattr(estimator, names[0]):
                yield from named_leaves(part, f"{prefix}__{name}" if prefix else name)
            return
    yield prefix, estimator


def rebuild(estimator, change):
    """Return a copy of what an estimator is made of, with other leaves.

    Parameters
    ----------
    estimator : estimator or {"drop", "passthrough", None}
        Pipelines, unions, transformers of columns, and what is in them.

    change : callable
        Returns what stands in the place of an estimator that is none of these, a frame
        included.

    Returns
    -------
    copy : estimator
        Of the classes and settings that there were.
    """

    def changed(parts):
        return [(part[0], rebuild(part[1], change), *part[2:]) for part in parts]

    if _is_nothing(estimator):
        return estimator
    for kind, names in _PARTS.items():
        if isinstance(estimator, kind):
            twin = copy(estimator)
            for name in names:
                if hasattr(estimator, name):
                    setattr(twin, name, changed(getattr(estimator, name)))
            return twin
    return change(estimator)


def without_samplers(pipeline):
    """Return a copy of a pipeline without the steps that act while fitting only.

    Parameters
    ----------
    pipeline : Pipeline
        Any, such as one of imbalanced-learn.

    Returns
    -------
    copy : Pipeline
        Of the same class.
    """
    twin = copy(pipeline)
    twin.steps = [(name, step) for name, step in pipeline.steps if not _resamples(step)]
    return twin


# Where the parts of a whole stand: as they were given, and as they were fitted.
_PARTS = {
    Pipeline: ["steps"],
    FeatureUnion: ["transformer_list"],
    ColumnTransformer: ["transformers", "transformers_"],
}


def _flat(estimator):
    if is_frame(estimator):
        return _flat(inside(estimator))
    if not isinstance(estimator, Pipeline):
        return [estimator]
    kept = [
        step
        for _, step in estimator.steps
        if not _is_nothing(step) and not _resamples(step)
    ]
    return [inner for step in kept for inner in _flat(step)]


def _is_nothing(step):
    return step is None or (isinstance(step, str) and step in _NOTHING)


def _resamples(step):
    return hasattr(step, "fit_resample")
