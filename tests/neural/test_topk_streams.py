"""The sparse autoencoder on samples that come in chunks."""

import copy
import pickle
import tracemalloc
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import TopKAutoencoder, for_prediction
from sksparse_nn.inspection import explained_variance

FITTED = ("components_", "encoder_weights_", "bias_")


@pytest.fixture(scope="module")
def rows():
    """Return rows that are sparse in a dictionary, about a large mean."""
    rng = np.random.default_rng(0)
    atoms = rng.standard_normal((12, 10))
    codes = rng.exponential(size=(600, 12)) * (rng.random((600, 12)) < 0.2)
    return (codes @ atoms + 3).astype(np.float32)


def autoencoder(**parameters):
    given = {"n_nonzero_coefs": 3, "batch_size": 100, "random_state": 0} | parameters
    return TopKAutoencoder(16, **given)


def stream(X, cuts, **parameters):
    streamed = autoencoder(**parameters)
    for start, stop in pairwise(cuts):
        streamed.partial_fit(X[start:stop])
    return streamed


def assert_same(one, other):
    for name in FITTED:
        assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)])
def test_calls_are_the_epochs_of_a_fit_before_its_rate_falls(rows, random_state):
    streamed = autoencoder(random_state=copy.deepcopy(random_state))
    for _ in range(4):
        streamed.partial_fit(rows)
    whole = autoencoder(max_epochs=5, random_state=random_state).fit(rows)
    for name in ("epoch", "train_loss", "n_dead"):
        assert_array_equal(streamed.history_[name], whole.history_[name][:4])
    assert streamed.n_iter_ == 4


def test_a_stream_learns(rows):
    streamed = stream(rows, range(0, 601, 100))
    for _ in range(40):
        streamed.partial_fit(rows)
    rebuilt = streamed.inverse_transform(streamed.transform(rows))
    assert explained_variance(rows, rebuilt) > 0.7


def test_chunks_of_one_row_learn(rows):
    streamed = stream(rows, [0, 100, *range(101, 200)])
    assert streamed.n_iter_ == len(streamed.history_["train_loss"]) == 100
    assert np.isfinite(streamed.history_["train_loss"]).all()


def test_the_optimizer_goes_on(rows):
    steps = stream(rows, [0, 300, 600])._state["n_steps"]
    assert steps == 6


def test_dead_atoms_go_on_waiting(rows):
    waited = stream(rows, [0, 300])._state["waited"]
    later = stream(rows, [0, 300, 600])._state["waited"]
    assert (later[waited == waited.max()] <= waited.max() + 300).all()
    flat = stream(rows, [0, 300])
    for _ in range(30):
        flat.partial_fit(np.tile(rows[:1], (100, 1)))
    assert flat.history_["n_dead"][-1] > 0


def test_the_scaling_is_that_of_the_first_chunk(rows):
    streamed = stream(rows, [0, 300])
    before = streamed._state["mean"]
    streamed.partial_fit(rows + 5)
    assert_array_equal(streamed._state["mean"], before)


def test_a_fit_is_continued(rows):
    fitted = autoencoder(max_epochs=5).fit(rows)
    loss = fitted.history_["train_loss"][-1]
    fitted.partial_fit(rows)
    assert fitted.n_iter_ == len(fitted.history_["train_loss"]) == 6
    assert fitted.history_["train_loss"][-1] < 1.2 * loss
    assert list(fitted.history_["epoch"]) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_a_copy_goes_on_to_the_bit(rows, how):
    streamed = stream(rows, [0, 250])
    twin = (
        pickle.loads(pickle.dumps(streamed))
        if how == "pickle"
        else copy.deepcopy(streamed)
    )
    assert_same(twin.partial_fit(rows[250:]), streamed.partial_fit(rows[250:]))


