"""Whether parameters are the same, also after one of them was copied, or saved."""

from functools import partial, singledispatch
from hashlib import blake2b
from numbers import Number
from types import CodeType, FunctionType, MethodType

import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

# What a fitted estimator may be given anew without being fitted again.
_NOT_COMPARED = {"n_jobs", "random_state", "verbose"}

_PLAIN = Number, str, bytes, type, type(None), CodeType


def are_same(one, other):
    """Compare two values of a parameter by what they hold.

    Parameters
    ----------
    one, other : object
        Numbers, arrays, functions, modules, estimators, or containers of such.

    Returns
    -------
    are_same : bool
        True for objects of one class that cannot be compared.
    """
    try:
        return one is other or _compare(one, other)
    except RecursionError:  # they hold themselves
        return True


def list_changes(estimator, former, **known):
    """List the parameters in which two estimators of one class differ.

    Parameters
    ----------
    estimator, former : estimator
        Estimators.

    **known : dict
        Parameters of `former` that count in place of its own.

    Returns
    -------
    names : list of str
        In alphabetical order, without those that do not matter once it is fitted.
    """
    given = estimator.get_params(deep=False)
    former = former.get_params(deep=False) | known
    return sorted(
        name
        for name in given.keys() - _NOT_COMPARED
        if name in former and not are_same(given[name], former[name])
    )


def mark_fitted(estimator):
    """Return a short text that differs between fitted estimators.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    mark : str
        Of its public attributes.
    """
    digest = blake2b(digest_size=8)
    _feed(estimator, digest)
    return digest.hexdigest()


@singledispatch
def _compare(one, other):
    if isinstance(one, _PLAIN) or isinstance(other, _PLAIN):
        return _are_equal(one, other) or (_is_nan(one) and _is_nan(other))
    if hasattr(one, "get_params") and hasattr(other, "get_params"):
        return _compare_estimators(one, other)
    if hasattr(one, "__array__") or hasattr(other, "__array__"):
        return _compare_arrays(one, other)
    if type(one) is not type(other) or _name(one) != _name(other):
        return False
    return _are_equal(one, other) or _hold_the_same(one, other)


def _name(value):
    return getattr(value, "__name__", None)


def _hold_the_same(one, other):
    """Return whether objects have the same attributes, if they are not comparable."""
    if hasattr(one, "__dict__"):
        return are_same(vars(one), vars(other))
    return type(one).__eq__ is object.__eq__


def _is_nan(value):
    return isinstance(value, Number) and value != value


def _are_equal(one, other):
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return False


def _compare_estimators(one, other):
    if type(one) is not type(other):
        return False
    is_frozen = isinstance(one, FrozenEstimator)
    if is_frozen and mark_fitted(one.estimator) != mark_fitted(other.estimator):
        return False
    return not list_changes(one, other)


@_compare.register(np.ndarray)
def _compare_arrays(one, other):
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if object not in (one.dtype, other.dtype):
        return np.array_equal(one, other) or _are_equal_with_gaps(one, other)
    return all(map(are_same, one.ravel().tolist(), other.ravel().tolist()))


def _are_equal_with_gaps(one, other):
    are_floats = one.dtype.kind in "fc" and other.dtype.kind in "fc"
    return are_floats and np.array_equal(one, other, equal_nan=True)


@_compare.register(list)
@_compare.register(tuple)
def _(one, other):
    if isinstance(other, np.ndarray):
        return _compare_arrays(one, other)
    if not isinstance(other, list | tuple):
        return False
    return len(one) == len(other) and all(map(are_same, one, other))


@_compare.register
def _(one: dict, other):
    if not isinstance(other, dict) or one.keys() != other.keys():
        return False
    return all(are_same(one[key], other[key]) for key in one)


@_compare.register(sparse.spmatrix)
@_compare.register(sparse.sparray)
def _(one, other):
    if not sparse.issparse(other) or one.shape != other.shape:
        return False
    return (one != other).nnz == 0


@_compare.register
def _(one: partial, other):
    if not isinstance(other, partial):
        return False
    return are_same(
        (one.func, one.args, one.keywords), (other.func, other.args, other.keywords)
    )


@_compare.register
def _(one: MethodType, other):
    if not isinstance(other, MethodType):
        return False
    return are_same((one.__func__, one.__self__), (other.__func__, other.__self__))


@_compare.register
def _(one: FunctionType, other):
    if not isinstance(other, FunctionType):
        return False
    return are_same(_describe_function(one), _describe_function(other))


def _describe_function(function):
    cells = [_content(cell) for cell in function.__closure__ or ()]
    defaults = function.__defaults__, function.__kwdefaults__
    return function.__module__, function.__code__, defaults, cells


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


@_compare.register
def _(one: torch.Tensor, other):
    if not isinstance(other, torch.Tensor) or type(one) is not type(other):
        return False
    if torch.nn.parameter.is_lazy(one) or torch.nn.parameter.is_lazy(other):
        return True
    return one.shape == other.shape and torch.equal(one.cpu(), other.cpu())


@_compare.register
def _(one: torch.nn.Module, other):
    return type(one) is type(other) and are_same(_own_state(one), _own_state(other))


def _own_state(module):
    return {key: x for key, x in vars(module).items() if key != "training"}


def _feed(value, digest):
    """Feed numbers, texts and arrays into a digest; all else has no say."""
    if isinstance(value, BaseEstimator):
        value = {
            name: part
            for name, part in sorted(vars(value).items())
            if not name.startswith("_") and name not in _NOT_COMPARED
        }
    if sparse.issparse(value):
        value = [value.shape, value.tocsr().data, value.tocsr().indices]
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if isinstance(value, list | tuple):
        for part in value:
            _feed(part, digest)
    elif isinstance(value, str):
        digest.update(value.encode())
    elif isinstance(value, Number | np.ndarray) and np.asarray(value).dtype != object:
        array = np.asarray(value)
        digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
