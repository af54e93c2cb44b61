"""The coder beyond what every estimator is checked for."""

import pickle
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits

from sksparse_nn import SparseDictionaryCoder
from sksparse_nn.decomposition._coder_algorithms import OF_ALGORITHMS
from sksparse_nn.solvers.coding import CODERS
from sksparse_nn.solvers.dictionary import LEARNERS


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)[0].astype(np.float32)


def explained(X, coder):
    rebuilt = coder.inverse_transform(coder.transform(X))
    return 1 - ((X - rebuilt) ** 2).sum() / (X**2).sum()


def test_learning_beats_the_initial_atoms(digits):
    settings = {"n_components": 64, "n_nonzero_coefs": 5, "random_state": 0}
    settings["algorithm"] = "omp"
    short, long = (
        SparseDictionaryCoder(max_epochs=n, **settings).fit(digits) for n in (1, 10)
    )
    assert explained(digits, long) > explained(digits, short)
    assert long.history_["objective"][-1] < 0.8 * long.history_["objective"][0]


def test_learnt_atoms_have_unit_norm(digits):
    atoms = SparseDictionaryCoder(40, random_state=0).fit(digits).components_
    assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["omp", "ols"])
def test_a_common_offset_leaves_no_atom_unused(digits, dtype, algorithm):
    X = digits.astype(dtype) + 8
    coder = SparseDictionaryCoder(
        64, algorithm=algorithm, n_nonzero_coefs=5, random_state=0
    )
    codes = coder.fit_transform(X)
    assert np.bincount(codes.indices, minlength=64).min() > 0


@pytest.mark.parametrize("scale", [2.0**-30, 2.0**-7, 2.0**30])
@pytest.mark.parametrize("algorithm", CODERS)
def test_the_unit_of_the_data_changes_no_support(digits, scale, algorithm):
    coder = SparseDictionaryCoder(50, algorithm=algorithm, max_epochs=2, random_state=0)
    X = digits[:300].astype(np.float64)
    given = clone(coder).fit(X).components_
    kept = {"learner": None, "init": given, "n_components": None, "max_epochs": 10}
    for settings in ({}, kept):
        coder.set_params(**settings)
        if algorithm == "triangle" and settings:  # distances from atoms of a unit
            continue
        expected, codes = coder.fit_transform(X), coder.fit_transform(X * scale)
        if algorithm != "triangle":
            assert_array_equal(codes.indices, expected.indices)
            assert_allclose(codes.data / scale, expected.data, rtol=1e-6)


@pytest.mark.parametrize("unit", ["all", "each"])
@pytest.mark.parametrize("algorithm", [name for name in CODERS if name != "triangle"])
def test_the_unit_of_given_atoms_is_that_of_the_codes(digits, algorithm, unit):
    X = digits[:300].astype(np.float64)
    D = SparseDictionaryCoder(50, max_epochs=2, random_state=0).fit(X).components_
    factors = 10.0 if unit == "all" else 2.0 ** (np.arange(50) % 7 - 3)
    coder = SparseDictionaryCoder(algorithm=algorithm, learner=None, init=D)
    expected = coder.fit_transform(X)
    coder.set_params(init=D * np.reshape(factors, (-1, 1)))
    codes = coder.fit_transform(X)
    assert_array_equal(codes.indices, expected.indices)
    factors = np.broadcast_to(factors, 50)
    assert_allclose(codes.data * factors[codes.indices], expected.data, rtol=1e-6)


def test_the_penalties_of_alpha_none_are_those_of_the_docs(digits):
    X = digits[:100].astype(np.float64)
    coder = SparseDictionaryCoder(30, algorithm="elastic_net", random_state=0).fit(X)
    rms = np.sqrt((X**2).sum(axis=1).mean())
    assert coder.alpha_ == pytest.approx(0.03 * rms)
    linear, quadratic = coder._coder(30).penalties(np.full(30, 2.0))
    assert_allclose(linear, 0.5 * 0.03 * rms)
    assert_allclose(quadratic, 0.5 * 0.03)


def test_a_given_alpha_weighs_the_codes_as_they_are():
    X, D = np.array([[4.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 1.0]])
    coder = SparseDictionaryCoder(algorithm="lasso", learner=None, init=D)
    codes = coder.set_params(alpha=1.0).fit_transform(X)
    assert_allclose(codes.toarray(), [[(4 * 2 - 1) / 4, 0]])


