"""Modes of torch that a caller may have entered, and that estimators do without."""

from contextlib import ExitStack, contextmanager

import torch

_KINDS = "cpu", "cuda"


@contextmanager
def own_modes():
    """Leave the caller's lower precision and default device for the body.

    Estimators have float types and a device of their own: with another they would fail
    on types that NumPy does not know, or on tensors of two devices.
    """
    lowered = [kind for kind in _KINDS if torch.is_autocast_enabled(kind)]
    is_elsewhere = torch.get_default_device().type != "cpu"
    if not lowered and not is_elsewhere:
        yield
        return
    with ExitStack() as left:
        for kind in lowered:
            left.enter_context(torch.autocast(kind, enabled=False))
        if is_elsewhere:
            left.enter_context(torch.device("cpu"))
        yield
