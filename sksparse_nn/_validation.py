"""Validation of the input of estimators."""

import os
import re
from collections.abc import Iterable
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils._missing import is_pandas_na
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from sksparse_nn._kinds import check_kind
from sksparse_nn._picked_rows import pick
from sksparse_nn._structure import check_structure
from sksparse_nn._warnings import warn

# Integers, booleans and float16 are converted to the first type.
FLOAT_TYPES = (np.float32, np.float64)

# Largest integer up to which float32 represents all integers.
_LARGEST = 2**24
_CSR = sparse.csr_matrix, sparse.csr_array
_WHOLE = re.compile(r"(sparse\[)?u?int\d+")


@contextmanager
def restored_on_error(estimator):
    """Restore an estimator's attributes if the body raises.

    Parameters
    ----------
    estimator : object
        Attributes that the body rebinds are restored; changes in place are not.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def warn_once(*sentences):
    """Warn once with all messages of a fit or a transform.

    Parameters
    ----------
    *sentences : str
        Sentences of the warning; empty ones are left out.
    """
    text = " ".join(filter(None, sentences))
    if text:
        warn(text)


def check_fitted(estimator, attribute):
    """Raise scikit-learn's error if an attribute is missing, but check faster.

    Parameters
    ----------
    estimator : estimator instance
        Named in the message.

    attribute : str
        Name of an attribute that a fit stores.

    Raises
    ------
    NotFittedError
        If the estimator does not have the attribute.
    """
    if attribute not in vars(estimator):
        check_is_fitted(estimator, attribute)


def check_rows(estimator, X, *, reset, ensure_all_finite=True, **options):
    """Validate a matrix of samples for an estimator.

    Parameters
    ----------
    estimator : estimator instance
        Gets ``n_features_in_`` and ``feature_names_in_`` when `reset` is true.

    X : array-like or sparse matrix of shape (n_samples, n_features)
        Samples.

    reset : bool
        Whether to learn the width from `X` or to check it.

    ensure_all_finite : bool or "allow-nan", default=True
        Whether all numbers must be finite, or may be missing.

    **options : dict
        Further options of scikit-learn's ``validate_data``.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        In float64 if `X` is in float64 or has integers that float32 cannot represent,
        in float32 otherwise, in uint8 if `X` is and the estimator takes it for images;
        a sparse one has sorted indices without duplicates. The
        user's own arrays are not written to.
    """
    check_structure(X)
    if hasattr(estimator, "_as_rows"):  # samples may be images
        X = estimator._as_rows(X, reset=reset)
    is_known = isinstance(ensure_all_finite, bool) and not options
    if is_known and _is_plain(estimator, X, reset):
        if reset:
            _learn_width(estimator, X)
        if ensure_all_finite:
            check_finite(estimator, X)
        return X
    if is_known and ensure_all_finite and _is_plain_csr(estimator, X, reset):
        check_finite(estimator, X)
        return X
    check_structure(options.get("y"), "y")
    if isinstance(X, list | tuple) or _hides_its_type(X):
        X = np.asarray(X)  # so that it has its NumPy type
    X = check_kind(X)
    is_left_to_us = ensure_all_finite is True and not sparse.issparse(X)
    with np.errstate(over="ignore", invalid="ignore"):  # sums that detect lost values
        checked = validate_data(
            estimator,
            X,
            dtype=_types_for(estimator, X),
            accept_sparse="csr",
            reset=reset,
            ensure_all_finite=False if is_left_to_us else ensure_all_finite,
            **options,
        )
    X, *y = checked if isinstance(checked, tuple) else (checked,)
    if is_left_to_us:
        check_finite(estimator, X)
    X = _canonical(X) if sparse.issparse(X) else X
    return (X, *y) if y else X


def _types_for(estimator, X):
    """Return the types that an estimator takes."""
    if getattr(estimator, "_keeps_bytes", False) and _are_bytes(X):
        return np.uint8
    return float_types(X)


def _are_bytes(X):
    """Return whether an array or a table has pixels of eight bits."""
    return all(str(dtype).lower() == "uint8" for dtype in _list_dtypes(X))


def _is_plain(estimator, X, reset):
    """Return whether an array passes validation unchanged, apart from its values.

    The same check by scikit-learn takes a quarter of a small fit.
    """
    if type(X) is not np.ndarray or X.dtype not in FLOAT_TYPES:
        return False
    if X.ndim != 2 or not X.size:
        return False
    return reset or _has_width_only(estimator, X.shape[1])


def _is_plain_csr(estimator, X, reset):
    """Return the same of a CSR matrix as of an array, once its structure is checked."""
    if type(X) not in _CSR or reset or not X.nnz or X.ndim != 2:
        return False
    if X.dtype not in FLOAT_TYPES or X.indices.dtype != X.indptr.dtype:
        return False
    return _has_width_only(estimator, X.shape[1]) and X.has_canonical_format


def _has_width_only(estimator, width):
    """Return whether an estimator was fitted on `width` features without names."""
    known = getattr(estimator, "n_features_in_", None)
    return known == width and not hasattr(estimator, "feature_names_in_")


def _learn_width(estimator, X):
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = X.shape[1]


def check_finite(estimator, X):
    """Raise scikit-learn's error for missing or infinite values, but check faster.

    Parameters
    ----------
    estimator : estimator instance
        Named in the message.

    X : ndarray or sparse matrix of shape (n_samples, n_features)
        Samples.

    Raises
    ------
    ValueError
        If a number is missing or infinite.
    """
    values = X.data if sparse.issparse(X) else X
    if values.flags.c_contiguous:
        with np.errstate(over="ignore", invalid="ignore"):
            flat = values.ravel()
            if np.isfinite(flat @ flat):
                return
    with np.errstate(over="ignore", invalid="ignore"):
        assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")


def check_codes(X, n_columns):
    """Validate the input of `inverse_transform`.

    Parameters
    ----------
    X : array-like, sparse matrix or table
        Codes.

    n_columns : int
        Number of columns that `transform` returns.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_samples, n_columns)
        Of a float type.

    Raises
    ------
    ValueError
        If the codes are not numbers, or have another width.
    """
    check_structure(X)
    X = check_kind(X)
    codes = check_array(X, accept_sparse="csr", dtype=float_types(X))
    if codes.shape[1] != n_columns:
        raise ValueError(
            f"X must have {n_columns} columns, as the codes have. Got {codes.shape[1]}."
        )
    return codes


def float_types(X):
    """Return the allowed types of samples, the default for conversion first.

    Parameters
    ----------
    X : array-like, sparse matrix or table
        Samples.

    Returns
    -------
    types : type or list of type
        Only float64 if float32 would lose digits: for doubles, and for integers beyond
        2**24, such as identifiers and times.
    """
    if _is_double(X) or any(map(_are_beyond_float32, _integers(X))):
        return np.float64
    return list(FLOAT_TYPES)


def _integers(X):
    """Return the integers of an array, a sparse matrix or a table as arrays."""
    if hasattr(X, "dtypes"):
        return [
            X.iloc[:, i] if hasattr(X, "iloc") else X[X.columns[i]]
            for i, dtype in enumerate(X.dtypes)
            if _WHOLE.match(str(dtype).lower())
        ]
    X = np.asarray(X) if isinstance(X, list | tuple) else X
    if getattr(getattr(X, "dtype", None), "kind", "") not in ("i", "u"):
        return []
    return [X.tocoo().data if sparse.issparse(X) else X]


def _are_beyond_float32(values):
    if len(values) == 0 or getattr(values.dtype, "itemsize", 8) < 4:
        return False
    extremes = values.min(), values.max()
    return any(
        not (extreme is None or is_pandas_na(extreme)) and abs(int(extreme)) > _LARGEST
        for extreme in extremes
    )


def _hides_its_type(X):
    """Return whether input becomes an array but does not define its type."""
    return hasattr(X, "__array__") and not (hasattr(X, "dtype") or hasattr(X, "dtypes"))


def _list_dtypes(X):
    """Return the types of the columns of a table of any library, or of an array."""
    dtypes = getattr(X, "dtypes", None)
    is_table = isinstance(dtypes, Iterable)  # a Series has one
    return list(dtypes) if is_table else [getattr(X, "dtype", None)]


def _is_double(X):
    """Return whether an array or a table of any library has doubles or wider floats."""
    doubles = ("float64", "double", "longdouble", "float96", "float128")
    return any(
        (isinstance(d, np.dtype) and d.kind == "f" and d.itemsize >= 8)  # in any order
        or any(name in str(d).lower() for name in doubles)
        for d in _list_dtypes(X)
    )


def check_n_components(n_components, n_features, *, paired=False):
    """Raise if atoms do not fit in memory.

    Parameters
    ----------
    n_components : int
        Number of atoms.

    n_features : int
        Their width.

    paired : bool, default=False
        Whether one number per pair of atoms is stored.

    Raises
    ------
    ValueError
        If the atoms do not fit.
    """
    width = n_features + (n_components if paired else 0)
    needed, there = 8 * n_components * width, _memory()
    if needed > there:
        raise ValueError(
            f"n_components={n_components} atoms of {n_features} features take"
            f" {needed / 1e9:,.0f} GB. Got a machine with {there / 1e9:,.0f} GB; lower"
            " n_components."
        )


def _memory():
    """Return the memory in bytes, or the addressable memory if it is unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**47


