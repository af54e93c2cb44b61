"""What chunks say of a dictionary: against plain NumPy, and how it adds up."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn.solvers.coding import OMP
from sksparse_nn.solvers.dictionary import (
    MOD,
    CodedSums,
    OnlineLearner,
    Progress,
    Samples,
    normalise_atoms,
)

N_ROWS, WIDTH, N_ATOMS = 200, 8, 5


@pytest.fixture(name="X")
def rows():
    return np.random.default_rng(0).standard_normal((N_ROWS, WIDTH))


@pytest.fixture
def weights():
    return np.random.default_rng(1).integers(1, 4, N_ROWS).astype(float)


@pytest.fixture
def atoms(X):
    return normalise_atoms(X[:N_ATOMS].copy())


def sums_of(atoms, X, weights):
    return CodedSums.of_rows(OMP(n_nonzero_coefs=2), atoms, X, weights)


def naive(atoms, X, weights):
    """Code rows by two steps of matching pursuit with least squares, and sum up."""
    A, B, errors = np.zeros((N_ATOMS, N_ATOMS)), np.zeros((N_ATOMS, WIDTH)), []
    for row, weight in zip(X, weights, strict=True):
        code, chosen, left = np.zeros(N_ATOMS), [], row
        while len(chosen) < 2 and left @ left > 1e-12 * (row @ row):
            chosen.append(int(np.argmax(np.abs(atoms @ left))))
            values = np.linalg.lstsq(atoms[chosen].T, row)[0]
            left = row - values @ atoms[chosen]
        code[chosen] = values
        A += weight * np.outer(code, code)
        B += weight * np.outer(code, row)
        errors.append(left @ left)
    return A, B, np.array(errors)


def test_sums_are_those_of_plain_numpy(atoms, X, weights):
    found, (A, B, errors) = sums_of(atoms, X, weights), naive(atoms, X, weights)
    assert_allclose(found.statistics.A, A, atol=1e-8)
    assert_allclose(found.statistics.B, B, atol=1e-8)
    assert found.weight == weights.sum()
    assert found.objective == pytest.approx(weights @ errors / 2)
    assert_allclose(found.errors, np.sort(errors)[::-1][: len(found.errors)])
    assert_array_equal(found.X[0], X[errors.argmax()])


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_matrix])
def test_sums_of_parts_are_those_of_all(atoms, X, weights, layout):
    whole = sums_of(atoms, layout(X), weights)
    parts = [
        sums_of(atoms, layout(X[i : i + 50]), weights[i : i + 50])
        for i in range(0, N_ROWS, 50)
    ]
    before = parts[0].statistics.A.copy()
    total = parts[0].merge(parts[1]).merge(parts[2].merge(parts[3]))
    assert_array_equal(parts[0].statistics.A, before)
    assert_allclose(total.statistics.A, whole.statistics.A)
    assert_allclose(total.statistics.B, whole.statistics.B, atol=1e-10)
    assert_array_equal(total.statistics.usage, whole.statistics.usage)
    assert_allclose(total.errors, whole.errors)
    assert (total.X != whole.X).sum() == 0


@pytest.mark.parametrize("learner", [OnlineLearner(batch_size=N_ROWS), MOD()])
def test_a_step_on_sums_is_an_epoch_of_one_mini_batch(atoms, X, weights, learner):
    one, other = Progress.begin(atoms.copy()), Progress.begin(atoms.copy())
    learner.epoch(OMP(n_nonzero_coefs=2), one, Samples(X, weights))
    assert learner.count_steps(N_ROWS) == 1
    learner.forget(other, 1)
    learner.move(other, sums_of(atoms, X, weights).add_to(other))
    assert_allclose(other.dictionary, one.dictionary, atol=1e-10)
    assert other.mean_objective == pytest.approx(one.mean_objective)
    assert_array_equal(other.usage, one.usage)
