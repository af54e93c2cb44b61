"""How many rows a mini-batch has, and what becomes of the last one."""

from copy import deepcopy
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback
from torch import nn

from sksparse_nn import (
    LayerActivations,
    NetFactorizer,
    NetPruner,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn.neural._batches import BatchIterator, TrainingSamples, rows_per_batch


class Sizes(Callback):
    """Note the rows of each mini-batch of a training."""

    def __init__(self, seen):
        self.seen = seen

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        if training:
            self.seen.append(len(batch[1]))


def sizes_in_fit(n_rows, method="fit", **parameters):
    seen = []
    X = np.random.default_rng(0).standard_normal((n_rows, 3)).astype(np.float32)
    y = np.arange(n_rows) % 2
    net = SparseNetClassifier(
        (4,), max_epochs=1, callbacks=[Sizes(seen)], random_state=0, **parameters
    )
    options = {} if method == "fit" else {"classes": [0, 1]}
    getattr(net, method)(X, y, **options)
    return seen


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [
        (2, 2),
        (31, 31),
        (32, 16),
        (150, 16),
        (724, 16),
        (725, 32),
        (1797, 64),
        (6000, 256),
        (10**7, 256),
    ],
)
def test_auto_is_a_32nd_of_the_rows_as_a_power_of_two(n_rows, expected):
    assert rows_per_batch("auto", n_rows) == expected


@pytest.mark.parametrize("network", [SparseNetClassifier, SparseNetRegressor])
def test_auto_is_the_default(network):
    assert network().batch_size == "auto"


def test_a_fit_takes_batches_of_that_size():
    assert sizes_in_fit(150) == [16] * 9 + [6]


def test_what_is_held_out_does_not_count():
    seen = sizes_in_fit(760, early_stopping=True, validation_fraction=0.1)
    assert set(seen[:-1]) == {16}


def test_the_size_of_a_chunk_does_not_set_that_of_a_batch():
    assert sizes_in_fit(300, "partial_fit") == [256, 44]


def test_partial_fit_behind_fit_takes_its_own_size():
    seen = []
    X, y = np.random.default_rng(0).random((600, 3)), np.arange(600) % 2
    net = SparseNetClassifier((4,), max_epochs=1, callbacks=[Sizes(seen)])
    net.fit(X, y)
    seen.clear()
    net.partial_fit(X, y)
    assert seen == [256, 256, 88]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_minus_one_is_all_rows(method):
    assert sizes_in_fit(300, method, batch_size=-1) == [300]


@pytest.mark.parametrize(
    ("last_batch", "expected"),
    [("keep", [40, 40, 20]), ("drop", [40, 40]), ("join", [40, 60])],
)
def test_the_last_batch_is_kept_dropped_or_joined(last_batch, expected):
    assert sizes_in_fit(100, batch_size=40, last_batch=last_batch) == expected


@pytest.mark.parametrize("last_batch", ["keep", "drop", "join"])
def test_a_single_batch_and_full_ones_stay(last_batch):
    assert sizes_in_fit(30, batch_size=40, last_batch=last_batch) == [30]
    assert sizes_in_fit(80, batch_size=40, last_batch=last_batch) == [40, 40]


def test_a_single_row_joins_the_batch_before():
    assert sizes_in_fit(81, batch_size=40) == [40, 41]
    assert sizes_in_fit(3, batch_size=1) == [1, 1, 1]


def test_other_rows_are_dropped_in_every_epoch():
    samples = TrainingSamples(np.arange(10.0)[:, None])
    samples.shuffle = np.random.RandomState(0)
    batches = BatchIterator(samples, 4, "drop")
    epochs = [
        np.concatenate([inputs["X"].ravel() for inputs, _ in batches]) for _ in range(9)
    ]
    assert all(len(np.unique(epoch)) == 8 for epoch in epochs)
    assert_array_equal(np.unique(epochs), np.arange(10))
    assert len(batches) == 2


