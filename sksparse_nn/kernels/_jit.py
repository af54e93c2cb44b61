"""The one way a kernel is compiled."""

from numba import njit


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
    return njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function)
