"""What the machine could do at best: the rates that floors are computed from."""

from functools import cache
from time import perf_counter

import numpy as np

_SIDE = 4096


def _fastest(call, n_rounds=5):
    seconds = []
    for _ in range(n_rounds):
        start = perf_counter()
        call()
        seconds.append(perf_counter() - start)
    return min(seconds)


def _operations_a_second():
    """Return the rate of a large float32 matrix product on all threads of BLAS.

    Anew each time: on a shared machine it is another one minutes later.
    """
    A = np.random.default_rng(0).standard_normal((_SIDE, _SIDE), np.float32)
    out = np.empty_like(A)
    return 2 * _SIDE**3 / _fastest(lambda: np.matmul(A, A, out=out))


@cache
def _bytes_a_second():
    """Return the rate at which one thread sums numbers that are not in cache."""
    numbers = np.ones(2**27, np.float32)
    return numbers.nbytes / _fastest(numbers.sum)


def floor(*, operations=0.0, n_bytes=0.0):
    """Return the least time, in milliseconds: of the operations, or of the bytes."""
    of_operations = operations / _operations_a_second()
    return 1e3 * max(of_operations, n_bytes / _bytes_a_second())
