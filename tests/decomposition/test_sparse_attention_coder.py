"""What the attention coder promises beyond the checks that all estimators pass."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from sksparse_nn import SparseAttentionCoder
from sksparse_nn.solvers.simplex import KEYS, MAPPINGS
from tests.decomposition.attention_coders import ATTENTION_CODERS
from tests.estimators import name_of


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)[0][:600] / 16


@pytest.fixture(params=ATTENTION_CODERS, ids=name_of)
def coder(request):
    return clone(request.param).set_params(random_state=0)


def dense(codes):
    return codes.toarray() if sparse.issparse(codes) else codes


def total_variance(X):
    return np.sum((X - X.mean(axis=0)) ** 2)


def test_codes_are_shares(coder, digits):
    codes = dense(coder.fit_transform(digits))
    assert codes.min() >= 0
    assert_allclose(codes.sum(axis=1), 1)


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("n_active", [1, 2.5, 3, 10, 20])
def test_rows_have_the_wanted_number_of_nonzeros_on_average(
    mapping, keys, n_active, digits
):
    coder = SparseAttentionCoder(
        20, mapping=mapping, keys=keys, n_active=n_active, max_epochs=5, random_state=0
    )
    mean = coder.fit_transform(digits).nnz / len(digits)
    assert n_active - 0.01 <= mean <= n_active
    assert_allclose(coder.n_active_, mean)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_active_key_is_the_nearest_one(dtype, digits):
    X = digits.astype(dtype)
    coder = SparseAttentionCoder(10, n_active=1, random_state=0).fit(X)
    distances = ((X[:, None] - coder.keys_) ** 2).sum(axis=2)
    assert_array_equal(coder.transform(X).indices, distances.argmin(axis=1))


def test_the_sample_is_enough_for_the_temperature():
    X = np.random.default_rng(0).standard_normal((20_000, 5)).astype(np.float32)
    coder = SparseAttentionCoder(16, n_active=3, max_epochs=3, random_state=0).fit(X)
    assert abs(coder.n_active_ - 3) < 0.1


def test_medoids_are_rows(digits):
    weights = np.arange(len(digits)) % 3
    coder = SparseAttentionCoder(20, keys="medoids", random_state=0)
    coder.fit(digits, sample_weight=weights)
    assert_array_equal(coder.keys_, digits[coder.medoid_indices_])
    assert np.all(weights[coder.medoid_indices_] > 0)
    assert len(set(coder.medoid_indices_)) == 20


def test_no_row_of_its_cluster_is_a_better_medoid(digits):
    coder = SparseAttentionCoder(8, keys="medoids", n_active=1, random_state=0)
    owners = dense(coder.fit_transform(digits)).argmax(axis=1)
    for j, medoid in enumerate(coder.medoid_indices_):
        members = digits[owners == j]
        sums = ((members[:, None] - members) ** 2).sum(axis=(1, 2))
        own = ((members - digits[medoid]) ** 2).sum()
        assert own <= sums.min() * (1 + 1e-9)


def test_a_medoid_index_goes_when_the_keys_are_no_rows_any_more(digits):
    coder = SparseAttentionCoder(8, keys="medoids", random_state=0).fit(digits)
    assert not hasattr(coder.set_params(keys="kmeans").fit(digits), "medoid_indices_")


def test_centres_are_as_good_as_those_of_scikit_learn(digits):
    ours = [
        SparseAttentionCoder(10, random_state=seed)
        .fit(digits)
        .history_["objective"][-1]
        for seed in range(6)
    ]
    theirs = KMeans(10, n_init=3, random_state=0).fit(digits).inertia_ / 2 / len(digits)
    assert min(ours) <= 1.02 * theirs


def test_clusters_are_found():
    centres = 50 * np.eye(6)
    X, labels = make_blobs(300, centers=centres, cluster_std=1, random_state=0)
    coder = SparseAttentionCoder(6, n_active=1, random_state=0)
    owners = coder.fit_transform(X).indices
    assert len(set(zip(owners, labels, strict=True))) == 6


@pytest.mark.parametrize("iterate", [False, True])
@pytest.mark.parametrize("keys", KEYS)
def test_the_history_never_rises(keys, iterate, digits):
    coder = SparseAttentionCoder(
        12, keys=keys, iterate=iterate, max_epochs=20, random_state=0
    )
    history = coder.fit(digits).history_["objective"]
    assert len(history) == coder.n_iter_ >= 1
    assert np.all(np.diff(history) <= 1e-12 * history[0])


def test_the_history_of_entmax_never_rises(digits):
    coder = SparseAttentionCoder(12, mapping="entmax15", keys="learned", random_state=0)
    history = coder.fit(digits).history_["objective"]
    assert len(history) > 2
    assert np.all(np.diff(history) <= 1e-12 * history[0])


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_learned_keys_leave_less_of_the_rows_than_centres(mapping, digits):
    left = {}
    for keys in ("kmeans", "learned"):
        coder = SparseAttentionCoder(20, mapping=mapping, keys=keys, random_state=0)
        rebuilt = coder.inverse_transform(coder.fit_transform(digits))
        left[keys] = np.sum((digits - rebuilt) ** 2) / 2 / len(digits)
    assert left["learned"] < left["kmeans"]
    assert_allclose(left["learned"], coder.history_["objective"][-1])
    assert_allclose(left["kmeans"], coder.history_["objective"][0])


def test_the_last_objective_is_that_of_the_keys(digits):
    coder = SparseAttentionCoder(
        6, keys="learned", iterate=True, max_epochs=200, random_state=0
    )
    mixtures = coder.fit_transform(digits) @ coder.keys_
    left = np.sum((digits - mixtures) ** 2) / 2 / len(digits)
    assert coder.n_iter_ < 200
    assert_allclose(left, coder.history_["objective"][-1], rtol=1e-3)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_archetypes_are_the_corners_that_rows_are_mixtures_of(form):
    rng = np.random.default_rng(0)
    corners = 5 * np.eye(4, 6) + rng.random((4, 6))
    shares = np.vstack([rng.dirichlet(np.full(4, 0.5), 300), np.eye(4)])
    coder = SparseAttentionCoder(
        4, iterate=True, keys="learned", max_epochs=200, random_state=0
    )
    codes = coder.fit_transform(form(shares @ corners))
    distances = np.linalg.norm(coder.keys_[:, None] - corners, axis=2)
    order = distances.argmin(axis=0)
    assert sorted(order) == [0, 1, 2, 3]
    assert distances.min(axis=0).max() < 0.1
    assert_allclose(dense(codes)[:, order], shares, atol=0.03)


def test_archetypes_stay_among_the_rows(digits):
    coder = SparseAttentionCoder(
        8, iterate=True, keys="learned", max_epochs=5, random_state=0
    ).fit(digits)
    assert coder.keys_.min() >= digits.min() - 1e-12
    assert coder.keys_.max() <= digits.max() + 1e-12


def test_converged_codes_of_every_row_are_nearer_than_one_step(digits):
    one = SparseAttentionCoder(20, random_state=0)
    first, last = (
        np.sum((digits - coder.fit_transform(digits) @ coder.keys_) ** 2, axis=1)
        for coder in (one, clone(one).set_params(iterate=True))
    )
    assert np.all(last <= first + 1e-4)
    assert last.sum() < 0.95 * first.sum()


def test_values_are_ridge_regression_towards_the_keys(digits):
    coder = SparseAttentionCoder(10, values_reg=0.1, random_state=0)
    C = dense(coder.fit_transform(digits))
    weight = 0.1 * np.trace(C.T @ C) / 10
    moves = np.linalg.solve(
        C.T @ C + weight * np.eye(10), C.T @ (digits - C @ coder.keys_)
    )
    assert_allclose(coder.components_, coder.keys_ + moves, atol=1e-10)


def test_rebuilt_rows_are_mixtures_of_values(digits):
    coder = SparseAttentionCoder(30, random_state=0)
    codes = coder.fit_transform(digits)
    rebuilt = coder.inverse_transform(codes)
    assert_allclose(rebuilt, codes @ coder.components_)
    assert np.sum((digits - rebuilt) ** 2) < 0.4 * total_variance(digits)
    assert_allclose(coder.inverse_transform(codes.toarray()), rebuilt, atol=1e-12)


def test_codes_of_another_width_are_refused(digits):
    coder = SparseAttentionCoder(5, random_state=0).fit(digits)
    with pytest.raises(ValueError, match=r"must have 5 columns.* Got 4"):
        coder.inverse_transform(np.ones((1, 4)))


@pytest.mark.parametrize("scale", [1e-15, 2.0**20, 1e15])
def test_scaling_changes_the_temperature_alone(coder, scale, digits):
    one, other = coder.fit(digits), clone(coder).fit(digits * scale)
    assert_allclose(other.temperature_, scale**2 * one.temperature_, rtol=1e-6)
    codes = dense(one.transform(digits))
    assert_allclose(dense(other.transform(digits * scale)), codes, atol=1e-5)
    rebuilt = other.inverse_transform(codes) / scale
    assert_allclose(rebuilt, one.inverse_transform(codes), atol=1e-5)


def test_an_offset_changes_no_code(coder, digits):
    codes = dense(coder.fit_transform(digits))
    moved = dense(clone(coder).fit_transform(digits + 1000.0))
    assert_allclose(moved, codes, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-18, 1e18])
def test_float32_of_any_size_is_coded(coder, scale, digits):
    X = (digits * scale).astype(np.float32)
    codes = dense(coder.fit_transform(X))
    assert codes.dtype == np.float32
    assert_allclose(codes.sum(axis=1), 1, rtol=1e-5)
    assert np.all(np.isfinite(coder.components_))


def test_sparse_rows_are_coded_like_dense_ones(coder, digits):
    codes = dense(coder.fit_transform(digits))
    thin = clone(coder).fit(sparse.csr_array(digits))
    assert_allclose(dense(thin.transform(sparse.csr_array(digits))), codes, atol=1e-6)
    assert_allclose(dense(thin.transform(digits)), codes, atol=1e-6)


def test_weights_are_repetition(coder, digits):
    weights = np.random.default_rng(0).integers(0, 4, len(digits))
    weighted = clone(coder).fit(digits, sample_weight=weights)
    repeated = clone(coder).fit(np.repeat(digits, weights, axis=0))
    codes = dense(weighted.transform(digits))
    assert_allclose(dense(repeated.transform(digits)), codes, atol=1e-5)
    assert_allclose(repeated.components_, weighted.components_, atol=1e-5)


HOSTILE = {
    "zeros": np.zeros((9, 4)),
    "equal rows": np.full((9, 4), 3.7),
    "two rows, repeated": np.repeat([[0.0, 1.0], [2.0, 3.0]], 6, axis=0),
    "one row": np.array([[1.0, -2.0, 0.0]]),
    "one column": np.arange(12.0)[:, None],
    "one constant column": np.column_stack([np.full(12, 5.0), np.arange(12.0) % 5]),
    "one far row": np.vstack([np.eye(8), 1e5 * np.ones((1, 8))]),
    "corners of a cube": np.array(list(np.ndindex(2, 2, 2, 2)), float),
}


@pytest.mark.filterwarnings("ignore:n_components=:UserWarning")
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_degenerate_rows_are_coded(coder, name, form):
    X = form(HOSTILE[name])
    codes = coder.fit_transform(X)
    n_keys = min(6, len(np.unique(HOSTILE[name], axis=0)))
    assert codes.shape == (X.shape[0], n_keys)
    assert_allclose(dense(codes).sum(axis=1), 1)
    rebuilt = coder.inverse_transform(codes)
    assert np.all(np.isfinite(rebuilt))
    assert np.isfinite(coder.temperature_)
    assert coder.temperature_ > 0
    if n_keys == 1:
        assert_allclose(rebuilt, HOSTILE[name], atol=1e-12)


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_far_row_belongs_to_one_key(mapping, keys, digits):
    coder = SparseAttentionCoder(6, mapping=mapping, keys=keys, random_state=0)
    far = 1e12 * np.random.default_rng(0).standard_normal((1, 64))
    codes = dense(coder.fit(digits).transform(far))
    assert_allclose(codes.max(), 1)


def test_fewer_distinct_rows_than_keys_are_told():
    X = np.repeat(np.eye(3), 4, axis=0)
    with pytest.warns(UserWarning, match="n_components=64 is more than the 3 distinct"):
        coder = SparseAttentionCoder(64).fit(X)
    assert coder.transform(X).shape == (12, 3)
    assert len(coder.get_feature_names_out()) == 3


def test_there_are_as_many_keys_as_distinct_rows_if_no_number_is_given(digits):
    X = np.repeat(digits[:20], 2, axis=0)
    assert SparseAttentionCoder(random_state=0).fit(X).keys_.shape == (20, 64)
    assert SparseAttentionCoder(random_state=0).fit(digits).keys_.shape == (128, 64)


@pytest.mark.parametrize(("n_keys", "n_active"), [(1, 1), (2, 1), (20, 10), (80, 40)])
def test_half_of_the_keys_are_active_if_no_number_is_given(digits, n_keys, n_active):
    coder = SparseAttentionCoder(n_keys, random_state=0).fit(digits)
    assert_allclose(coder.n_active_, n_active, rtol=0.02)


def test_more_active_keys_than_there_are_is_told(digits):
    with pytest.warns(UserWarning, match="4 keys cannot have n_active=5"):
        coder = SparseAttentionCoder(4, n_active=5).fit(digits)
    assert coder.n_active_ == 4


def test_steps_go_on_with_a_projection_only(digits):
    coder = SparseAttentionCoder(4, mapping="entmax15", iterate=True)
    with pytest.raises(ValueError, match=r"\['sparsemax'\].* Got mapping='entmax15'"):
        coder.fit(digits)


def test_a_fit_that_fails_leaves_the_coder_as_it_was(digits):
    coder = SparseAttentionCoder(4, random_state=0).fit(digits)
    before = dict(vars(coder))
    with pytest.raises(ValueError, match="NaN"):
        coder.fit(np.full((5, 3), np.nan))
    assert vars(coder).keys() == before.keys()
    assert all(vars(coder)[name] is value for name, value in before.items())


def test_equal_seeds_give_equal_bits(coder, digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (dense(clone(coder).fit_transform(digits)) for _ in range(2))
    assert_array_equal(one, two)


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("size", [1e160, 1e300, 1.7e308, 1e-200])
def test_rows_whose_squares_are_no_numbers_are_refused_in_words(size, wrapped):
    X = wrapped(size * np.random.default_rng(0).uniform(-1, 1, (60, 10)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="largest magnitude is from 1e-140 to"):
            SparseAttentionCoder(6, random_state=0).fit(X)


def test_huge_rows_are_not_coded_and_tiny_ones_are():
    X = np.random.default_rng(0).uniform(-1, 1, (60, 10))
    coder = SparseAttentionCoder(6, random_state=0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_allclose((coder.transform(X * 1e-200)).sum(axis=1), 1)
        with pytest.raises(ValueError, match=r"largest magnitude is from .* to 1e"):
            coder.transform(X * 1e300)
