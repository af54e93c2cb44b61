"""Checks of what a user hands to an estimator."""

import warnings
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_sample_weight, validate_data

from sksparse_nn._kinds import check_kind

# The first type is what integers, booleans and float16 become.
FLOAT_TYPES = (np.float32, np.float64)


@contextmanager
def restored_on_error(estimator):
    """Put an estimator's attributes back if the body raises.

    Parameters
    ----------
    estimator : object
        Attributes that the body rebinds are restored; what it changes in place is not.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def warn_once(*sentences):
    """Give all that a fit or a transform has to say as one warning.

    Parameters
    ----------
    *sentences : str
        Those that are empty are left out.
    """
    text = " ".join(filter(None, sentences))
    if text:
        warnings.warn(text, UserWarning, stacklevel=3)


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
        Of type float64 if it came as that and float32 otherwise; a sparse one has
        sorted indices without duplicates. The user's own arrays are not written to.
    """
    if isinstance(X, list | tuple) or _hides_its_type(X):
        X = np.asarray(X)  # so that it is of the type that NumPy gives it
    X = check_kind(X)
    is_left_to_us = ensure_all_finite is True and not sparse.issparse(X)
    checked = validate_data(
        estimator,
        X,
        dtype=np.float64 if _is_double(X) else list(FLOAT_TYPES),
        accept_sparse="csr",
        reset=reset,
        ensure_all_finite=False if is_left_to_us else ensure_all_finite,
        **options,
    )
    X, *y = checked if isinstance(checked, tuple) else (checked,)
    if is_left_to_us:
        _check_finite(estimator, X)
    X = _canonical(X) if sparse.issparse(X) else X
    return (X, *y) if y else X


def _check_finite(estimator, X):
    """Raise what scikit-learn raises, in a third of its time where all is well."""
    if not sparse.issparse(X) and X.flags.c_contiguous:
        with np.errstate(over="ignore", invalid="ignore"):
            flat = X.ravel()
            if np.isfinite(flat @ flat):
                return
    assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")


def _hides_its_type(X):
    """Recognise what becomes an array but does not say of which type."""
    return hasattr(X, "__array__") and not (hasattr(X, "dtype") or hasattr(X, "dtypes"))


def _is_double(X):
    """Tell whether an array or a table of any library has doubles, or wider."""
    dtypes = getattr(X, "dtypes", None)
    dtypes = [getattr(X, "dtype", None)] if dtypes is None else list(dtypes)
    doubles = ("float64", "double", "longdouble", "float96", "float128")
    return any(
        (isinstance(d, np.dtype) and d.kind == "f" and d.itemsize >= 8)  # in any order
        or any(name in str(d).lower() for name in doubles)
        for d in dtypes
    )


def check_container(estimator):
    """Check that a transformer of sparse codes is not asked for a table.

    Parameters
    ----------
    estimator : transformer
        Has the parameter `sparse_output`.

    Raises
    ------
    ValueError
        If it does not fit to what ``set_output`` or scikit-learn's configuration asks.
    """
    container = _get_output_config("transform", estimator)["dense"]
    if estimator.sparse_output and container != "default":
        raise ValueError(
            f"{container.capitalize()} output has no room for sparse codes. Got "
            "sparse_output=True; set sparse_output=False, or "
            "set_output(transform='default')."
        )


def check_same_names(one, other):
    """Check that two fitted estimators saw the same features.

    Parameters
    ----------
    one, other : estimator instance
        Fitted; the names count where both have them.

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
    X : ndarray or CSR matrix of shape (n_kept, n_features)
        Samples that count.

    weights : ndarray of shape (n_kept,)
        Their weights, in float64.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.
    """
    weights = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    counts = weights > 0
    if not counts.any():
        raise ValueError(
            "sample_weight must be positive for at least one sample. Got"
            f" {len(weights)} zeros."
        )
    return (X, weights) if counts.all() else (X[counts], weights[counts])


def _canonical(X):
    if X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X