def test_fitting_twice_gives_the_same_bits(digits):
    one, two = (
        SparseDictionaryCoder(50, random_state=0, n_jobs=n).fit(digits) for n in (1, 2)
    )
    assert_array_equal(one.components_, two.components_)


def test_weights_are_as_good_as_repetition_in_one_batch(digits):
    X = digits[:100].astype(np.float64)
    weights = np.random.default_rng(0).integers(0, 4, 100)
    coder = SparseDictionaryCoder(20, random_state=0)
    weighted = clone(coder).fit(X, sample_weight=weights)
    repeated = clone(coder).fit(np.repeat(X, weights, axis=0))
    assert_allclose(weighted.components_, repeated.components_, atol=1e-8)
    assert_allclose(weighted.usage_, repeated.usage_)


def test_scaled_weights_change_nothing_in_small_batches(digits):
    coder = SparseDictionaryCoder(20, batch_size=50, random_state=0)
    plain = clone(coder).fit(digits)
    weighted = clone(coder).fit(digits, sample_weight=np.full(len(digits), 3.0))
    assert_allclose(plain.components_, weighted.components_, atol=1e-5)


@pytest.mark.parametrize("learner", ["online", "ksvd", "mod"])
@pytest.mark.parametrize("factor", [1e-3, 1e6])
def test_a_common_factor_of_the_weights_changes_nothing(digits, learner, factor):
    coder = SparseDictionaryCoder(
        20, algorithm="omp", learner=learner, max_epochs=3, random_state=0
    )
    plain = clone(coder).fit(digits[:500])
    weighted = clone(coder).fit(digits[:500], sample_weight=np.full(500, factor))
    assert_allclose(plain.components_, weighted.components_, atol=1e-4)


@pytest.mark.parametrize("scale", [2.0**-83, 2.0**60])
@pytest.mark.parametrize("learner", ["online", "ksvd", "mod"])
def test_float32_learns_at_any_scale(digits, learner, scale):
    coder = SparseDictionaryCoder(
        20, algorithm="omp", learner=learner, max_epochs=3, random_state=0
    )
    plain = clone(coder).fit(digits[:500])
    scaled = clone(coder).fit(digits[:500] * np.float32(scale))
    assert_allclose(scaled.components_, plain.components_, atol=1e-5)


@pytest.mark.parametrize(
    "setting",
    [
        {"algorithm": "omp", "n_nonzero_coefs": 0},
        {"algorithm": "omp", "n_nonzero_coefs": "a"},
        {"algorithm": "omp", "tol": -1},
        {"algorithm": "omp", "tol": np.nan},
        {"algorithm": "lasso", "alpha": np.inf},
        {"algorithm": "x"},
    ],
    ids=str,
)
def test_parameters_set_after_fit_are_checked_too(digits, setting):
    coder = SparseDictionaryCoder(20, max_epochs=1).fit(digits)
    with pytest.raises(ValueError, match=next(reversed(setting))):
        coder.set_params(**setting).transform(digits)


def test_another_algorithm_after_fit_uses_the_level_of_the_data(digits):
    coder = SparseDictionaryCoder(20, max_epochs=1, random_state=0)
    expected = clone(coder).set_params(algorithm="lasso").fit(digits).alpha_
    assert coder.fit(digits).alpha_ == pytest.approx(expected)
    assert coder.set_params(algorithm="lasso").transform(digits).nnz > 0
    assert coder.fit(10 * digits).alpha_ == pytest.approx(10 * expected)


def test_a_warm_start_with_another_number_of_atoms_says_so(digits):
    coder = SparseDictionaryCoder(20, max_epochs=1, warm_start=True).fit(digits)
    coder.set_params(n_components=30)
    for method in (coder.fit, coder.partial_fit):
        with pytest.raises(ValueError, match="20 atoms that are there"):
            method(digits)


def test_a_given_dictionary_leaves_no_usage_behind(digits):
    coder = SparseDictionaryCoder(20, max_epochs=1).fit(digits)
    coder.set_params(
        learner=None, init=digits[:7] + 1, n_components=None, max_epochs=10
    )
    assert not hasattr(coder.fit(digits), "usage_")


def test_doubles_of_pandas_stay_doubles(digits):
    frame = pd.DataFrame(digits[:50].astype(np.float64)).rename(columns=str)
    coder = SparseDictionaryCoder(20, max_epochs=1)
    for given in (frame, frame.astype("Float64")):
        assert coder.fit_transform(given).dtype == np.float64


