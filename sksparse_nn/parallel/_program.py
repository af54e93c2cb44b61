"""The program of a fit: what chunks are asked for, estimator by estimator."""

from dataclasses import dataclass

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sksparse_nn._rounds import Round
from sksparse_nn.parallel._passes import Passes, fit_in_passes


@dataclass(frozen=True)
class Request:
    """What chunks are asked for, behind fitted steps of a pipeline."""

    what: Round | Passes
    ahead: tuple = ()


def plan(estimator):
    """Fit a clone of an estimator by requests.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or one with a method `_fit_in_rounds` or `partial_fit`.

    Returns
    -------
    estimator : estimator
        The clone, fitted.

    Yields
    ------
    request : Request
        What is sent back is the sum of what chunks gave.

    Raises
    ------
    TypeError
        If it cannot learn from chunks.
    """
    if isinstance(estimator, Pipeline):
        return (yield from _plan_pipeline(clone(estimator)))
    if isinstance(estimator, FrozenEstimator):
        return estimator
    estimator = clone(estimator)
    if hasattr(estimator, "_validate_params"):
        estimator._validate_params()
    if hasattr(estimator, "_fit_in_rounds"):
        yield from _behind((), estimator._fit_in_rounds())
        return estimator
    if hasattr(estimator, "partial_fit"):
        return (yield from _behind((), fit_in_passes(estimator)))
    if not get_tags(estimator).requires_fit:
        return estimator
    raise TypeError(
        f"An estimator learns from chunks by sums or by partial_fit. Got "
        f"{type(estimator).__name__}, which has neither; fit it on samples that fit in "
        "memory. Fitted, it may be a step inside a FrozenEstimator, and the functions "
        "of sksparse_nn.parallel transform and predict with it."
    )


def _plan_pipeline(pipeline):
    ahead = ()
    for place, (name, step) in enumerate(pipeline.steps):
        if step is None or isinstance(step, str):  # passthrough
            continue
        fitted = yield from _behind(ahead, plan(step))
        pipeline.steps[place] = name, fitted
        ahead = (*ahead, fitted)
    return pipeline


def _behind(ahead, program):
    """Run a program whose samples go through further steps first."""
    result = None
    try:
        while True:
            asked = program.send(result)
            if not isinstance(asked, Request):
                asked = Request(asked)
            result = yield Request(asked.what, (*ahead, *asked.ahead))
    except StopIteration as end:
        return end.value


def run(estimator, engine):
    """Fit a clone of an estimator, with an engine that brings requests to chunks.

    Parameters
    ----------
    estimator : estimator
        It does not change.

    engine : Engine
        Knows the chunks and the workers.

    Returns
    -------
    estimator : estimator
        The fitted clone.
    """
    program, result = plan(estimator), None
    try:
        while True:
            asked = program.send(result)
            result = engine.bring(asked)
    except StopIteration as end:
        return end.value
