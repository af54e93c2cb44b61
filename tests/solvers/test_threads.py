"""Threads of ours and of BLAS."""

import re
import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas


@pytest.fixture(autouse=True)
def threaded_blas():
    with threadpool_limits(2, user_api="blas"):
        yield


def blas_threads():
    """Return the threads of NumPy's and SciPy's BLAS; other packages have theirs."""
    return [
        info["num_threads"]
        for info in threadpool_info()
        if info["user_api"] == "blas" and re.search("numpy|scipy", info["filepath"])
    ]


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_results_come_in_order(n_jobs):
    squares = map_in_order(lambda i: i * i, range(50), n_jobs)
    assert list(squares) == [i * i for i in range(50)]


def test_blas_has_one_thread_inside_and_what_it_had_outside():
    before = blas_threads()
    assert set(before) == {2}
    inside = next(map_in_order(lambda _: blas_threads(), [0]))
    assert set(inside) == {1}
    assert blas_threads() == before


def test_overlapping_limits_restore_what_was_before_both():
    before = blas_threads()
    first, second = single_threaded_blas(), single_threaded_blas()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_arrives_and_the_limit_is_lifted(n_jobs):
    before = blas_threads()
    with pytest.raises(ZeroDivisionError):
        list(map_in_order(lambda i: 1 // (i - 5), range(20), n_jobs))
    assert blas_threads() == before


def test_no_thread_is_left_behind():
    before = threading.active_count()
    list(map_in_order(str, range(10), 2))
    assert threading.active_count() == before
