"""A search that checks the indices of sparse input before it uses them."""

from __future__ import annotations

from functools import wraps
from typing import Any

from numpy.typing import ArrayLike
from sklearn.model_selection import GridSearchCV

from sksparse_nn._callbacks import CallbackSupportMixin
from sksparse_nn._documented import Documented
from sksparse_nn._methods import available_if
from sksparse_nn._saved import Saved
from sksparse_nn._structure import check_structure


def _check_first(name):
    """Return a method of `GridSearchCV` that first checks the indices of its input."""
    inherited = getattr(GridSearchCV, name)

    def is_there(search):
        return bool(getattr(super(CheckedSearch, search), name))

    @available_if(is_there)
    @wraps(inherited)
    def method(self, X, *args, **kwargs):
        check_structure(X)
        return inherited(self, X, *args, **kwargs)

    return method


class CheckedSearch(Saved, Documented, GridSearchCV, CallbackSupportMixin):
    """A `GridSearchCV` that rejects sparse matrices with indices beyond their shape.

    SciPy and scikit-learn do not check them, and read beyond the data.
    """

    predict = _check_first("predict")
    predict_proba = _check_first("predict_proba")
    predict_log_proba = _check_first("predict_log_proba")
    decision_function = _check_first("decision_function")
    score_samples = _check_first("score_samples")
    transform = _check_first("transform")
    inverse_transform = _check_first("inverse_transform")

    @wraps(GridSearchCV.score)
    def score(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> float:
        check_structure(X)
        check_structure(y, "y")
        return super().score(X, y, **params)
