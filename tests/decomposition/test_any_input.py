"""Laws of coding on searched rows and atoms, of any shape, type, layout and scale."""

import warnings
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn import sparse_encode
from sksparse_nn.solvers.coding import CODERS
from tests.solvers.coding.objective import objectives

# Penalties are drawn, and may be too large for any atom.
pytestmark = pytest.mark.filterwarnings("ignore:alpha=:UserWarning")

EXAMPLES = settings(
    max_examples=35,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
APPROXIMATE = [name for name in CODERS if CODERS[name].approximates]
ONE_LOOK = [name for name in CODERS if not CODERS[name].approximates]


class Problem(NamedTuple):
    """Rows, atoms and how to code, apart from the algorithm."""

    X: np.ndarray
    D: np.ndarray
    level: float  # in the units of the rows
    atom_scale: float
    others: dict

    def parameters(self, algorithm):
        # A penalty is weighed against products of rows and atoms as they are given.
        scale = self.atom_scale if CODERS[algorithm].penalised else 1.0
        given = self.others | {"alpha": self.level * scale}
        read = CODERS.parameters(algorithm)
        return {name: value for name, value in given.items() if name in read}

    @property
    def dtype(self):
        return np.dtype(np.float64 if self.X.dtype == np.float64 else np.float32)

    def coded(self, algorithm, X=None, D=None):
        """Return the codes, of these numbers in another form if it is given."""
        X, D = (self.X if X is None else X), (self.D if D is None else D)
        with warnings.catch_warnings():
            if self.dtype == np.float32:
                # Float32 cannot hold every optimum.
                warnings.simplefilter("ignore", ConvergenceWarning)
            return sparse_encode(
                X, D, algorithm=algorithm, **self.parameters(algorithm)
            )

    def as_seen(self):
        """Return rows and atoms in the type that they are coded in, as doubles."""
        return (part.astype(self.dtype).astype(float) for part in (self.X, self.D))


@st.composite
def matrices(draw, n_rows, n_features, noise):
    """Draw few whole numbers, so that rows are zero, constant or equal, and noise."""
    whole = hnp.arrays(np.int64, (n_rows, n_features), elements=st.integers(-3, 3))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    matrix = draw(whole) + noise * rng.standard_normal((n_rows, n_features))
    form = draw(st.sampled_from(["as drawn", "thin", "repeated", "opposites"]))
    if form == "thin":
        matrix *= rng.random(matrix.shape) < 0.3
    elif form == "repeated":
        matrix = matrix[rng.integers(0, 1 + n_rows // 4, n_rows)]
    elif form == "opposites":
        matrix[1::2] = -matrix[:-1:2]
    return matrix


@st.composite
def problems(draw, noises=(0, 1)):
    """Draw a problem whose codes stay in the range of float32."""
    n_features, noise = draw(st.integers(1, 20)), draw(st.sampled_from(noises))
    X = draw(matrices(draw(st.integers(1, 40)), n_features, noise))
    D = draw(matrices(draw(st.integers(1, 30)), n_features, noise))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int64]))
    row_scale = 1.0 if dtype is np.int64 else 10.0 ** draw(st.integers(-20, 20))
    atom_scale = 10.0 ** draw(st.integers(-10, 10))
    others = {
        "l1_ratio": 0.7,
        "n_nonzero_coefs": draw(st.sampled_from([None, 1, 3, 50])),
        "tol": draw(st.sampled_from([None, 0.01])),
    }
    level = draw(st.sampled_from([0.3, 1.7])) * row_scale
    X, D = (X * row_scale).astype(dtype), D * atom_scale
    return Problem(X, D, level, atom_scale, others)


def layouts(matrix):
    n_rows, n_columns = matrix.shape
    wide = np.zeros((2 * n_rows, 3 * n_columns), matrix.dtype)
    wide[::2, 1::3] = matrix
    read_only = matrix.copy()
    read_only.flags.writeable = False
    return {
        "F-ordered": np.asfortranarray(matrix),
        "strided": wide[::2, 1::3],
        "reversed": matrix[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": read_only,
    }


@pytest.mark.parametrize("algorithm", CODERS)
@given(problem=problems())
@EXAMPLES
def test_codes_are_finite_and_canonical(algorithm, problem):
    codes = problem.coded(algorithm)
    assert codes.shape == (len(problem.X), len(problem.D))
    assert codes.dtype == problem.dtype
    assert codes.has_canonical_format
    assert np.all(np.isfinite(codes.data) & (codes.data != 0))


@pytest.mark.parametrize("algorithm", CODERS)
@given(problem=problems())
@EXAMPLES
def test_layout_and_type_of_the_same_numbers_change_no_bit(algorithm, problem):
    X, D = problem.X, problem.D
    expected = problem.coded(algorithm, X.astype(problem.dtype)).toarray()
    assert_array_equal(problem.coded(algorithm).toarray(), expected)
    for name, rows in layouts(X).items():
        codes = problem.coded(algorithm, rows, layouts(D)[name])
        assert_array_equal(codes.toarray(), expected, err_msg=name)


def cost(problem, algorithm, codes):
    coder = CODERS.make(algorithm, problem.parameters(algorithm))
    return objectives(*problem.as_seen(), codes.toarray(), coder)


# With noise: which of two products that are equal but for rounding is the larger
# depends on the order of a sum, and a pursuit goes on from there.
@pytest.mark.parametrize("algorithm", APPROXIMATE)
@given(problem=problems(noises=[1]))
@EXAMPLES
def test_codes_of_sparse_rows_are_as_good_as_of_dense_ones(algorithm, problem):
    codes = problem.coded(algorithm), problem.coded(algorithm, csr_array(problem.X))
    dense, thin = (cost(problem, algorithm, each) for each in codes)
    squares = (next(problem.as_seen()) ** 2).sum(axis=1)
    assert np.all(np.abs(dense - thin) <= 100 * np.finfo(problem.dtype).eps * squares)


def sizes(problem, algorithm, X):
    """Return sorted magnitudes: of equal products any may be kept."""
    sizes = np.abs(problem.coded(algorithm, X).toarray())
    if CODERS[algorithm].weights_atoms:
        sizes = sizes * np.linalg.norm(problem.D, axis=1)
    return np.sort(sizes, axis=1)


@pytest.mark.parametrize("algorithm", ONE_LOOK)
@given(problem=problems())
@EXAMPLES
def test_one_look_at_sparse_rows_sees_what_it_sees_in_dense_ones(algorithm, problem):
    dense = sizes(problem, algorithm, problem.X)
    thin = sizes(problem, algorithm, csr_array(problem.X))
    row, atom = (np.linalg.norm(part, axis=1).max() for part in problem.as_seen())
    rounding = 100 * np.finfo(problem.dtype).eps
    if algorithm == "triangle":  # a root of a difference of squares
        assert_allclose(dense, thin, rtol=0, atol=rounding**0.5 * (row + atom))
    else:
        assert_allclose(dense, thin, rtol=0, atol=rounding * row)


@pytest.mark.parametrize("algorithm", APPROXIMATE)
@given(problem=problems())
@EXAMPLES
def test_what_a_code_leaves_of_a_row_is_no_larger_than_the_row(algorithm, problem):
    X, D = problem.as_seen()
    C = problem.coded(algorithm).toarray().astype(float)
    norms = np.linalg.norm(X, axis=1)
    terms = norms + np.abs(C) @ np.linalg.norm(D, axis=1)
    left = np.linalg.norm(X - C @ D, axis=1)
    assert np.all(left <= norms + 4 * np.finfo(problem.dtype).eps * terms)