def check_container(estimator):
    """Check that the output container can hold sparse codes.

    Parameters
    ----------
    estimator : transformer
        Has the parameter `sparse_output`.

    Raises
    ------
    ValueError
        If ``set_output`` or scikit-learn's configuration requests a table.
    """
    container = _get_output_config("transform", estimator)["dense"]
    if estimator.sparse_output and container != "default":
        raise ValueError(
            f"{container.capitalize()} output cannot hold sparse codes. Got "
            "sparse_output=True; set sparse_output=False, or "
            "set_output(transform='default')."
        )


def check_same_names(one, other):
    """Check that two fitted estimators saw the same features.

    Parameters
    ----------
    one, other : estimator instance
        Fitted; names are compared if both have them.

    Raises
    ------
    ValueError
        If the names or their order differ.
    """
    names = [getattr(fitted, "feature_names_in_", None) for fitted in (one, other)]
    known = all(given is not None for given in names)
    if known and not np.array_equal(*names):
        raise ValueError(
            "Both need the same features in the same order. Got"
            f" {list(names[0][:5])} and {list(names[1][:5])}, to name the first."
        )


def check_mergeable(one, other):
    """Check that two estimators are fitted, of one kind, on the same features.

    Parameters
    ----------
    one, other : estimator instance
        The two.

    Raises
    ------
    NotFittedError
        If one of them is not fitted.

    ValueError
        If they are of different classes, or the names of their features differ.
    """
    kinds = [type(estimator).__name__ for estimator in (one, other)]
    if not isinstance(other, type(one)):
        raise ValueError(f"merge needs another {kinds[0]}. Got {kinds[1]}.")
    check_is_fitted(one)
    check_is_fitted(other)
    check_same_names(one, other)


