"""An estimator in one line: converted, checked against itself, and written."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksparse_nn.onnx._refusals import check_installed, refuse
from sksparse_nn.onnx._registration import register

_TYPES = np.float32, np.float64, np.int64
# A column may also have these, as skl2onnx knows them.
_OF_COLUMNS = *_TYPES, np.int32, np.int8, np.uint8, np.bool_
_METHODS = "predict_proba", "predict", "transform"


def to_onnx(
    estimator: BaseEstimator,
    path: str | PathLike | None = None,
    *,
    X: Any,
    tol: float = 1e-3,
) -> Any:
    """Convert a fitted estimator to ONNX, and check that it predicts the same.

    Parameters
    ----------
    estimator : estimator
        Fitted: ours, or a Pipeline, search or ColumnTransformer of ours and others that
        skl2onnx knows.

    path : str, path-like or None, default=None
        File to write; None writes none.

    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples that the model is checked on. Their type becomes that of the input: of
        a DataFrame each column is an input of its own.

    tol : float, default=1e-3
        Largest difference of an output, as a share of the largest magnitude among all
        of them.

    Returns
    -------
    model : onnx.ModelProto
        With the outputs "label" and "probabilities" for a classifier, "variable" for
        others; dense. The number of samples is free.

    Raises
    ------
    ImportError
        If onnx, skl2onnx or onnxruntime is not installed.
    TypeError
        If a part of the estimator cannot be exported; it is named.
    ValueError
        If the model does not predict the same for `X`.

    See Also
    --------
    register : Makes skl2onnx know the estimators.

    Examples
    --------
    >>> import onnxruntime
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseNetClassifier
    >>> from sksparse_nn.onnx import to_onnx
    >>> X, y = load_digits(return_X_y=True)
    >>> X = (X / 16).astype("float32")
    >>> net = SparseNetClassifier((16,), max_epochs=2, random_state=0).fit(X, y)
    >>> model = to_onnx(net, X=X[:100])
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> labels, probabilities = session.run(None, {"X": X[:3]})
    >>> bool((labels == net.predict(X[:3])).all())
    True
    """
    check_installed()
    check_is_fitted(estimator)
    if sparse.issparse(X):
        X = X.toarray()
    X = _as_columns(X) if hasattr(X, "columns") else _as_numbers(X, estimator)
    register()
    model = _convert(estimator, X)
    _check(estimator, model, X, tol)
    if path is not None:
        Path(path).write_bytes(model.SerializeToString())
    return model


def _as_numbers(X, estimator):
    X = np.asarray(X)
    if X.dtype == np.uint8 and _reads_images(estimator):
        return X
    return X if X.dtype in _TYPES else X.astype(np.float32)


def _as_columns(X):
    """Return a DataFrame whose numbers are of types that skl2onnx knows."""
    types = zip(X.columns, X.dtypes, strict=True)
    others = {name: np.float32 for name, dtype in types if _is_other(dtype)}
    return X.astype(others) if others else X


def _is_other(dtype):
    is_number = getattr(dtype, "kind", None) in ("b", "i", "u", "f")
    return is_number and dtype not in _OF_COLUMNS


def _reads_images(estimator):
    """Return whether an estimator is a network for images, or is around one."""
    inner = getattr(
        estimator, "best_estimator_", getattr(estimator, "estimator_", None)
    )
    if inner is not None:
        return _reads_images(inner)
    return getattr(estimator, "_keeps_bytes", False)


def _convert(estimator, X):
    import skl2onnx
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    # Names of inputs are strings, those of columns may be numbers.
    sample = X[:1].rename(columns=str) if hasattr(X, "columns") else X[:1]
    try:
        return skl2onnx.to_onnx(estimator, sample, options=options)
    except (MissingShapeCalculator, MissingConverter) as error:
        kinds = re.findall(r"class '([\w.]+)'", str(error))
        raise TypeError(
            "All parts of the estimator must be known to skl2onnx. Got "
            f"{kinds[0] if kinds else error}; register a converter for it, or leave it "
            "out."
        ) from error


def _check(estimator, model, X, tol):
    """Check that a model gives the outputs of an estimator."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(None, _as_inputs(X, session))
    method = next((name for name in _METHODS if hasattr(estimator, name)), None)
    if method is None:
        refuse(type(estimator).__name__, f"it has none of the methods {_METHODS}")
    _check_close(getattr(estimator, method)(X), found[-1], tol)
    if method == "predict_proba":
        n_other = _count_other(estimator.predict(X), found[0])
        if n_other:
            raise ValueError(
                f"The labels of all samples must be the same in ONNX. Got {n_other} of "
                f"{len(found[0])} others; their probabilities are too near each other."
            )


def _as_inputs(X, session):
    if not hasattr(X, "columns"):
        return {session.get_inputs()[0].name: X}
    return {
        one.name: X[[name]].to_numpy()
        for one, name in zip(session.get_inputs(), X.columns, strict=True)
    }


def _check_close(wanted, found, tol):
    wanted = wanted.toarray() if sparse.issparse(wanted) else np.asarray(wanted)
    wanted = wanted.reshape(found.shape).astype(np.float64)
    largest = np.abs(wanted).max(initial=0)
    worst = np.abs(found - wanted).max(initial=0) / (largest or 1)
    if not worst <= tol:
        raise ValueError(
            f"Outputs in ONNX must differ by at most tol={tol:g} of the largest one. "
            f"Got {worst:.2g}; raise tol, or do not export this estimator."
        )


def _count_other(wanted, found):
    wanted = wanted.toarray() if sparse.issparse(wanted) else np.asarray(wanted)
    found = np.asarray(found)
    if found.dtype.kind in "OU":
        wanted = wanted.astype(str)
    is_other = wanted != found
    return int(np.count_nonzero(is_other.reshape(len(is_other), -1).any(axis=1)))
