"""Lasso and elastic net are at the optimum, on any row."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet as PeerElasticNet
from sklearn.linear_model import LassoLars

from sksparse_nn.kernels.lasso import lasso_gaps
from sksparse_nn.solvers.coding import ElasticNet, Lasso, encode
from sksparse_nn.solvers.coding._optimality import Dual
from tests.solvers.coding.objective import objectives

GAP = {np.float32: 1e-4, np.float64: 1e-6}


def hostile(kind, dtype=np.float64, n_features=16, n_atoms=64):
    rng = np.random.default_rng(0)
    D = rng.standard_normal((n_atoms, n_features))
    if kind == "coherent":
        D += 3 * rng.standard_normal(n_features)
    elif kind == "duplicates":
        D[1::2] = D[::2]
        D[2::4] = -D[::4]
    elif kind == "low rank":
        D = D[:, :4] @ rng.standard_normal((4, n_features))
    elif kind == "combinations":
        D[1::3] = D[:-1:3] + D[2::3][: len(D[1::3])]
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    X = rng.standard_normal((60, n_features))
    X[::3] += 5 * rng.standard_normal((20, 5)) @ D[:5]
    X[::5] = D[:12]
    return X.astype(dtype), D.astype(dtype)


KINDS = ["random", "coherent", "duplicates", "low rank", "combinations"]


def relative_gaps(X, D, C, alpha, positive=False):
    X, D, C = (np.asarray(array, dtype=np.float64) for array in (X, D, C))
    residual = X - C @ D
    products = residual @ D.T
    steepest = (products if positive else np.abs(products)).max(axis=1)
    shrink = np.minimum(1, alpha / np.maximum(steepest, 1e-300))
    squares = (residual**2).sum(axis=1)
    primal = 0.5 * squares + alpha * np.abs(C).sum(axis=1)
    dual = shrink * (X * residual).sum(axis=1) - 0.5 * shrink**2 * squares
    return (primal - dual) / primal


@pytest.mark.parametrize(
    ("dtype", "alpha"),
    [*[(np.float32, a) for a in (0.05, 0.5, 3)], *[(np.float64, a) for a in (1e-3, 1)]],
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("positive", [False, True])
def test_every_row_is_at_the_optimum(kind, alpha, dtype, positive):
    X, D = hostile(kind, dtype)
    C = encode(Lasso(alpha, positive), D, X, sparse_output=False)
    assert relative_gaps(X, D, C, alpha, positive).max() <= GAP[dtype]
    assert not positive or C.min() >= 0


def missed(X, D, C, coder):
    """Return by how much codes miss the optimum of float64, as shares."""
    X, D = X.astype(np.float64), D.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = objectives(X, D, encode(coder, D, X, sparse_output=False), coder)
    objective = objectives(X, D, C, coder)
    return (objective - best) / objective


def counted(coder, X, D):
    """Return codes and the number of rows that are warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        C = encode(coder, D, X, sparse_output=False)
    return C, sum(int(str(one.message).split()[0]) for one in caught)


def test_rows_that_float32_cannot_hold_at_the_optimum_are_counted():
    X, D = hostile("random", np.float32)
    with pytest.warns(ConvergenceWarning, match="of 60 rows are not") as caught:
        C = encode(Lasso(1e-11), D, X, sparse_output=False)
    n_failed = np.count_nonzero(missed(X, D, C, Lasso(1e-11)) > 1e-4)
    assert 0 < n_failed <= int(str(caught[0].message).split()[0]) < 60


@pytest.mark.parametrize("alpha", [5e-3, 1e-7, 1e-10])
@pytest.mark.parametrize("kind", ["coherent", "duplicates", "combinations"])
@pytest.mark.parametrize("scale", [1.0, 1.7])
def test_no_row_beyond_the_gap_is_left_out_of_the_warning(kind, scale, alpha):
    X, D = hostile(kind, np.float32, 36, 148)
    D *= np.float32(scale)
    C, n_counted = counted(Lasso(alpha), X, D)
    assert np.count_nonzero(missed(X, D, C, Lasso(alpha)) > 1e-4) <= n_counted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alpha", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Lasso, lambda alpha: ElasticNet(alpha, 0.5)])
def test_no_row_at_the_optimum_is_warned_of(make, kind, alpha, dtype):
    X, D = hostile(kind, dtype)
    C, n_counted = counted(make(alpha), X, D)
    assert n_counted == 0
    assert missed(X, D, C, make(alpha)).max() < 1e-6


