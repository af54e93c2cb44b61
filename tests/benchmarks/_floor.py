"""What the machine could do at best: the rates that floors are computed from."""

from functools import cache
from time import perf_counter, sleep

import numpy as np

_SIDE = 4096

# Seconds until the threads of BLAS, which wait for more work by spinning, sleep.
_SETTLED = 0.2


def _fastest(call, n_rounds=5):
    seconds = []
    for _ in range(n_rounds):
        start = perf_counter()
        call()
        seconds.append(perf_counter() - start)
    return min(seconds)


class Products:
    """A large float32 matrix product on all threads of BLAS, timed again and again.

    On a shared machine its rate changes within seconds, so one is wanted beside each
    call that is compared with it.
    """

    def __init__(self):
        self._A = np.random.default_rng(0).standard_normal((_SIDE, _SIDE), np.float32)
        self._out = np.empty_like(self._A)
        self._rates = []

    def measure(self, n_rounds=2):
        """Time a few products, keep the best rate, and let the threads settle."""
        seconds = _fastest(lambda: np.matmul(self._A, self._A, out=self._out), n_rounds)
        self._rates.append(2 * _SIDE**3 / seconds)
        sleep(_SETTLED)

    @property
    def rate(self):
        """Operations a second: the median of what was measured."""
        return np.median(self._rates)


@cache
def _operations_a_second():
    products = Products()
    products.measure(n_rounds=5)
    return products.rate


@cache
def _bytes_a_second():
    """Return the rate at which one thread sums numbers that are not in cache."""
    numbers = np.ones(2**27, np.float32)
    return numbers.nbytes / _fastest(numbers.sum)


def floor(*, operations=0.0, n_bytes=0.0):
    """Return the least time, in milliseconds: of the operations, or of the bytes."""
    of_operations = operations / _operations_a_second()
    return 1e3 * max(of_operations, n_bytes / _bytes_a_second())