def test_merging_other_features_says_so(digits):
    frame = pd.DataFrame(digits[:100, 20:24], columns=list("abcd"))
    one = SparseDictionaryCoder(3, max_epochs=1).fit(frame)
    other = SparseDictionaryCoder(3, max_epochs=1).fit(frame[list("bacd")])
    with pytest.raises(ValueError, match="same features in the same order"):
        one.merge(other)


def test_a_given_dictionary_is_kept_and_answered_in_its_own_scale(digits):
    rng = np.random.default_rng(0)
    D = rng.standard_normal((80, 64)) * rng.uniform(0.1, 10, (80, 1))
    coder = SparseDictionaryCoder(
        learner=None, init=D, algorithm="omp", residual_tol=1e-6
    ).fit(digits)
    assert_array_equal(coder.components_, D.astype(np.float32))
    assert_allclose(explained(digits, coder), 1, atol=1e-5)


def test_a_learner_starts_from_a_given_dictionary(digits):
    start = SparseDictionaryCoder(30, random_state=0).fit(digits).components_
    coder = SparseDictionaryCoder(init=5 * start, max_epochs=1, random_state=1)
    assert np.mean(np.sum(coder.fit(digits).components_ * start, axis=1)) > 0.9


def test_partial_fit_learns(digits):
    coder = SparseDictionaryCoder(
        50, algorithm="omp", n_nonzero_coefs=5, random_state=0
    )
    for start in range(0, 1500, 300):
        coder.partial_fit(digits[start : start + 300])
    assert coder.n_iter_ == len(coder.history_["objective"]) == 1
    assert explained(digits[1500:], coder) > 0.9


@pytest.mark.parametrize("algorithm", ["omp", "lasso", "triangle"])
@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("batch_size", [50, 400])
def test_partial_fit_of_any_pieces_is_fit_of_all(
    digits, algorithm, as_sparse, batch_size
):
    X = digits[:700].astype(np.float64)
    X = sparse.csr_array(X) if as_sparse else X
    weights = np.random.default_rng(0).uniform(0.5, 2, 700)
    pieces = SparseDictionaryCoder(
        40, algorithm=algorithm, batch_size=batch_size, random_state=0
    )
    whole = clone(pieces).set_params(shuffle=False, max_epochs=1)
    cuts = [0, 1, 2, 60, 61, 350, 400, 690, 699, 700]
    for start, stop in pairwise(cuts):
        pieces.partial_fit(X[start:stop], sample_weight=weights[start:stop])
        if stop in {61, 400, 700}:
            fitted = clone(whole).fit(X[:stop], sample_weight=weights[:stop])
            assert_array_equal(pieces.components_, fitted.components_)
            assert_array_equal(pieces.usage_, fitted.usage_)
            assert pieces.alpha_ == fitted.alpha_
            for name, values in fitted.history_.items():
                assert_array_equal(pieces.history_[name], values)


def test_pieces_may_change_between_dense_and_sparse(digits):
    one, other = (SparseDictionaryCoder(30, random_state=0) for _ in range(2))
    for start in range(0, 900, 100):
        piece = digits[start : start + 100]
        one.partial_fit(piece)
        other.partial_fit(sparse.csr_array(piece) if start % 200 else piece)
    assert_allclose(one.components_, other.components_, atol=1e-4)


def test_pieces_may_come_in_one_buffer(digits):
    buffer = np.empty((100, 64), np.float32)
    one, other = (SparseDictionaryCoder(30, random_state=0) for _ in range(2))
    for start in range(0, 900, 100):
        buffer[:] = digits[start : start + 100]
        one.partial_fit(buffer)
        buffer[:] = np.nan
        other.partial_fit(digits[start : start + 100])
    assert_array_equal(one.components_, other.components_)


def test_only_learners_of_streams_have_partial_fit():
    assert not hasattr(
        SparseDictionaryCoder(algorithm="omp", learner="ksvd"), "partial_fit"
    )
    assert hasattr(SparseDictionaryCoder(learner=None), "partial_fit")


def test_partial_fit_goes_on_after_fit(digits):
    coder = SparseDictionaryCoder(50, random_state=0).fit(digits)
    before = explained(digits, coder)
    assert explained(digits, coder.partial_fit(digits)) > before - 0.01


