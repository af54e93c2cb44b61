"""Seeds of our own: torch is left as it was, and the same seed gives the same bits."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from sksparse_nn import SparseNetClassifier
from sksparse_nn.modules._threads import limit_threads


def classifier(**parameters):
    given = {"max_epochs": 3, "batch_size": 16, "dropout": 0.3} | parameters
    return SparseNetClassifier((8,), **given)


def fails(net, X, y):
    with pytest.raises(ValueError, match="learning_rate"):
        net.fit(X, y)


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize(
    "call",
    [
        lambda net, X, y: net.fit(X, y),
        lambda net, X, y: net.partial_fit(X, y, classes=[0, 1, 2]),
        lambda net, X, y: net.fit(X, y).predict_proba(X),
        lambda net, X, y: fails(net.set_params(learning_rate=1e30), X, y),
    ],
    ids=["fit", "partial_fit", "predict_proba", "failing fit"],
)
def test_the_global_generators_are_left_as_they_were(blobs, call, seed):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    call(classifier(random_state=seed), *blobs)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_same_seed_gives_the_same_bits_after_other_torch_calls(blobs):
    X, y = blobs
    expected = classifier(random_state=3).fit(X, y).predict_proba(X)
    torch.manual_seed(99)
    torch.rand(5)
    assert_array_equal(classifier(random_state=3).fit(X, y).predict_proba(X), expected)


def test_other_seeds_give_other_weights(blobs):
    X, y = blobs
    first, second, third = (
        classifier(random_state=seed).fit(X, y).predict_proba(X)
        for seed in (0, 1, np.random.RandomState(0))
    )
    assert not np.array_equal(first, second)
    assert_array_equal(first, third)


@pytest.mark.parametrize(
    "mode", [torch.no_grad, torch.inference_mode, torch.enable_grad]
)
def test_training_works_in_every_grad_mode_and_leaves_it(blobs, mode):
    X, y = blobs
    expected = classifier(random_state=0).fit(X, y).predict_proba(X)
    with mode():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        net = classifier(random_state=0).fit(X, y)
        assert_array_equal(net.predict_proba(X), expected)
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    net.partial_fit(X, y)


def test_the_default_float_type_does_not_matter(blobs):
    X, y = blobs
    try:
        torch.set_default_dtype(torch.float64)
        assert classifier().fit(X, y).predict_proba(X).dtype == np.float32
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_number_of_threads_is_left_as_it_was(blobs, two_threads):
    classifier().fit(*blobs).predict(blobs[0])
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("n_rows", "n_threads"), [(10, 1), (10**6, 2)])
def test_small_batches_run_on_one_thread(two_threads, n_rows, n_threads):
    with limit_threads(torch.nn.Linear(100, 10).parameters(), n_rows):
        assert torch.get_num_threads() == n_threads
    assert torch.get_num_threads() == 2


def test_threads_are_given_back_after_an_error(two_threads):
    parameters = torch.nn.Linear(2, 2).parameters()
    with pytest.raises(ZeroDivisionError), limit_threads(parameters, 1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def test_threads_that_train_at_once_get_what_one_gets(blobs):
    X, y = blobs
    expected = classifier(random_state=0).fit(X, y).predict_proba(X)
    state = torch.get_rng_state()
    with ThreadPoolExecutor(3) as pool:
        nets = pool.map(lambda _: classifier(random_state=0).fit(X, y), range(6))
        for net in nets:
            assert_array_equal(net.predict_proba(X), expected)
    assert torch.equal(torch.get_rng_state(), state)
