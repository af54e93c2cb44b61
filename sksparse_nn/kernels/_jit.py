"""Compilation of kernels."""

import os

from numba import njit
from numba.core.compiler_lock import global_compiler_lock

from sksparse_nn.kernels._cache import cached

# Contraction fuses a product and a sum into one rounding. It assumes nothing about NaN,
# infinity or the order of operations.
_OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
}


def kernel(function):
    """Compile a function, cached on disk, without the GIL, with IEEE arithmetic.

    Division by zero gives inf or NaN as in NumPy: the check that Python's semantics
    ask for keeps a loop from being vectorised.

    Parameters
    ----------
    function : callable
        The function to compile.

    Returns
    -------
    compiled : callable
        The compiled function; ``compiled.py_func`` is the Python one.
    """
    return cached(njit(**_OPTIONS)(function))


def step(function):
    """Compile a function that kernels call many times per row; it allocates nothing.

    It counts no references to its arrays. Counting them took a third of the time of a
    lasso: each count is an atomic operation, and threads that share an array wait for
    each other.

    Parameters
    ----------
    function : callable
        The function to compile.

    Returns
    -------
    compiled : callable
        The compiled function; ``compiled.py_func`` is the Python one.
    """
    # `_nrt` is what Numba documents with `register_jitable`: no run-time allocation.
    return cached(njit(_nrt=False, **_OPTIONS)(function))


def reduction(function):
    """Compile a step that adds up a row in whatever order is fast.

    A sum in the order of the row waits for each addition before the next; without an
    order it is made of vectors. It assumes nothing about NaN or infinity.

    Parameters
    ----------
    function : callable
        The function to compile.

    Returns
    -------
    compiled : callable
        The compiled function; ``compiled.py_func`` is the Python one.
    """
    free = _OPTIONS["fastmath"] | {"reassoc"}
    return cached(njit(_nrt=False, **_OPTIONS | {"fastmath": free})(function))


# A child forked while another thread compiles would wait for that thread for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