def test_merging_is_learning_from_the_rows_of_both(digits):
    start = SparseDictionaryCoder(40, max_epochs=2, random_state=0).fit(digits)
    coder = SparseDictionaryCoder(init=start.components_, random_state=0)
    low, high = np.argsort(digits[:, 20])[:900], np.argsort(digits[:, 20])[900:]
    one, two = (clone(coder).fit(digits[part]) for part in (low, high))
    shuffled = np.random.default_rng(0).permutation(40)
    two.components_ = -two.components_[shuffled]
    state = two._state
    two._state = state | {
        "A": state["A"][np.ix_(shuffled, shuffled)],
        "B": -state["B"][shuffled],
        "used": state["used"][shuffled],
    }
    alone = [explained(digits, coder) for coder in (one, two)]
    both = one.usage_.sum() + two.usage_.sum()
    assert explained(digits, one.merge(two)) > max(alone)
    assert one.usage_.sum() == pytest.approx(both)


@pytest.mark.parametrize("unit", [1.0, 1e100, 1e-200])
def test_merging_takes_alpha_from_the_rows_of_both(digits, unit):
    X = digits.astype(np.float64) * unit
    X[:300] *= 5
    coder = SparseDictionaryCoder(10, max_epochs=1, random_state=0)
    one, two, both = (clone(coder) for _ in range(3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one.fit(X[:300]), two.fit(X[300:]), both.fit(X)
        merged = one.alpha_, two.alpha_, one.merge(two).alpha_
    assert merged[0] > merged[2] > merged[1]
    assert one.alpha_ == pytest.approx(both.alpha_, rel=1e-9)


def test_merging_three_parts_weights_alpha_by_their_rows(digits):
    X = digits * np.linspace(1, 4, len(digits))[:, None].astype(digits.dtype)
    coder = SparseDictionaryCoder(10, max_epochs=1, random_state=0)
    weights = np.linspace(1, 2, len(X))
    parts = np.array_split(np.arange(len(X)), [200, 900])
    one, *others = (clone(coder).fit(X[p], sample_weight=weights[p]) for p in parts)
    for other in others:
        one.merge(other)
    whole = clone(coder).fit(X, sample_weight=weights)
    assert one.alpha_ == pytest.approx(whole.alpha_, rel=1e-6)


def test_merging_what_does_not_fit_says_so(digits):
    coder = SparseDictionaryCoder(20, max_epochs=1).fit(digits)
    wider = SparseDictionaryCoder(30, max_epochs=1).fit(digits)
    given = SparseDictionaryCoder(learner=None, init=np.eye(20, 64)).fit(digits)
    with pytest.raises(ValueError, match="as many atoms"):
        coder.merge(wider)
    with pytest.raises(ValueError, match="have learnt"):
        coder.merge(given)


def test_warm_start_goes_on_from_the_atoms(digits):
    coder = SparseDictionaryCoder(50, max_epochs=2, warm_start=True, random_state=0)
    first = coder.fit(digits).history_["objective"][0]
    assert coder.fit(digits).history_["objective"][0] < first


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("algorithm", ["omp", "ols", "soft_threshold", "triangle"])
def test_more_atoms_than_distinct_rows_leave_idle_atoms_and_no_nan(algorithm, learner):
    X = np.repeat(np.random.default_rng(0).standard_normal((10, 6)), 5, axis=0)
    coder = SparseDictionaryCoder(20, algorithm=algorithm, learner=learner)
    with pytest.warns(UserWarning, match="=20 is more than the 10 distinct rows"):
        coder.set_params(random_state=0).fit(X)
    assert np.all(np.isfinite(coder.components_))
    assert 0 < (coder.usage_ > 0).sum() < 20
    assert np.all(coder.usage_ >= 0)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((10, 5)),
        np.ones((10, 5)),
        np.eye(5)[[0] * 10],
        np.ones((1, 5)),
        np.arange(10.0)[:, None],
        np.vstack([np.zeros((5, 5)), np.eye(5)]),
    ],
    ids=["zeros", "ones", "one direction", "one row", "one column", "zero rows"],
)
@pytest.mark.filterwarnings("ignore:n_components=8:UserWarning")
@pytest.mark.parametrize("algorithm", ["omp", "ols", "threshold", "top_k", "triangle"])
def test_poor_data_give_finite_codes(X, algorithm):
    coder = SparseDictionaryCoder(8, algorithm=algorithm, random_state=0)
    codes = coder.fit_transform(X)
    assert codes.shape == (len(X), 8)
    assert np.all(np.isfinite(codes.data))
    assert np.all(np.isfinite(coder.components_))


