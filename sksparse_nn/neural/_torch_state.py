"""Torch's global state, borrowed for a training and restored afterwards."""

import os
from contextlib import contextmanager
from threading import RLock

import torch

from sksparse_nn.modules._modes import own_modes

# Modules draw from torch's global generators. Two threads that borrowed them at once
# would mix their numbers and restore each other's state, so trainings take turns.
_TURN = RLock()


def _after_fork_in_child():
    """Replace the lock, which a thread of the parent may hold."""
    global _TURN
    _TURN = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


@contextmanager
def borrow_torch(seed, device):
    """Seed torch and enable gradients for the body, whatever the caller's state.

    Parameters
    ----------
    seed : int
        The seed.

    device : torch.device
        Device that the body uses besides the CPU.
    """
    cuda = [device] if device.type == "cuda" else []
    with _TURN, own_modes(), torch.random.fork_rng(devices=cuda):
        torch.random.default_generator.manual_seed(seed)
        for borrowed in cuda:
            with torch.cuda.device(borrowed):
                torch.cuda.manual_seed(seed)
        with torch.inference_mode(False), torch.enable_grad():
            yield
