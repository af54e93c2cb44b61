"""What compressors refuse, and how they say so."""

import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
)
from sksparse_nn._pipelines import is_search

SENSELESS = {
    "pruned integers": lambda net: NetPruner(NetQuantizer(net)),
    "factors of integers": lambda net: NetFactorizer(NetQuantizer(net)),
    "factors of zeros": lambda net: NetFactorizer(NetPruner(net)),
}


@pytest.mark.parametrize("make", SENSELESS.values(), ids=SENSELESS)
def test_senseless_orders_are_refused_with_the_sensible_one(digits, net, make):
    X, _, y, _ = digits
    small = make(FrozenEstimator(net))
    with pytest.raises(ValueError, match=r"Net\w+\(Net\w+\(\.\.\.\)\)"):
        small.fit(X, y)
    assert not hasattr(small, "estimator_")


BAD = {
    "no network": (NetPruner(LogisticRegression()), TypeError, "LogisticRegression"),
    "4 bits of inputs": (
        NetQuantizer(SparseNetClassifier(max_epochs=1), n_bits=4),
        ValueError,
        "weight_only",
    ),
    "no hidden neurons": (
        NetPruner(SparseNetClassifier((), max_epochs=1), structure="neuron"),
        ValueError,
        "hidden layers",
    ),
    "a module of one's own": (
        NetPruner(
            SparseNetClassifier(module=torch.nn.Linear, max_epochs=1),
            structure="neuron",
        ),
        ValueError,
        "module of your own",
    ),
    "all weights": (
        NetPruner(SparseNetClassifier(max_epochs=1), amount=1.0),
        ValueError,
        "amount",
    ),
    "rank of nothing": (
        NetFactorizer(SparseNetClassifier(max_epochs=1), rank=0),
        ValueError,
        "rank",
    ),
}


@pytest.mark.parametrize(("bad", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_said(digits, bad, error, match):
    X, _, y, _ = digits
    with pytest.raises(error, match=match):
        bad.fit(X, y)


OTHER_MATRICES = {
    "ConvTranspose1d": (lambda: torch.nn.ConvTranspose1d(8, 2, 3), (8, 8)),
    "GRU": (lambda: torch.nn.GRU(8, 4), (8, 8)),
    "Bilinear": (lambda: _Twice(torch.nn.Bilinear(64, 64, 3)), (64,)),
}


class _Twice(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, X):
        return self.inner(X, X)


class _Mixed(torch.nn.Module):
    def __init__(self, make, shape, n_outputs):
        super().__init__()
        self.shape, self.odd = shape, make()
        self.head = torch.nn.LazyLinear(n_outputs)

    def forward(self, X):
        Z = self.odd(X.reshape(-1, *self.shape))
        return self.head((Z[0] if isinstance(Z, tuple) else Z).flatten(1))


@pytest.mark.parametrize("name", OTHER_MATRICES)
@pytest.mark.parametrize("compressor", [NetPruner, NetQuantizer, NetFactorizer])
def test_layers_that_would_be_passed_over_are_named(digits, compressor, name):
    X, _, y, _ = digits
    module = _Mixed(*OTHER_MATRICES[name], 10)
    module(torch.zeros(2, 64))
    net = SparseNetClassifier(module=module, max_epochs=1, random_state=0)
    with pytest.raises(TypeError, match=rf"pass over {name} \('odd[.inner]*' of the"):
        compressor(net).fit(X[:50], y[:50])


def test_compressors_are_no_searches_though_they_refit():
    for make in (NetPruner, NetQuantizer, NetFactorizer):
        assert not is_search(make(SparseNetClassifier()))


def test_a_quantized_network_is_not_told_to_be_quantized_again(digits):
    X, _, y, _ = digits
    net = NetQuantizer(SparseNetClassifier((4,), max_epochs=1, random_state=0))
    with pytest.raises(ValueError, match=r"cannot change integers.* quantize once\.$"):
        NetQuantizer(net).fit(X[:50], y[:50])