def test_more_nonzeros_than_atoms_or_features_are_no_error(digits):
    for n_components, n_nonzero in [(4, 9), (200, 99)]:
        coder = SparseDictionaryCoder(
            n_components,
            algorithm="omp",
            n_nonzero_coefs=n_nonzero,
            max_epochs=1,
            random_state=0,
        )
        with pytest.warns(UserWarning, match=f"n_nonzero_coefs={n_nonzero} is more"):
            codes = coder.fit_transform(digits[:500])
        assert np.diff(codes.indptr).max() <= min(n_components, 64)


def test_split_codes_rebuild_the_same_rows(digits):
    coder = SparseDictionaryCoder(40, random_state=0).fit(digits)
    plain = coder.inverse_transform(coder.transform(digits))
    coder.set_params(split_sign=True)
    codes = coder.transform(digits)
    assert codes.min() >= 0
    assert codes.shape[1] == len(coder.get_feature_names_out()) == 80
    assert_allclose(coder.inverse_transform(codes), plain, atol=1e-4)


def test_float16_and_integers_are_coded_in_float32(digits):
    coder = SparseDictionaryCoder(40, random_state=0).fit(digits)
    expected = coder.transform(digits)
    for dtype in (np.float16, np.uint8, np.int64, bool):
        codes = coder.transform(digits.astype(dtype))
        assert codes.dtype == np.float32
        if dtype is not bool:
            assert_array_equal(codes.toarray(), expected.toarray())


def test_sparse_codes_of_sparse_text_like_rows_stay_sparse():
    X = sparse.random_array((300, 5000), density=0.005, rng=0, format="csr")
    coder = SparseDictionaryCoder(
        20, algorithm="omp", n_nonzero_coefs=3, max_epochs=2, random_state=0
    )
    codes = coder.fit_transform(X)
    assert sparse.issparse(codes)
    dense = clone(coder).fit(X.toarray())
    assert_allclose(coder.components_, dense.components_, atol=1e-9)


def test_a_fit_that_raises_leaves_the_coder_as_it_was(digits):
    coder = SparseDictionaryCoder(20, random_state=0).fit(digits)
    before = pickle.dumps(coder)
    bad = digits[:, :10].copy()
    bad[3, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        coder.fit(bad)
    with pytest.raises(ValueError, match="64 features"):
        coder.partial_fit(digits[:, :10])
    assert pickle.dumps(coder) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learner": None, "init": np.eye(3)}, r"\(3, 64\). Got \(3, 3\)"),
        ({"n_components": 5, "init": np.eye(64)}, r"\(5, 64\). Got \(64, 64\)"),
        ({"learner": None, "init": np.full((2, 64), np.inf)}, "init"),
        ({"algorithm": "lasso", "atom_weights": np.ones(3)}, "must be 64 positive"),
        ({"algorithm": "lasso", "atom_weights": np.zeros(64)}, "must be 64 positive"),
        ({"forgetting": np.inf}, "'forgetting' parameter"),
        ({"init": "kmeans"}, "'init' parameter"),
        ({"learner": "ksvd"}, "needs one of the learners.*set algorithm='omp'"),
        ({"algorithm": "lars"}, "'algorithm' parameter"),
        ({"n_nonzero_coefs": 0}, "'n_nonzero_coefs' parameter"),
        ({"tol": -1.0}, "'tol' parameter"),
    ],
)
def test_parameters_that_do_not_fit_say_so(digits, settings, message):
    with pytest.raises(ValueError, match=message):
        SparseDictionaryCoder(**settings).fit(digits)


SET = {
    "alpha": 0.5,
    "l1_ratio": 0.7,
    "n_nonzero_coefs": 3,
    "residual_tol": 0.1,
    "abs_residual_tol": 0.1,
    "positive_code": True,
    "atom_weights": np.ones(64),
}


@pytest.mark.parametrize("name", OF_ALGORITHMS)
@pytest.mark.parametrize("algorithm", CODERS)
def test_a_parameter_that_the_algorithm_does_not_read_is_an_error(
    digits, algorithm, name
):
    coder = SparseDictionaryCoder(algorithm=algorithm, max_epochs=1, random_state=0)
    assert getattr(coder, name) == OF_ALGORITHMS[name]
    coder.set_params(**{name: SET[name]})
    if name in CODERS.parameters(algorithm):
        coder.fit(digits[:200])
        return
    message = f"(?s){name} is read by algorithm .* Got {name}=.*algorithm='{algorithm}'"
    with pytest.raises(ValueError, match=message):
        coder.fit(digits[:200])