def test_a_copy_is_not_changed_by_what_the_other_learns(rows):
    streamed = stream(rows, [0, 250])
    shallow, before = copy.copy(streamed), streamed.components_.copy()
    shallow.partial_fit(rows)
    assert_array_equal(streamed.components_, before)
    assert_same(streamed.partial_fit(rows), shallow)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one, X: one.partial_fit(X[:, :4]),
        lambda one, X: one.partial_fit(np.where(X > 3, np.nan, X)),
        lambda one, X: one.set_params(n_components=5).partial_fit(X),
        lambda one, X: one.set_params(learning_rate=1e30).partial_fit(X),
    ],
    ids=["width", "NaN", "atoms", "rate"],
)
def test_a_failing_call_leaves_it_as_it_was(rows, spoil):
    streamed, twin = (stream(rows, [0, 250]) for _ in range(2))
    with pytest.raises(ValueError):  # noqa: PT011
        spoil(streamed, rows)
    streamed.set_params(**twin.get_params())
    assert_same(streamed, twin)
    assert_same(streamed.partial_fit(rows), twin.partial_fit(rows))


def test_a_first_chunk_that_fails_fits_nothing(rows):
    one = autoencoder(learning_rate=1e30)
    with pytest.raises(ValueError, match="met a loss"):
        one.partial_fit(rows)
    assert not hasattr(one, "n_features_in_")
    assert not hasattr(one, "history_")


def test_other_numbers_of_atoms_are_refused(rows):
    with pytest.raises(ValueError, match="with the 16 atoms that"):
        stream(rows, [0, 100]).set_params(n_components=20).partial_fit(rows)


def test_what_was_reduced_to_prediction_is_not_continued(rows):
    with pytest.raises(ValueError, match="reduced to prediction"):
        for_prediction(stream(rows, [0, 100])).partial_fit(rows)


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


@pytest.mark.parametrize(
    "kind",
    [
        lambda X, _: read_only(X),
        lambda X, _: np.asfortranarray(X),
        lambda X, _: X.astype(np.float64),
        lambda X, _: X.tolist(),
        lambda X, _: sparse.csr_array(X),
        lambda X, folder: np.load(save(folder / "X.npy", X), mmap_mode="r"),
    ],
    ids=["read-only", "F-ordered", "float64", "list", "CSR", "memmap"],
)
def test_later_chunks_of_any_kind_give_the_same(rows, kind, tmp_path):
    expected = stream(rows, [0, 300, 600])
    found = stream(rows, [0, 300]).partial_fit(kind(rows[300:], tmp_path))
    assert_same(found, expected)
    assert found.components_.dtype == np.float32


def save(path, X):
    np.save(path, X)
    return path


def test_names_are_those_of_the_first_chunk(rows):
    table = pd.DataFrame(rows, columns=[f"f{i}" for i in range(rows.shape[1])])
    streamed = autoencoder().partial_fit(table[:300])
    names = list(streamed.feature_names_in_)
    assert list(streamed.partial_fit(table[300:]).feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names should match"):
        streamed.partial_fit(table.rename(columns={"f0": "g"}))


def test_an_interrupt_is_raised_and_changes_nothing(rows, monkeypatch):
    streamed, twin = (stream(rows, [0, 250]) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(
            "sksparse_nn.neural._topk_training.Training._step", interrupt_at(2)
        )
        with pytest.raises(KeyboardInterrupt):
            streamed.partial_fit(rows)
    assert_same(streamed.partial_fit(rows), twin.partial_fit(rows))


def interrupt_at(number):
    calls = iter(range(1, number + 1))

    def step(training, X):
        if next(calls) == number:
            raise KeyboardInterrupt
        return 0.0

    return step


def test_early_chunks_raise_no_warning(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream(rows, [0, 2, 5, 50])


def test_a_batch_of_wide_samples_is_in_memory_once():
    X = sparse.random_array(
        (200, 50_000), density=0.002, rng=np.random.default_rng(0), dtype=np.float32
    ).tocsr()
    wide = TopKAutoencoder(
        2, n_nonzero_coefs=1, batch_size=100, max_epochs=1, random_state=0
    ).fit(X)
    batch = 4 * 100 * X.shape[1]
    for learn in (clone(wide).fit, clone(wide).partial_fit):
        tracemalloc.start()
        learn(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1.5 * batch
