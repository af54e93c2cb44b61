"""Keyboard interrupts in a fit: the epochs so far are kept.

Only if user code has called `fit`. Inside a search, a compressor or any other fit, an
interrupted fit would look finished, and the outer one would continue.
"""

import dis
import sys
import warnings

from sklearn.pipeline import Pipeline

_LIBRARIES = {"imblearn", "joblib", "sklearn", "sksparse_nn"}
_METHODS = {"fit", "fit_transform"}
_WRAPPERS = {"sklearn.base", "sklearn.callback"}  # they know an estimator by that name


def keeps_interrupted(estimator, n_done, n_epochs):
    """Return whether an interrupted fit keeps its result, and warn if so.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.

    n_done : int
        Number of finished epochs.

    n_epochs : int
        Number of requested epochs.

    Returns
    -------
    keeps : bool
        Whether the user's own code has called that method, of the estimator or of
        pipelines that end in it. Otherwise the interrupt must be raised.
    """
    depth = _depth_of_user(estimator)
    if depth is None:
        return False
    warnings.warn(
        f"Training interrupted by user after {n_done} of {n_epochs} epochs. The "
        "epochs so far are kept.",
        UserWarning,
        stacklevel=depth,
    )
    return True


def _depth_of_user(estimator):
    """Count the frames up to the user's, or return None if another fit is between.

    Frames below the method of the estimator are skipped, and so are those of wrappers
    of the method and of pipelines that end in the estimator.
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
    """Distinguish an exception raised by code from one raised by a signal.

    Parameters
    ----------
    error : BaseException
        Caught.

    Returns
    -------
    is_raised : bool
        Whether it comes from a ``raise`` statement.
    """
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code.co_code
    return code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]