def test_codes_of_the_wrong_width_are_not_rebuilt(digits):
    coder = SparseDictionaryCoder(20, max_epochs=1).fit(digits)
    with pytest.raises(ValueError, match="must have 20 columns"):
        coder.inverse_transform(np.ones((2, 19)))


@pytest.mark.parametrize("name", ["threshold", "soft_threshold", "top_k", "triangle"])
def test_codes_of_one_look_have_no_inverse(name):
    assert not hasattr(SparseDictionaryCoder(algorithm=name), "inverse_transform")


def test_verbose_prints_a_line_an_epoch(digits, capsys):
    SparseDictionaryCoder(20, max_epochs=2, verbose=1).fit(digits)
    lines = capsys.readouterr().out.splitlines()
    expected = [f"[SparseDictionaryCoder] epoch {n}" for n in (1, 2)]
    assert [line.split(":")[0] for line in lines] == expected


def recovered(seed, **settings):
    """Return the share of planted atoms that are found, at 20 dB."""
    rng = np.random.default_rng(seed)
    D = rng.standard_normal((50, 20))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    C = np.zeros((1500, 50))
    for row in C:
        row[rng.choice(50, 3, replace=False)] = rng.uniform(-1, 1, 3)
    noise = rng.standard_normal((1500, 20))
    X = C @ D
    X += noise * np.linalg.norm(X) / np.linalg.norm(noise) * 0.1
    coder = SparseDictionaryCoder(50, max_epochs=80, random_state=seed, **settings)
    return np.mean(np.abs(coder.fit(X).components_ @ D.T).max(axis=0) > 0.99)


def test_the_online_learner_recovers_planted_atoms_with_lasso():
    rates = [recovered(seed, algorithm="lasso", alpha=0.1) for seed in range(3)]
    assert np.mean(rates) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["ksvd", "exact_ksvd", "mod"])
def test_batch_learners_recover_planted_atoms(learner):
    settings = {"algorithm": "omp", "learner": learner, "n_nonzero_coefs": 3}
    rates = [recovered(seed, **settings) for seed in range(3)]
    assert np.mean(rates) >= 0.92


WITH_A_LEVEL = [name for name in CODERS if "alpha" in CODERS.parameters(name)]


@pytest.mark.parametrize("algorithm", WITH_A_LEVEL)
@pytest.mark.parametrize("n_active", [2.0, 6.0])
def test_codes_have_the_number_of_nonzeros_that_is_asked_for(
    digits, algorithm, n_active
):
    settings = {"algorithm": algorithm, "n_active": n_active, "max_epochs": 2}
    coder = SparseDictionaryCoder(64, random_state=0, **settings)
    codes = coder.fit_transform(digits[:1000])
    assert abs(codes.nnz / 1000 - n_active) < 0.05
    scaled = clone(coder).fit(digits[:1000] * 4)
    assert scaled.alpha_ == pytest.approx(4 * coder.alpha_, rel=1e-3)


def test_the_number_of_nonzeros_follows_streams_and_given_atoms(digits):
    settings = {"n_active": 4.0, "random_state": 0}
    coder = SparseDictionaryCoder(32, **settings)
    for part in (digits[:600], digits[600:1200]):
        coder.partial_fit(part)
        assert abs(coder.transform(part).nnz / 600 - 4) < 0.1
    given = SparseDictionaryCoder(init=coder.components_, learner=None, **settings)
    codes = given.fit_transform(digits[:600])
    assert abs(codes.nnz / 600 - 4) < 0.1


def test_rows_of_zeros_have_no_nonzeros_to_ask_for():
    coder = SparseDictionaryCoder(3, n_active=2.0, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert coder.fit_transform(np.zeros((8, 4))).nnz == 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"algorithm": "omp"}, "n_active is read with one of the algorithms"),
        ({"algorithm": "top_k"}, "n_active is read with one of the algorithms"),
        ({"alpha": 0.1}, "n_active determines alpha"),
    ],
)
def test_a_number_of_nonzeros_that_is_not_read_is_refused(digits, parameters, words):
    with pytest.raises(ValueError, match=words):
        SparseDictionaryCoder(8, n_active=2.0, **parameters).fit(digits[:50])
