"""Convolutional networks keep the order of their weights in memory.

By it torch chooses how it sums, so that predictions have the same last bits.
"""

import pickle
from functools import cache
from itertools import permutations, product

import pytest
import torch
from sklearn.frozen import FrozenEstimator

from sksparse_nn import NetFactorizer, NetPruner, for_prediction
from sksparse_nn.modules._plain import Reader, Writer
from tests.compression.test_networks_for_images import NAMES, SMALLER, images
from tests.neural.image_samples import classifier, digits
from tests.persistence.saving import assert_same_bits, through_skops

pytestmark = pytest.mark.filterwarnings("ignore")

# Those that are no multiple of 8 have the pixels of a channel side by side.
WIDTHS = [8, 10, 16, 64]
SAMPLES = {"one channel": images, "two channels": digits}
every_network = pytest.mark.parametrize(
    ("name", "width", "samples"), list(product(NAMES, WIDTHS, SAMPLES))
)
every_small_network = pytest.mark.parametrize(
    ("name", "width", "samples"), list(product(NAMES, WIDTHS[:2], SAMPLES))
)
SMALLER = SMALLER | {
    "channels": lambda net: NetPruner(
        net, structure="channel", amount=0.4, fine_tune_epochs=1
    ),
    "tucker": lambda net: NetFactorizer(net, method="tucker2", fine_tune_epochs=1),
}


def some(samples):
    X, y = SAMPLES[samples]()
    return X[:150], y[:150]


@cache
def fitted(name, width, samples):
    parameters = {"module_params": {"width": width}, "max_epochs": 1}
    net = classifier(module=name, **parameters)
    return pickle.dumps(net.fit(*some(samples)))


def strides(estimator):
    """Return the strides of all that the net of an estimator consists of."""
    net = getattr(estimator, "estimator_", estimator).net_
    steps = {} if net.optimizer_ is None else net.optimizer_.state_dict()["state"]
    return {
        **{name: part.stride() for name, part in net.module_.named_parameters()},
        **{name: part.stride() for name, part in net.module_.named_buffers()},
        **{
            (number, name): part.stride()
            for number, parts in steps.items()
            for name, part in parts.items()
            if torch.is_tensor(part)
        },
    }


@every_network
def test_networks_with_a_name_predict_and_go_on_to_the_same_bits(name, width, samples):
    net = pickle.loads(fitted(name, width, samples))
    twin, X = through_skops(net), some(samples)[0]
    assert strides(twin) == strides(net)
    assert_same_bits(net, twin, X)
    for part in (net, twin):
        part.partial_fit(*some(samples))
    assert strides(twin) == strides(net)
    assert_same_bits(net, twin, X)


@pytest.mark.parametrize("how", SMALLER)
@every_small_network
def test_networks_that_were_made_smaller_predict_the_same_bits(
    name, width, samples, how
):
    net, (X, y) = pickle.loads(fitted(name, width, samples)), some(samples)
    if how == "channels":
        pytest.importorskip("torch_pruning")
    small = SMALLER[how](FrozenEstimator(net)).fit(X, y)
    slim = for_prediction(small)
    for twin in (through_skops(small), through_skops(slim), slim):
        assert strides(twin).items() <= strides(small).items()
        assert_same_bits(small, twin, X)


@pytest.mark.parametrize("how", ["weights", "channels", "answers"])
@pytest.mark.parametrize("name", NAMES[:2])
def test_networks_that_were_loaded_are_made_smaller_to_the_same_bits(name, how):
    X, y = some("one channel")
    net = pickle.loads(fitted(name, 16, "one channel"))
    one, other = (
        SMALLER[how](FrozenEstimator(part)).fit(X, y)
        for part in (net, through_skops(net))
    )
    assert strides(one) == strides(other)
    assert_same_bits(one, other, X)


SHAPES = [(8, 1, 3, 3), (1, 8, 3, 3), (8, 4, 1, 1), (8, 1, 1, 1), (1, 1, 1, 1), (8, 1)]


@pytest.mark.parametrize(
    ("shape", "order"),
    [(shape, order) for shape in SHAPES for order in permutations(range(len(shape)))],
    ids=str,
)
def test_axes_of_length_one_keep_their_place(shape, order):
    lengths = [shape[axis] for axis in order]
    values = torch.randn(lengths).permute(
        [order.index(axis) for axis in range(len(order))]
    )
    assert values.shape == shape
    twin = Reader().read(Writer().write(values))
    assert twin.stride() == values.stride()
    assert torch.equal(twin, values)