def normalised(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 6),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, n_outputs),
    )


class NormalisedImage(nn.Module):
    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, (1, 2))
        self.norms = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)])
        self.last = nn.Linear(4, n_outputs)

    def forward(self, X):
        X = self.norms[0](self.convolution(X[:, None, None]))
        X = self.norms[1](X.mean(dim=(2, 3), keepdim=True))
        return self.last(X.flatten(1))


class NormalisedByHand(nn.Module):
    """Calls torch's functions instead of layers that do."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 6), nn.Linear(6, n_outputs)
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("variance", torch.ones(6))

    def forward(self, X):
        known = self.mean, self.variance
        X = self.normalise(self.first(X), *known, training=self.training)
        return self.last(torch.relu(X))

    def normalise(self, *given, training):
        return nn.functional.batch_norm(*given, None, None, training)


class NormalisedByName(NormalisedByHand):
    def normalise(self, X, mean, variance, training):
        return nn.functional.batch_norm(
            input=X, running_mean=mean, running_var=variance, training=training
        )


class NormalisedBelow(NormalisedByHand):
    def normalise(self, X, mean, variance, training):
        return torch.batch_norm(
            X, None, None, mean, variance, training, 0.1, 1e-5, False
        )


class NormalisedNatively(NormalisedByHand):
    def normalise(self, X, mean, variance, training):
        given = X, None, None, mean, variance, training, 0.1, 1e-5
        return torch.native_batch_norm(*given)[0]


class NormalisedInGroups(NormalisedByHand):
    """Groups of one value, which several rows may have and one may not."""

    def normalise(self, X, mean, variance, training):
        return nn.functional.group_norm(X, 6)


NORMALISED = {
    "layers": normalised,
    "image": NormalisedImage,
    "function": NormalisedByHand,
    "function, by names": NormalisedByName,
    "function below": NormalisedBelow,
    "function, native": NormalisedNatively,
    "function, groups": NormalisedInGroups,
    "layers, groups": lambda n_features, n_outputs: nn.Sequential(
        nn.Linear(n_features, 6), nn.GroupNorm(6, 6), nn.Linear(6, n_outputs)
    ),
}
NETWORKS = [SparseNetClassifier, SparseNetRegressor]


def rows(n_rows):
    X = np.random.default_rng(0).standard_normal((n_rows, 3)).astype(np.float32)
    return X, np.arange(n_rows) % 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module", NORMALISED)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("n_rows", [1, 2, 3, 17, 33, 257])
def test_no_number_of_rows_is_one_too_few_to_normalise(network, module, n_rows):
    X, y = rows(n_rows)
    for batch_size, last_batch in product(
        (1, 2, 16, 256, -1, "auto"), ("keep", "join")
    ):
        if n_rows > 33 and batch_size in (1, 2):
            continue
        net = network(module=NORMALISED[module], batch_size=batch_size, max_epochs=1)
        net.set_params(last_batch=last_batch).fit(X, y).partial_fit(X[:1], y[:1])
        for some in (X, X[:1]):
            assert np.isfinite(net.predict(some)).all()
        activations = LayerActivations(FrozenEstimator(net)).fit(X, y)
        assert np.isfinite(activations.transform(X[:1])).all()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("network", NETWORKS)
def test_a_single_row_is_normalised_by_what_is_known(network):
    X, y = rows(40)
    net = network(module=normalised, max_epochs=2, random_state=0).fit(X, y)
    before = deepcopy(net.net_.module_)
    net.partial_fit(X[:1], y[:1])
    after = net.net_.module_
    assert torch.equal(before[1].running_mean, after[1].running_mean)
    assert torch.equal(before[1].running_var, after[1].running_var)
    assert not torch.equal(before[0].weight, after[0].weight)
    assert not any(part.training for part in after.modules())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module", [name for name in NORMALISED if "fun" in name])
def test_functions_that_normalise_take_a_single_row_by_what_is_known(module):
    X, y = rows(40)
    net = SparseNetRegressor(module=NORMALISED[module], max_epochs=2).fit(X, y)
    before = deepcopy(net.net_.module_)
    net.partial_fit(X[:1], y[:1])
    after = net.net_.module_
    assert torch.equal(before.mean, after.mean)
    assert torch.equal(before.variance, after.variance)
    # Of groups of one value nothing is left that a first layer could learn from.
    learns = "groups" not in module
    assert torch.equal(before.first.weight, after.first.weight) != learns
    assert not torch.equal(before.last.bias, after.last.bias)


@pytest.mark.filterwarnings("ignore")
def test_functions_see_several_values_of_a_single_row():
    class OfPixels(NormalisedByHand):
        def normalise(self, X, mean, variance, training):
            given = torch.stack([X, 2 * X], dim=2), mean, variance
            return super().normalise(*given, training=training).mean(dim=2)

    X, y = rows(40)
    net = SparseNetRegressor(module=OfPixels, max_epochs=2).fit(X, y)
    before = net.net_.module_.mean.clone()
    net.partial_fit(X[:1], y[:1])
    assert not torch.equal(before, net.net_.module_.mean)


@pytest.mark.filterwarnings("ignore")
def test_rows_that_are_normalised_by_each_other_alone_are_more_than_one():
    def module(n_features, n_outputs):
        return nn.Sequential(
            nn.BatchNorm1d(n_features, track_running_stats=False),
            nn.Linear(n_features, n_outputs),
        )

    X, y = rows(33)
    net = SparseNetRegressor(module=module, batch_size=16, max_epochs=1).fit(X, y)
    for method in (net.fit, net.partial_fit, lambda X, y: net.predict(X)):
        with pytest.raises(ValueError, match=r"more than one row\. Got a batch of one"):
            method(X[:1], y[:1])


@pytest.mark.filterwarnings("ignore")
def test_a_module_that_works_in_place_answers_a_single_row_as_among_others():
    class InPlace(NormalisedInGroups):
        def forward(self, X):
            return super().forward(X.mul_(2).add_(1))

    X, y = rows(33)
    net = SparseNetRegressor(module=InPlace, max_epochs=1).fit(X, y)
    assert_allclose(net.predict(X[:1]), net.predict(X)[:1], rtol=1e-5)
    with pytest.raises(ValueError, match="of its own"):
        net.set_params(module=Failing).fit(X[:1], y[:1])


class Failing(NormalisedByHand):
    def normalise(self, X, mean, variance, training):
        raise ValueError("A failure of its own.")


@pytest.mark.filterwarnings("ignore")
def test_a_single_image_is_normalised_by_its_own_pixels():
    X, y = rows(40)
    net = SparseNetRegressor(module=NormalisedImage, max_epochs=2).fit(X, y)
    before = [norm.running_mean.clone() for norm in net.net_.module_.norms]
    net.partial_fit(X[:1], y[:1])
    after = [norm.running_mean for norm in net.net_.module_.norms]
    same = [torch.equal(*pair) for pair in zip(before, after, strict=True)]
    assert same == [False, True]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_rows", [17, 33])
def test_compressors_fine_tune_networks_that_normalise(n_rows):
    X, y = rows(n_rows)
    net = SparseNetClassifier(module=normalised, batch_size=16, max_epochs=1)
    for batch_size in (1, 16):
        net.set_params(batch_size=batch_size)
        NetPruner(net, fine_tune_epochs=1).fit(X, y)
        NetFactorizer(net, rank=1, fine_tune_epochs=1).fit(X, y)


@pytest.mark.parametrize("batch_size", [0, -2, 1.5, "all"])
def test_other_sizes_are_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size"):
        SparseNetClassifier(batch_size=batch_size).fit([[0.0], [1.0]], [0, 1])
