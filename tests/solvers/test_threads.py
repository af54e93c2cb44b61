"""Threads of ours and of BLAS."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from tests.estimators import TRANSFORMERS, name_of


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


def test_the_limit_holds_whichever_thread_sets_it():
    """The fixture has set a limit on this thread: threadpoolctl ignores others."""
    limit = single_threaded_blas()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(limit.__enter__).result()
        inside = blas_threads()
        pool.submit(limit.__exit__, None, None, None).result()
    assert set(inside) == {1}


@pytest.mark.parametrize("is_first_out_here", [True, False])
def test_limits_of_two_threads_restore_what_was_before_both(is_first_out_here):
    before = blas_threads()
    here, there = single_threaded_blas(), single_threaded_blas()
    with ThreadPoolExecutor(1) as pool:
        here.__enter__()
        pool.submit(there.__enter__).result()
        if is_first_out_here:
            here.__exit__(None, None, None)
            pool.submit(there.__exit__, None, None, None).result()
        else:
            pool.submit(there.__exit__, None, None, None).result()
            here.__exit__(None, None, None)
    assert blas_threads() == before


def test_a_limit_that_somebody_else_sets_inside_stays():
    with single_threaded_blas():
        threadpool_limits(3, user_api="blas")
    assert set(blas_threads()) == {3}


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_another_thread_gets_the_same_bits(estimator):
    X = np.random.default_rng(0).standard_normal((200, 36))
    fitted = clone(estimator).set_params(random_state=0).fit(X)
    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(fitted.transform, X).result()
    here = fitted.transform(X)
    assert_array_equal(_dense(elsewhere), _dense(here))


def _dense(codes):
    return codes.toarray() if hasattr(codes, "toarray") else codes
