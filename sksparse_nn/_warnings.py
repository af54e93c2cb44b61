"""Warnings that point at the line of the user's own code."""

import sys
import warnings

# What stands between a user's line and this package.
_BETWEEN = ("sksparse_nn", "sklearn", "skorch", "joblib", "contextlib")


def warn(message, category=UserWarning):
    """Warn, and name the line that called into this package.

    Parameters
    ----------
    message : str
        What to say.

    category : type, default=UserWarning
        Class of the warning.
    """
    warnings.warn(message, category, stacklevel=1 + _depth())


def _depth():
    """Count the frames from the caller of `warn` out to the user's."""
    depth, frame = 1, sys._getframe(2)
    while frame.f_back is not None and _is_between(frame):
        depth, frame = depth + 1, frame.f_back
    return depth


def _is_between(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN
