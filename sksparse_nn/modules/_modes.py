"""Modes of torch that a caller may have entered, and that estimators do without."""

from contextlib import ExitStack, contextmanager
from functools import wraps

import torch

_KINDS = "cpu", "cuda"
_LOW = torch.float16, torch.bfloat16


@contextmanager
def own_modes():
    """Leave the caller's lower precision and default device for the body.

    Estimators have float types and a device of their own: with another they would fail
    on types that NumPy does not know, or on tensors of two devices.
    """
    with full_precision():
        if torch.get_default_device().type == "cpu":
            yield
            return
        with torch.device("cpu"):
            yield


@contextmanager
def full_precision():
    """Leave the caller's lower precision for the body."""
    lowered = [kind for kind in _KINDS if torch.is_autocast_enabled(kind)]
    with ExitStack() as left:
        for kind in lowered:
            left.enter_context(torch.autocast(kind, enabled=False))
        yield


def in_full_precision(forward):
    """Let a layer compute in float32 at least, whatever the precision around it.

    Parameters
    ----------
    forward : callable
        Method of a layer, which takes rows.

    Returns
    -------
    wrapped : callable
        Numbers of two bytes, which NumPy and Numba do not know or which lose supports,
        are widened ahead of it.
    """

    @wraps(forward)
    def run(self, X):
        with full_precision():
            is_low = getattr(X, "dtype", None) in _LOW
            return forward(self, X.float() if is_low else X)

    return run
