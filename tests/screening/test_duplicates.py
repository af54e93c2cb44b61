"""Equal rows by their hashes, against a loop over all rows."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn.screening._state import ScreeningState
from sksparse_nn.screening._whole_rows import find_duplicates


def known(keys):
    """Return a state that has seen some rows, in order."""
    found = {}
    for number, key in enumerate(keys):
        found.setdefault(key, number)
    ordered = sorted(found)
    state = SimpleNamespace(
        keys=np.array(ordered, np.uint64),
        firsts=np.array([found[key] for key in ordered], np.int64),
    )
    state.find_first = lambda keys: ScreeningState.find_first(state, keys)
    return state


def find_one_by_one(keys, kept, before):
    first = {key: n for n, key in reversed(list(enumerate(before)))}
    rows, firsts = [], []
    for row in kept:
        number = first.setdefault(keys[row], len(before) + row)
        if number < len(before) + row:
            rows.append(row)
            firsts.append(number)
    return rows, firsts


@pytest.mark.parametrize("n_before", [0, 1, 40])
@pytest.mark.parametrize("n_distinct", [1, 3, 50, 10_000])
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_they_are_those_of_a_loop(n_before, n_distinct, share):
    rng = np.random.default_rng(0)
    keys = rng.integers(n_distinct, size=100).astype(np.uint64)
    before = rng.integers(n_distinct, size=n_before).astype(np.uint64)
    kept = np.flatnonzero(rng.random(100) < share)
    rows, firsts = find_duplicates(keys, kept, known(before), n_before)
    expected = find_one_by_one(keys, kept, before)
    assert_array_equal(rows, expected[0])
    assert_array_equal(firsts, expected[1])


def test_a_row_takes_some_forty_bytes():
    n_rows = 200_000
    keys = np.random.default_rng(0).integers(2**62, size=n_rows).astype(np.uint64)
    kept, state = np.arange(n_rows), known([])
    tracemalloc.start()
    try:
        find_duplicates(keys, kept, state, 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 45 * n_rows
