"""Decorators of methods. Type checkers see the methods as they are written."""

from collections.abc import Callable
from typing import TypeVar

from sklearn.base import _fit_context
from sklearn.utils import metaestimators

from sksparse_nn._callbacks import with_callbacks

Method = TypeVar("Method", bound=Callable)


def fits(method: Method) -> Method:
    """Validate the parameters first, and take callbacks down at the end.

    Parameters
    ----------
    method : callable
        A method that fits an estimator.

    Returns
    -------
    method : callable
        The decorated method.
    """
    return with_callbacks(_fit_context(prefer_skip_nested_validation=True)(method))


def fits_others(method: Method) -> Method:
    """Take callbacks down at the end.

    Parameters
    ----------
    method : callable
        A method that fits an estimator around others, and validates parameters itself.

    Returns
    -------
    method : callable
        The decorated method.
    """
    return with_callbacks(method)


def available_if(check: Callable) -> Callable[[Method], Method]:
    """Make a method available if a function of its estimator returns true.

    Parameters
    ----------
    check : callable
        Takes the estimator.

    Returns
    -------
    decorator : callable
        Of scikit-learn.
    """
    return metaestimators.available_if(check)
