"""Ctrl-C in a fit: what is learnt is kept for those who wait for it.

That is where the user's own code has called `fit`. Inside a search, a compressor or any
other fit, stopping early would pass for being done, and the outer one would go on.
"""

import dis
import sys
import warnings

from sklearn.pipeline import Pipeline

_LIBRARIES = {"imblearn", "joblib", "sklearn", "sksparse_nn"}
_METHODS = {"fit", "fit_transform"}
_WRAPPERS = {"sklearn.base", "sklearn.callback"}  # they know an estimator by that name


def keeps_interrupted(estimator, n_done, n_epochs):
    """Say whether an interrupted fit keeps what it has, with a warning if so.

    Parameters
    ----------
    estimator : estimator
        In a method that fits it.

    n_done : int
        Epochs that are done.

    n_epochs : int
        Epochs that were wanted.

    Returns
    -------
    keeps : bool
        Whether the user's own code has called that method, of the estimator or of
        pipelines that end in it. Otherwise the interrupt is to be raised.
    """
    depth = _depth_of_user(estimator)
    if depth is None:
        return False
    warnings.warn(
        f"Training interrupted by user after {n_done} of {n_epochs} epochs. What was "
        "learnt is kept.",
        UserWarning,
        stacklevel=depth,
    )
    return True


def _depth_of_user(estimator):
    """Count the frames up to the user's, or return None where another fit is between.

    Frames below the method of the estimator are passed over, and so are those of what
    the method is wrapped in and of pipelines that end in the estimator.
    """
    own, depth, found = [estimator], 1, None
    frame, is_inside = sys._getframe(1), False
    while frame is not None:
        owner = _owner(frame)
        if _is_one_of(owner, own) or _ends_in(owner, own):
            own.append(owner)
            is_inside = is_inside or frame.f_code.co_name in _METHODS
            found = None
        elif is_inside and _is_of_library(frame, owner):
            return None
        elif is_inside and found is None:
            found = depth
        frame, depth = frame.f_back, depth + 1
    return found or depth - 1


def _owner(frame):
    names = frame.f_locals
    module = frame.f_globals.get("__name__", "")
    is_wrapper = any(module.startswith(name) for name in _WRAPPERS)
    return names.get("self", names.get("estimator") if is_wrapper else None)


def _is_one_of(owner, own):
    return any(owner is one for one in own)


def _ends_in(owner, own):
    return isinstance(owner, Pipeline) and _is_one_of(owner.steps[-1][1], own)


def _is_of_library(frame, owner):
    root = frame.f_globals.get("__name__", "").split(".")[0]
    return root in _LIBRARIES or (
        hasattr(owner, "fit") and hasattr(owner, "get_params")
    )


def is_raised_on_purpose(error):
    """Tell an exception that code has raised from one that a signal has.

    Parameters
    ----------
    error : BaseException
        Caught.

    Returns
    -------
    is_raised : bool
        Whether a ``raise`` statement of Python is where it comes from.
    """
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code.co_code
    return code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]