def test_digits_in_float32_are_at_the_optimum_and_known_to_be():
    X = load_digits().data[:80] / 16
    D = X[::2] + np.random.default_rng(0).random((40, 64)) / 4
    coder = Lasso(1e-4)
    X, D = X.astype(np.float32), D.astype(np.float32)
    C, n_counted = counted(coder, X, D)
    assert n_counted == 0
    assert missed(X, D, C, coder).max() < 1e-9


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("alpha", [2e-10, 1e-13])
def test_twins_and_opposites_with_next_to_no_penalty_are_known_to_be_exact(
    alpha, positive
):
    D = np.array([[-1, 1.0], [-1, 1], [1, -1], [1, -1]])
    C, n_counted = counted(Lasso(alpha, positive), np.array([[-1, 1.0]]), D)
    assert n_counted == 0
    assert_allclose(C @ D, [[-1, 1]], rtol=1e-9)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_gaps_made_without_the_code_bound_what_it_misses(l1_ratio, positive):
    X, D = hostile("random")
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    coder = ElasticNet(1e-3, l1_ratio, positive)
    best = encode(coder, D, X, sparse_output=False)
    dual = Dual(D, *coder.penalties(np.ones(len(D))), positive)
    rng = np.random.default_rng(0)
    for size in (0, 1e-8, 1e-4, 1e-1):
        worse = best + size * rng.standard_normal(best.shape) * (best != 0)
        worse = np.maximum(worse, 0) if positive else worse
        objective = objectives(X, D, worse, coder)
        missed = (objective - objectives(X, D, best, coder)) / objective
        for x, c, least in zip(X, worse, missed, strict=True):
            used = np.flatnonzero(c)
            gap = dual.gap(x, used, c[used])
            assert gap >= least - 1e-12
            assert gap <= 1e-9 or size > 0


