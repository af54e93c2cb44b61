"""Estimators that learn from one chunk after another, by `partial_fit`."""

from copy import deepcopy
from dataclasses import dataclass
from inspect import signature

import numpy as np

from sksparse_nn._rounds import Round, Sum
from sksparse_nn.parallel._chunks import load, name_chunk
from sksparse_nn.parallel._job import naming, transform_by
from sksparse_nn.parallel._parts import check_alike, read_layout


def fit_in_passes(estimator):
    """Fit an estimator by passes over the chunks in order.

    Parameters
    ----------
    estimator : estimator
        Not fitted, with `partial_fit`. It passes over the chunks `max_epochs` times if
        it has such a parameter, and once otherwise.

    Returns
    -------
    estimator : estimator
        Fitted.

    Yields
    ------
    request : Labels or Passes
        What chunks are asked for.
    """
    options = {}
    if "classes" in signature(estimator.partial_fit).parameters:
        labels = yield Labels()
        drop = getattr(estimator, "_drop_unlabelled", lambda classes: classes)
        options["classes"] = drop(labels.classes)
    known = yield Passes(estimator, getattr(estimator, "max_epochs", 1), options)
    return known.estimator


@dataclass(frozen=True)
class Classes(Sum):
    """Labels of some chunks; for an indicator the numbers of its columns."""

    classes: np.ndarray

    def merge(self, other):
        return Classes(np.union1d(self.classes, other.classes))


@dataclass(frozen=True)
class Labels(Round):
    """Lists the labels of chunks, which a classifier needs before it learns."""

    def read(self, X, y, sample_weight, number):
        _check_targets(y)
        is_indicator = getattr(y, "ndim", 1) == 2 and y.shape[1] > 1
        return Classes(np.arange(y.shape[1]) if is_indicator else np.unique(y))


@dataclass(frozen=True)
class Passes:
    """Passes over all chunks in order, on one worker at a time.

    Parameters
    ----------
    estimator : estimator
        Not fitted.

    n_passes : int
        How often each chunk is learnt from.

    options : dict
        Of the first call of `partial_fit`.
    """

    estimator: object
    n_passes: int
    options: dict

    def begin(self):
        """Return what is known ahead of the first chunk."""
        return Known(deepcopy(self.estimator), self.options, {})


@dataclass(frozen=True)
class Known:
    """An estimator that has learnt from some chunks.

    Parameters
    ----------
    estimator : estimator
        The estimator.

    options : dict
        Of the next call of `partial_fit`.

    layouts : dict of Layout to tuple
        Number and name of the first chunk with samples.
    """

    estimator: object
    options: dict
    layouts: dict

    def learn(self, numbered, ahead=(), *, copy=True):
        """Learn from one more chunk.

        Parameters
        ----------
        numbered : tuple of (int, object)
            Place of the chunk, and the chunk as it was given.

        ahead : tuple of transformer, default=()
            Fitted steps that the samples go through first.

        copy : bool, default=True
            Whether this estimator stays as it was.

        Returns
        -------
        known : Known
            After the chunk.
        """
        number, given = numbered
        with naming(number, given):
            chunk = load(given)
            if chunk.is_empty:
                return self
            layout = read_layout(chunk.X)
        layouts = self.layouts or {layout: (number, name_chunk(number, given))}
        check_alike({layout: (number, name_chunk(number, given))} | layouts)
        with naming(number, given):
            estimator = deepcopy(self.estimator) if copy else self.estimator
            learn, options = estimator.partial_fit, dict(self.options)
            if chunk.sample_weight is not None:
                options["sample_weight"] = _check_weighted(estimator, chunk)
            X = transform_by(ahead, chunk.X)
            learn(X, *_targets_of(learn, chunk.y), **options)
        return Known(estimator, {}, layouts)


def _check_weighted(estimator, chunk):
    if "sample_weight" in signature(estimator.partial_fit).parameters:
        return chunk.sample_weight
    raise ValueError(
        f"{type(estimator).__name__}.partial_fit takes no sample_weight. Got chunks "
        "with weights; leave them out."
    )


def _targets_of(learn, y):
    if y is not None:
        return (y,)
    parameter = signature(learn).parameters.get("y")
    if parameter is not None and parameter.default is parameter.empty:
        _check_targets(y)
    return ()


def _check_targets(y):
    if y is None:
        raise ValueError(
            "Targets are needed. Got samples alone; give chunks as (X, y), or y beside "
            "a dask collection."
        )
