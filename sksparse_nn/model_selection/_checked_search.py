"""A search that looks at sparse rows before its best pipeline does."""

from functools import wraps

from sklearn.model_selection import GridSearchCV
from sklearn.utils.metaestimators import available_if

from sksparse_nn._structure import check_structure


def _checked(name):
    """Return a method of `GridSearchCV` that refuses rows whose indices lie."""
    inherited = getattr(GridSearchCV, name)

    def is_there(search):
        return bool(getattr(super(CheckedSearch, search), name))

    @available_if(is_there)
    @wraps(inherited)
    def method(self, X, *args, **kwargs):
        check_structure(X)
        return inherited(self, X, *args, **kwargs)

    return method


class CheckedSearch(GridSearchCV):
    """A `GridSearchCV` whose best pipeline is given no rows whose indices lie.

    SciPy and steps of scikit-learn trust them, and read beyond the data.
    """

    predict = _checked("predict")
    predict_proba = _checked("predict_proba")
    predict_log_proba = _checked("predict_log_proba")
    decision_function = _checked("decision_function")
    score_samples = _checked("score_samples")
    transform = _checked("transform")
    inverse_transform = _checked("inverse_transform")

    @wraps(GridSearchCV.score)
    def score(self, X, y=None, **params):
        check_structure(X)
        check_structure(y, "y")
        return super().score(X, y, **params)
