"""The rule behind ``solver="auto"``."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from sksparse_nn import TruncatedSVDReducer
from sksparse_nn.solvers.svd import (
    WeightedRows,
    choose_solver,
    partition_features,
    rank_rule,
)
from sksparse_nn.solvers.svd._choice import _DENSE_SHARE, _SPARE, _SPARSE_SHARE

DOCS = Path(__file__).parents[3] / "docs" / "user_guide"

CHOICES = {
    "little data": ((2000, 64), None, 10, "exact"),
    "a row": ((1, 300_000), None, 10, "exact"),
    "narrow groups of many rows": ((5000, 3072), 32, 10, "gram"),
    "few of many features": ((5000, 3072), None, 118, "krylov"),
    "many of many features": ((5000, 3072), None, 119, "gram"),
    "a share of many features": ((5000, 3072), None, 0.9, "gram"),
    "more features than rows": ((3000, 4000), None, 1000, "krylov"),
    "more features than products may have": ((20_000, 6000), None, 1000, "krylov"),
}


def choice(kind, shape, groups, rank):
    X = kind(np.broadcast_to(np.float32(0), shape))
    rows = WeightedRows(X, None, partition_features(groups, shape[1]))
    return choose_solver(rows, rank_rule(rank))


@pytest.mark.parametrize(
    ("shape", "groups", "rank", "expected"), CHOICES.values(), ids=CHOICES
)
def test_the_solver_fits_the_data(shape, groups, rank, expected):
    assert choice(np.asarray, shape, groups, rank) == expected


@pytest.mark.parametrize(("rank", "expected"), [(182, "krylov"), (183, "gram")])
def test_iterating_pays_sooner_for_sparse_data(rank, expected):
    def kind(X):
        return sparse.csr_array(X.shape, dtype=X.dtype)

    assert choice(kind, (5000, 3072), None, rank) == expected


def test_the_documented_shares_are_those_of_the_code():
    words = " ".join(TruncatedSVDReducer.__doc__.split())
    shares = f"n_features / {_DENSE_SHARE} - {_SPARE}`` components"
    assert shares in words
    assert f"{_SPARSE_SHARE} instead of {_DENSE_SHARE} if `X` is sparse" in words
    guide = (DOCS / "truncated_svd.rst").read_text()
    for share in (_DENSE_SHARE, _SPARSE_SHARE):
        assert f"``n_features / {share} - {_SPARE}``" in " ".join(guide.split())
