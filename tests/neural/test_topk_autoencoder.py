"""The sparse autoencoder against its definition, and what training promises."""

import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits

from sksparse_nn import SparseDictionaryCoder, TopKAutoencoder
from sksparse_nn.inspection import dead_atoms, explained_variance


@pytest.fixture(scope="module")
def rows():
    """Return rows that are sparse in a dictionary, about a large mean."""
    rng = np.random.default_rng(0)
    atoms = rng.standard_normal((24, 12))
    codes = rng.exponential(size=(2000, 24)) * (rng.random((2000, 24)) < 0.1)
    return (codes @ atoms + 3).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(rows):
    return TopKAutoencoder(32, n_nonzero_coefs=4, max_epochs=30, random_state=0).fit(
        rows
    )


def kept(autoencoder, X):
    return explained_variance(
        X, autoencoder.inverse_transform(autoencoder.transform(X))
    )


def test_codes_are_the_largest_latents(fitted, rows):
    latents = (rows - fitted.bias_) @ fitted.encoder_weights_.T
    expected = np.zeros_like(latents)
    for row, answer in zip(latents, expected, strict=True):
        for atom in np.argsort(row)[-4:]:
            answer[atom] = max(row[atom], 0)
    codes = fitted.transform(rows)
    assert codes.format == "csr"
    assert codes.has_sorted_indices
    assert (codes.data > 0).all()
    assert_allclose(codes.toarray(), expected, rtol=1e-4, atol=1e-4)


def test_rows_are_sums_of_unit_atoms_and_the_bias(fitted, rows):
    codes = fitted.transform(rows)
    assert_allclose(np.linalg.norm(fitted.components_, axis=1), 1, rtol=1e-5)
    expected = codes.toarray() @ fitted.components_ + fitted.bias_
    assert_allclose(fitted.inverse_transform(codes), expected, rtol=1e-4, atol=1e-5)
    assert_allclose(fitted.inverse_transform(codes.toarray()), expected, atol=1e-4)


def test_training_learns(fitted, rows):
    losses = fitted.history_["train_loss"].tolist()
    assert losses[-1] < losses[0] / 3
    assert kept(fitted, rows) == pytest.approx(1 - losses[-1], abs=0.05)
    assert kept(fitted, rows) > 0.75
    assert fitted.n_iter_ == len(losses) == 30


def test_few_atoms_stay_dead(fitted, rows):
    assert fitted.history_["n_dead"][-1] <= 3
    assert len(dead_atoms(fitted.transform(rows))) <= 3


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**30])
def test_the_scale_of_rows_does_not_matter(fitted, rows, factor):
    scaled = clone(fitted).fit(factor * rows)
    assert_allclose(scaled.components_, fitted.components_, atol=1e-3)
    assert kept(scaled, factor * rows) == pytest.approx(kept(fitted, rows), abs=1e-3)


def test_sparse_rows_give_what_dense_rows_give(rows):
    X = np.where(rows > 3, rows, 0)
    autoencoder = TopKAutoencoder(16, n_nonzero_coefs=3, max_epochs=3, random_state=0)
    expected = autoencoder.fit_transform(X)
    found = clone(autoencoder).fit_transform(sparse.csr_matrix(X))
    assert_array_equal(found.toarray(), expected.toarray())


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
def test_parts_of_a_mini_batch_are_learnt_from_as_the_whole(rows, form, monkeypatch):
    X = form(np.where(rows > 3, rows, 0).astype(np.float64))
    # So few are active that most atoms die, and are trained on the errors.
    settings = {"n_nonzero_coefs": 1, "max_epochs": 2, "random_state": 0}
    autoencoder = TopKAutoencoder(64, batch_size=100, **settings)
    monkeypatch.setattr("sksparse_nn.neural._topk_training._PASSED_OVER", 1)
    whole = clone(autoencoder).fit(X)
    monkeypatch.setattr("sksparse_nn.neural._topk_epochs._NUMBERS", 12 * 7)
    parts = clone(autoencoder).fit(X)
    assert whole.history_["n_dead"].max() > 0
    assert_allclose(parts.components_, whole.components_, atol=1e-8)
    assert_allclose(parts.history_["train_loss"], whole.history_["train_loss"])


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
def test_a_mini_batch_of_wide_samples_is_never_dense_as_a_whole(form):
    X = np.zeros((300, 40_000), np.float32)
    X[:, ::50] = 1
    X = form(X)
    autoencoder = TopKAutoencoder(2, n_nonzero_coefs=1, max_epochs=2, random_state=0)
    for learn in (autoencoder.fit, autoencoder.partial_fit):
        tracemalloc.start()
        learn(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 40e6  # the batch is 48 MB


@pytest.mark.parametrize("n_nonzero_coefs", [32, 100])
def test_more_active_atoms_than_there_are_means_all(rows, n_nonzero_coefs):
    autoencoder = TopKAutoencoder(
        32, n_nonzero_coefs=n_nonzero_coefs, max_epochs=2
    ).fit(rows)
    assert autoencoder.transform(rows).getnnz(axis=1).max() <= 32


def test_rows_that_are_all_equal_are_rebuilt():
    X = np.full((9, 5), 0.1)
    autoencoder = TopKAutoencoder(
        8, n_nonzero_coefs=2, max_epochs=3, random_state=0
    ).fit(X)
    assert_allclose(
        autoencoder.inverse_transform(autoencoder.transform(X)), X, atol=0.02
    )


def test_the_global_generators_are_left_as_they_were(rows):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    with torch.inference_mode():
        TopKAutoencoder(8, max_epochs=1).fit(rows)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_loss_that_is_lost_is_an_error_and_loses_nothing(fitted, rows):
    copy = pickle.loads(pickle.dumps(fitted)).set_params(learning_rate=1e30)
    with pytest.raises(
        ValueError, match=r"met a loss of .* Lower learning_rate=1e\+30"
    ):
        copy.fit(rows)
    assert_array_equal(copy.components_, fitted.components_)


def test_codes_of_another_width_are_refused(fitted):
    with pytest.raises(ValueError, match=r"X must have 32 columns.* Got 3"):
        fitted.inverse_transform(np.ones((2, 3)))


def test_an_epoch_is_a_line(rows, capsys):
    TopKAutoencoder(8, max_epochs=2, verbose=1).fit(rows)
    assert capsys.readouterr().out.count("train loss") == 2


def test_a_search_rebuilds_digits_better():
    X = load_digits().data
    coder = SparseDictionaryCoder(
        64, algorithm="omp", n_nonzero_coefs=5, random_state=0
    )
    autoencoder = TopKAutoencoder(64, n_nonzero_coefs=5, random_state=0)
    assert kept(coder.fit(X), X) > kept(autoencoder.fit(X), X) > 0.5
