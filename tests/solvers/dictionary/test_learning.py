"""Parts of dictionary learning against their definitions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn._early_stopping import Patience
from sksparse_nn.solvers.coding import OMP, encode
from sksparse_nn.solvers.dictionary import (
    INITS,
    KSVD,
    LEARNERS,
    MOD,
    ExactKSVD,
    OnlineLearner,
    Progress,
    Samples,
    Statistics,
    init_dictionary,
    update_dictionary,
)
from sksparse_nn.solvers.dictionary._replacement import find_idle_atoms, replace_atoms


def naive_update(D, A, B):
    """Move one atom at a time to the best unit vector."""
    D = D.copy()
    for j in range(len(D)):
        target = B[j] - A[j] @ D + A[j, j] * D[j]
        if A[j, j] > 0:
            D[j] = target / np.linalg.norm(target)
    return D


def statistics_of(C, X):
    return Statistics(C.T @ C, C.T @ X, (C != 0).sum(axis=0).astype(float))


@pytest.fixture
def coded():
    rng = np.random.default_rng(0)
    D = rng.standard_normal((75, 10))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    C = rng.standard_normal((300, 75)) * (rng.random((300, 75)) < 0.1)
    C[:, 7] = 0
    return C, C @ D + 0.1 * rng.standard_normal((300, 10)), D


def test_an_update_moves_atoms_one_after_another(coded):
    C, X, D = coded
    statistics = statistics_of(C, X)
    start = np.roll(D, 1, axis=1)
    updated = start.copy()
    update_dictionary(updated, statistics)
    assert_allclose(
        updated, naive_update(start, statistics.A, statistics.B), atol=1e-10
    )
    assert_array_equal(updated[7], start[7])


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e9, 1e30])
def test_an_update_does_not_depend_on_the_scale_of_the_data(coded, scale):
    C, X, D = coded
    one, other = (np.roll(D, 1, axis=1).astype(np.float32) for _ in range(2))
    update_dictionary(one, statistics_of(C, X))
    update_dictionary(other, statistics_of(C * scale, X * scale))
    assert_allclose(one, other, atol=1e-5)


def test_a_positive_update_has_no_entry_below_zero(coded):
    C, X, D = coded
    D = np.abs(D)
    update_dictionary(D, statistics_of(np.abs(C), np.abs(X)), positive=True)
    assert D.min() >= 0
    assert_allclose(np.linalg.norm(D, axis=1), 1)


def epoch_of(learner, X, D, weights=None, n_nonzero=3):
    progress = Progress.begin(D.copy())
    weights = np.ones(X.shape[0]) if weights is None else weights
    learner.epoch(OMP(n_nonzero), progress, Samples(X, weights))
    return progress.dictionary


def test_mod_is_the_least_squares_dictionary(coded):
    _, X, D = coded
    D = D[:20]
    codes = encode(OMP(3), D, X, sparse_output=False)
    expected = np.linalg.lstsq(codes, X)[0]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert_allclose(epoch_of(MOD(), X, D), expected, atol=1e-8)


def naive_ksvd(X, D, n_nonzero, exact):
    C, D = encode(OMP(n_nonzero), D, X, sparse_output=False), D.copy()
    for j in range(len(D)):
        rows = np.flatnonzero(C[:, j])
        left = X[rows] - C[rows] @ D + np.outer(C[rows, j], D[j])
        if exact:
            D[j] = np.linalg.svd(left)[2][0] * np.sign(np.linalg.svd(left)[2][0] @ D[j])
        else:
            D[j] = C[rows, j] @ left / np.linalg.norm(C[rows, j] @ left)
        C[rows, j] = left @ D[j]
    return D


@pytest.mark.parametrize("learner", [KSVD(), ExactKSVD()])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_ksvd_is_the_naive_one(coded, learner, as_sparse):
    _, X, D = coded
    expected = naive_ksvd(X, D[:20], 3, learner.exact)
    atoms = epoch_of(learner, sparse.csr_array(X) if as_sparse else X, D[:20])
    signs = np.sign(np.sum(atoms * expected, axis=1, keepdims=True))
    assert_allclose(atoms * signs, expected, atol=1e-8)


@pytest.mark.parametrize("learner", [KSVD(), ExactKSVD()])
def test_codes_in_a_file_give_the_same_atoms(coded, learner, monkeypatch):
    _, X, D = coded
    in_memory = epoch_of(learner, X, D[:20])
    monkeypatch.setattr("sksparse_nn.solvers.dictionary._kept_codes._MOST", 1000)
    monkeypatch.setattr("sksparse_nn.solvers.dictionary._kept_codes._PLACES", 300)
    assert_array_equal(epoch_of(learner, X, D[:20]), in_memory)


@pytest.mark.parametrize("name", LEARNERS)
def test_an_epoch_lowers_the_error(coded, name):
    _, X, D = coded
    start = np.roll(D[:20], 1, axis=1)
    learner = LEARNERS.make(name, {})
    errors = []
    for atoms in (start, epoch_of(learner, X, start)):
        codes = encode(OMP(3), atoms, X)
        errors.append(((X - codes @ atoms) ** 2).sum())
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.parametrize("name", LEARNERS)
def test_an_epoch_takes_weights_for_repetition(coded, name):
    _, X, D = coded
    weights = np.random.default_rng(0).integers(1, 4, len(X))
    learner = LEARNERS.make(name, {"batch_size": 10_000})
    weighted = epoch_of(learner, X, D[:20], weights.astype(float))
    repeated = epoch_of(learner, np.repeat(X, weights, axis=0), D[:20])
    assert_allclose(weighted, repeated, atol=1e-9)


def initial(X, n_atoms=8, weights=None, **options):
    weights = np.ones(X.shape[0]) if weights is None else weights
    return init_dictionary(X, weights, n_atoms, np.random.RandomState(0), **options)


def test_initial_atoms_are_unit_rows_of_the_data():
    X = np.random.default_rng(0).standard_normal((50, 6))
    cosines = initial(X) @ (X / np.linalg.norm(X, axis=1, keepdims=True)).T
    assert_allclose(np.abs(cosines).max(axis=1), 1)


def test_initial_atoms_depend_neither_on_order_nor_on_repetition():
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((20, 6)), rng.integers(1, 4, 20)
    order = rng.permutation(20)
    expected = initial(X, weights=w.astype(float))
    assert_allclose(initial(X[order], weights=w[order].astype(float)), expected)
    assert_allclose(initial(np.repeat(X, w, axis=0)), expected)
    assert_allclose(initial(sparse.csr_array(X), weights=w.astype(float)), expected)


def test_initial_atoms_of_offset_data_are_not_alike():
    X = np.random.default_rng(0).standard_normal((50, 6)) + 100
    cosines = np.abs(np.triu(initial(X) @ initial(X).T, 1))
    assert cosines.max() < 0.999


@pytest.mark.parametrize("X", [np.zeros((5, 4)), np.ones((5, 4)), np.eye(1, 4)])
def test_initial_atoms_of_poor_data_are_unit_vectors(X):
    assert_allclose(np.linalg.norm(initial(X), axis=1), 1)


@pytest.mark.parametrize("name", INITS)
def test_every_choice_of_initial_atoms_gives_unit_vectors(name):
    rng = np.random.default_rng(0)
    for X in (rng.standard_normal((50, 6)), np.zeros((5, 4)), np.ones((5, 4))):
        for given in (X, sparse.csr_array(X)):
            atoms = initial(given, init=name)
            assert_allclose(np.linalg.norm(atoms, axis=1), 1)
            assert initial(given, init=name, positive=True).min() >= 0


def test_far_rows_cover_clusters_that_random_rows_miss():
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    sizes = [900, *[15] * 7]
    X = np.repeat(centres, sizes, axis=0)
    X += 0.01 * rng.standard_normal(X.shape)
    far, random = (
        initial(X, init=name) @ centres.T for name in ("k-means++", "random")
    )
    assert np.all(np.abs(far).max(axis=0) > 0.99)
    assert not np.all(np.abs(random).max(axis=0) > 0.99)


def test_singular_vectors_come_first_and_rows_behind():
    X = np.random.default_rng(0).standard_normal((50, 6)) * [9, 7, 5, 3, 2, 1]
    atoms = initial(X, init="svd")
    Vt = np.linalg.svd(X, full_matrices=False)[2]
    assert_allclose(np.abs(atoms[:6] @ Vt.T), np.eye(6), atol=1e-9)
    cosines = atoms[6:] @ (X / np.linalg.norm(X, axis=1, keepdims=True)).T
    assert_allclose(np.abs(cosines).max(axis=1), 1)


@pytest.mark.parametrize("forgetting", [0.0, 1.0, 8.0])
def test_mini_batches_weigh_about_a_power_of_their_number(forgetting):
    learner = OnlineLearner(batch_size=1, forgetting=forgetting)
    # Each row has an atom of its own, so that each product is of one mini-batch.
    X = np.eye(60)
    progress = Progress.begin(np.eye(60))
    learner.epoch(OMP(1), progress, Samples(X, np.ones(60)))
    products = np.diag(progress.statistics.A)
    assert products[-1] == 1
    expected = (np.arange(1, 61) / 60) ** forgetting
    assert_allclose(products[20:], expected[20:], atol=0.06)


def test_patience_ends_with_the_improvement():
    patience = Patience(n_iter_no_change=2, tol=0.01)
    assert not patience.is_over([5.0, 4.0])
    assert not patience.is_over([5.0, 5.0, 4.9])
    assert patience.is_over([5.0, 4.0, 3.97, 3.98])
    assert not patience.is_over([5.0, 4.0, 3.97, 3.9])


def test_idle_atoms_are_the_dead_and_the_lesser_twins():
    D = np.eye(5)
    D[3] = D[1]
    D[4] = -D[2]
    usage = np.array([0.1, 5, 7, 6, 9])
    for scale in (1e-9, 1, 1e9):
        assert_array_equal(find_idle_atoms(D @ D.T, usage * scale), [0, 1, 2])


def test_replacement_takes_rows_that_are_not_alike():
    D = np.eye(4)
    rows = [np.array([0.6, 0.8, 0, 0]), np.array([0.6, 0.8, 1e-4, 0]), np.ones(4) / 2]
    replaced = replace_atoms(D, np.array([2, 3]), rows)
    assert_array_equal(replaced, [2, 3])
    assert_allclose(D[2:], [rows[0], rows[2]])


def test_replacement_takes_what_an_atom_in_use_leaves_of_an_alike_row():
    D = np.eye(3)
    row = np.array([1, 0.05, 0])
    replace_atoms(D, np.array([2]), [row / np.linalg.norm(row)])
    assert_allclose(D[2], [0, 1, 0], atol=1e-12)