def test_alpha_beyond_the_largest_product_gives_empty_codes():
    X, D = hostile("random")
    assert encode(Lasso(np.abs(X @ D.T).max()), D, X).nnz == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("l1_ratio", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("positive", [False, True])
def test_the_objective_is_that_of_an_independent_solver(kind, l1_ratio, positive):
    X, D = hostile(kind)
    alpha = 0.2
    C = encode(ElasticNet(alpha, l1_ratio, positive), D, X, sparse_output=False)
    peer = PeerElasticNet(
        alpha / 16, l1_ratio=l1_ratio, positive=positive, fit_intercept=False,
        tol=1e-8, max_iter=100_000,
    )  # fmt: skip
    for x, c in zip(X[:6], C, strict=False):
        ours, theirs = (
            0.5 * np.sum((x - w @ D) ** 2)
            + alpha * l1_ratio * np.abs(w).sum()
            + 0.5 * alpha * (1 - l1_ratio) * np.sum(w**2)
            for w in (c, peer.fit(D.T, x).coef_)
        )
        assert ours <= theirs * (1 + 1e-6)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("alpha", [0.01, 0.3])
def test_the_only_optimum_of_generic_rows_is_that_of_lars(alpha, positive):
    _, D = hostile("random")
    X = np.random.default_rng(1).standard_normal((20, 16))
    C = encode(Lasso(alpha, positive), D, X, sparse_output=False)
    peer = LassoLars(alpha / 16, positive=positive, fit_intercept=False)
    assert_allclose(C, peer.fit(D.T, X.T).coef_, atol=1e-9)


def test_atoms_of_other_norms_give_the_optimum_of_their_own_objective():
    X, D = hostile("random")
    D *= np.random.default_rng(1).uniform(0.3, 3, (len(D), 1))
    C = encode(Lasso(0.2), D, X, sparse_output=False)
    assert relative_gaps(X, D, C, 0.2).max() <= 1e-6


@pytest.mark.parametrize("n_features", [1, 3, 80])
@pytest.mark.parametrize("n_atoms", [1, 2, 50])
def test_any_shape_is_solved(n_features, n_atoms):
    rng = np.random.default_rng(0)
    X, D = (
        rng.standard_normal((20, n_features)),
        rng.standard_normal((n_atoms, n_features)),
    )
    C = encode(Lasso(0.1), D, X, sparse_output=False)
    assert relative_gaps(X, D, C, 0.1).max() <= 1e-6


def test_zero_atoms_are_never_used():
    X, D = hostile("random")
    D[::2] = 0
    C = encode(Lasso(0.1), D, X, sparse_output=False)
    assert_array_equal(C[:, ::2], 0)
    assert relative_gaps(X, D, C, 0.1).max() <= 1e-6


def test_orthonormal_atoms_give_soft_thresholds():
    X, D = np.random.default_rng(0).standard_normal((2, 9, 9))
    D = np.linalg.qr(D)[0]
    products = X @ D.T
    shrunk = np.sign(products) * np.maximum(np.abs(products) - 0.3, 0)
    assert_allclose(encode(Lasso(0.3), D, X, sparse_output=False), shrunk, atol=1e-12)


def test_rows_off_the_optimum_are_counted_once():
    X, D = hostile("random")
    coder = Lasso(0.1)
    coder.largest_gap = lambda dtype: -1.0
    with pytest.warns(ConvergenceWarning, match="60 of 60 rows") as caught:
        encode(coder, D, X)
    assert len(caught) == 1


def test_nothing_is_warned_of_at_the_optimum():
    X, D = hostile("coherent")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode(Lasso(0.01), D, X)


def test_without_a_penalty_the_error_is_that_of_least_squares():
    X, D = hostile("random")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        C = encode(Lasso(0.0), D[:10], X, sparse_output=False)
    assert_allclose(C, X @ np.linalg.pinv(D[:10]), atol=1e-9)


def test_without_a_penalty_single_precision_comes_near_too():
    rng = np.random.default_rng(0)
    X, D = rng.standard_normal((50, 18)), rng.standard_normal((40, 18))
    C = encode(Lasso(0.0), D, X.astype(np.float32), sparse_output=False)
    error = np.linalg.norm(X - C @ D, axis=1) / np.linalg.norm(X, axis=1)
    assert error.max() < 1e-4


def test_a_small_ridge_shares_among_opposite_atoms_in_float32_too():
    X, D = np.array([[-1.0]], np.float32), np.array([[-1000.0], [1000.0]], np.float32)
    codes = encode(ElasticNet(10.0, 0.5), D, X, sparse_output=False)
    assert_allclose(codes, [[0.0004975, -0.0004975]], rtol=1e-3)


def gaps_of(coder, D, X, C):
    """Measure relative duality gaps with the residual as the dual point."""
    X, D, C = (np.asarray(array, dtype=np.float64) for array in (X, D, C))
    linear, ridge = coder.alpha * coder.l1_ratio, coder.alpha * (1 - coder.l1_ratio)
    residual = X - C @ D
    squares = 0.5 * (residual**2).sum(axis=1)
    penalty = (linear * np.abs(C) + 0.5 * ridge * C**2).sum(axis=1)
    products = residual @ D.T
    if coder.positive_code:
        beyond = np.maximum(products - linear, 0)
    else:
        beyond = np.maximum(np.abs(products) - linear, 0)
    dual = (residual * X).sum(axis=1) - squares - (beyond**2).sum(axis=1) / (2 * ridge)
    return (squares + penalty - dual) / (squares + penalty)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(
    ("dtype", "scale", "l1_ratio"),
    [
        (np.float32, 1, 1e-6),
        (np.float32, 255, 0.05),
        (np.float32, 1e4, 0.5),
        (np.float64, 1e6, 1e-6),
        (np.float64, 1e12, 0.5),
        (np.float64, 1, 0.999),
    ],
)
def test_elastic_nets_are_at_the_optimum_and_know_it(dtype, scale, l1_ratio, positive):
    rng = np.random.default_rng(0)
    D = rng.standard_normal((15, 10)).astype(dtype)
    X = (scale * rng.standard_normal((20, 10))).astype(dtype)
    coder = ElasticNet(0.3, l1_ratio, positive)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        C = encode(coder, D, X, sparse_output=False)
    assert gaps_of(coder, D, X, C).max() < 1e-6


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1_ratio", [0.05, 0.5, 0.95])
def test_gaps_bound_what_codes_miss_of_the_optimum(l1_ratio, positive):
    X, D = hostile("random")
    coder = ElasticNet(0.3, l1_ratio, positive)
    best = encode(coder, D, X, sparse_output=False)
    rng = np.random.default_rng(0)
    for size in (1e-8, 1e-4, 1e-1):
        worse = best + size * rng.standard_normal(best.shape) * (best != 0)
        worse = np.maximum(worse, 0) if positive else worse
        gaps = measured_gaps(coder, D, X, worse)
        objective = objectives(X, D, worse, coder)
        missed = (objective - objectives(X, D, best, coder)) / objective
        assert (gaps >= missed - 1e-12).all()


def measured_gaps(coder, D, X, C):
    """Return what the kernel says of given codes."""
    atoms = coder.prepare(D)
    norms = np.linalg.norm(X, axis=1)
    gaps, scores = np.empty(len(X)), np.empty(len(D))
    lasso_gaps(
        X / norms[:, None] @ atoms.columns,
        atoms.gram,
        norms,
        *coder.penalties(atoms.norms),
        coder.positive_code,
        scores,
        scores.view(np.int64),
        gaps,
        np.full(len(X), len(D), np.int32),
        np.tile(np.arange(len(D), dtype=np.int32), (len(X), 1)),
        C * atoms.norms,
        C * atoms.norms,
    )
    return gaps
