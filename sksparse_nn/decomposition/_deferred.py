"""Fitted attributes that are computed when they are first read."""


class Deferred:
    """A result of the decomposition of all rows so far, of a reducer.

    Like ``feature_importances_`` of scikit-learn's forests, it is an attribute of the
    class and takes time once. A decomposition for each chunk of rows would take 4 to 90
    times as long as adding the chunk does (512 rows of 256 to 3072 features), and all
    but the last would be in vain. What is stored in the estimator goes first.

    Parameters
    ----------
    read : callable or None, default=None
        Takes the state and its solver, and returns the value without a decomposition.
    """

    def __init__(self, read=None):
        self.read = read

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, reducer, owner=None):
        if reducer is None:
            return self
        if not vars(reducer).get("_state"):
            raise AttributeError(
                f"{type(reducer).__name__!r} object has no attribute {self.name!r}"
            )
        if self.read is not None:
            return self.read(*reducer._known_solver())
        reducer._decompose()
        return vars(reducer)[self.name]
