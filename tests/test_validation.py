"""Which type samples become."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sksparse_nn._validation import float_types

LARGE = np.array([[2**24 + 1, 1], [3, 4]])
BEYOND_FLOAT32 = {
    "int64": LARGE,
    "negative": -LARGE,
    "the smallest": np.array([[np.iinfo(np.int64).min]]),
    "uint64": LARGE.astype(np.uint64),
    "int32": LARGE.astype(np.int32),
    "list": LARGE.tolist(),
    "CSR": sparse.csr_array(LARGE),
    "LIL": sparse.lil_array(LARGE),
    "DataFrame": pd.DataFrame(LARGE),
    "one column": pd.DataFrame({"id": [2**24 + 1, 2], "name": ["a", "b"]}),
    "missing": pd.DataFrame({"id": pd.array([2**24 + 1, None], dtype="Int64")}),
    "sparse columns": pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(LARGE)),
}
WITHIN_FLOAT32 = {
    "int64": LARGE - 1,
    "uint8": LARGE.astype(np.uint8),
    "no rows": LARGE[:0],
    "no values": sparse.csr_array((3, 2), dtype=np.int64),
    "text": np.array([["a"]]),
    "all missing": pd.DataFrame({"id": pd.array([None, None], dtype="Int64")}),
    "intervals": pd.DataFrame({"of": pd.interval_range(0, 3)}),
    "float32": LARGE.astype(np.float32),
}


@pytest.mark.parametrize("X", BEYOND_FLOAT32.values(), ids=BEYOND_FLOAT32)
def test_integers_that_float32_does_not_hold_become_float64(X):
    assert float_types(X) is np.float64


@pytest.mark.parametrize("X", WITHIN_FLOAT32.values(), ids=WITHIN_FLOAT32)
def test_all_else_may_become_float32(X):
    assert float_types(X) == [np.float32, np.float64]