def check_weights(X, sample_weight):
    """Validate sample weights and leave out the rows whose weight is zero.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples.

    sample_weight : array-like of shape (n_samples,), float or None
        Weights; None for ones.

    Returns
    -------
    X : ndarray, CSR matrix or PickedRows of shape (n_kept, n_features)
        Samples that count; they are not copied.

    weights : ndarray of shape (n_kept,)
        Their weights, in float64.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.
    """
    kept, weights = counting_rows(X, sample_weight)
    return (X if kept is None else pick(X, kept)), weights


def counting_rows(X, sample_weight):
    """Validate sample weights and find the rows whose weight is not zero.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples.

    sample_weight : array-like of shape (n_samples,), float or None
        Weights; None for ones.

    Returns
    -------
    kept : ndarray of shape (n_kept,) or None
        Indices of the rows of nonzero weight; None for all.

    weights : ndarray of shape (n_kept,)
        Their weights, in float64.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.
    """
    check_structure(sample_weight, "sample_weight")
    weights = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    if weights.all():
        return None, weights
    kept = np.flatnonzero(weights)
    if not len(kept):
        raise ValueError(
            "sample_weight must be positive for at least one sample. Got"
            f" {len(weights)} zeros."
        )
    return kept, weights[kept]


def _canonical(X):
    if X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def check_atoms(atoms, n_components, X, *, name="init"):
    """Validate the initial atoms.

    Parameters
    ----------
    atoms : array-like of shape (n_components, n_features)
        Atoms.

    n_components : int or None
        Required number of atoms; None for any.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples, which determine the width and the type.

    name : str, default="init"
        Name of the parameter.

    Returns
    -------
    atoms : ndarray of shape (n_components, n_features)
        A copy.

    Raises
    ------
    ValueError
        If the atoms are not finite numbers, or have another shape.
    """
    atoms = check_array(atoms, dtype=X.dtype, input_name=name, copy=True)
    expected = len(atoms) if n_components is None else n_components, X.shape[1]
    if atoms.shape != expected:
        raise ValueError(
            f"{name} must have the shape (n_components, n_features) ="
            f" {expected}. Got {atoms.shape}."
        )
    return atoms
