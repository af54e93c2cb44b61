"""What compressors keep of a skorch net, and what they refuse."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, Checkpoint, LRScheduler
from skorch.dataset import Dataset
from torch import nn

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
)
from sksparse_nn.neural._skorch_networks import read_module_inputs
from tests.compression.other_networks import (
    IMAGES,
    LABELS,
    Convolutions,
    Layers,
    X,
    skorch_net,
)

EVERY = pytest.mark.parametrize("compressor", [NetPruner, NetQuantizer, NetFactorizer])


def _fit(module=Layers, X=X, kind=NeuralNetClassifier, **given):
    torch.manual_seed(0)
    given = {"criterion": nn.CrossEntropyLoss, "max_epochs": 2} | given
    return skorch_net(kind, module, **given).fit(X, LABELS)


class Sixteenths(Dataset):
    """Divide by 16, and make images."""

    def transform(self, X, y):
        X, y = super().transform(X, y)
        return X.reshape(1, 8, 8) / 16, y


def test_the_module_is_read_through_the_nets_own_dataset():
    net = _fit(Convolutions, 16 * X, dataset=Sixteenths)
    assert_array_equal(read_module_inputs(net, 16 * X, "it"), IMAGES)
    small = NetQuantizer(FrozenEstimator(net), scheme="static").fit(16 * X, LABELS)
    assert_allclose(small.predict_proba(16 * X), net.predict_proba(16 * X), atol=0.05)


class Rates(Callback):
    """Record the learning rate of each step."""

    seen = []

    def on_batch_begin(self, net, training=None, **kwargs):
        Rates.seen.append(net.optimizer_.param_groups[0]["lr"])


def test_fine_tuning_is_slower_and_leaves_schedules_out():
    torch.manual_seed(0)
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.1)
    net = NeuralNetClassifier(
        Layers, criterion=nn.CrossEntropyLoss, lr=0.1, max_epochs=2, verbose=0
    ).set_params(callbacks=[("schedule", schedule), ("rates", Rates())])
    net.fit(X, LABELS)
    del Rates.seen[:]
    NetPruner(FrozenEstimator(net), fine_tune_epochs=3).fit(X, LABELS)
    assert_allclose(np.unique(Rates.seen), [0.03])


class Ends(Callback):
    """End a training in its second epoch, before other callbacks see the step."""

    def on_batch_end(self, net, training=None, **kwargs):
        if training and len(net.history) == 2:
            raise KeyboardInterrupt


def test_a_callback_may_end_fine_tuning():
    net = _fit(max_epochs=1)
    net.callbacks_.append(("ends", Ends()))
    small = NetPruner(FrozenEstimator(net), amount=0.9, fine_tune_epochs=5)
    small.fit(X, LABELS)
    assert len(small.estimator_.history) == 3
    assert _count_zeros(small) == round(0.9 * (64 * 24 + 24 * 10))


def _count_zeros(small):
    layers = small.estimator_.module_.layers
    return sum(int((layers[i].weight == 0).sum()) for i in (0, 2))


def test_checkpoints_load_no_weights_from_before(tmp_path):
    torch.manual_seed(0)
    checkpoint = Checkpoint(dirname=tmp_path, monitor="train_loss_best", load_best=True)
    net = NeuralNetClassifier(
        Layers,
        criterion=nn.CrossEntropyLoss,
        lr=0.1,
        max_epochs=20,
        verbose=0,
        callbacks=[checkpoint],
    ).fit(X, LABELS)
    small = NetPruner(FrozenEstimator(net), amount=0.9, fine_tune_epochs=1)
    assert _count_zeros(small.fit(X, LABELS)) == round(0.9 * (64 * 24 + 24 * 10))
    factors = NetFactorizer(FrozenEstimator(net), rank=4, fine_tune_epochs=1)
    assert factors.fit(X, LABELS).ranks_ == [4, 4]


@pytest.mark.parametrize("how", ["whole", "part", "in place"])
@EVERY
def test_compiled_modules_are_compressed(compressor, how):
    net = _fit()
    before = net.predict_proba(X)
    if how == "whole":
        net.module_ = torch.compile(net.module_, backend="eager")
    elif how == "part":
        net.module_.layers = torch.compile(net.module_.layers, backend="eager")
    else:
        net.module_.compile(backend="eager")
    given = {"scheme": "static"} if compressor is NetQuantizer else {}
    given = {"amount": 0} if compressor is NetPruner else given
    small = compressor(FrozenEstimator(net), **given).fit(X, LABELS)
    assert_allclose(small.predict_proba(X), before, atol=0.1)


def test_a_compressed_net_says_that_it_cannot_go_on():
    small = NetQuantizer(FrozenEstimator(_fit())).fit(X, LABELS)
    with pytest.raises(ValueError, match="train the original net"):
        small.estimator_.partial_fit(X, LABELS)


class Idle(nn.Module):
    """Has a layer that never runs."""

    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Linear(64, 10), nn.Linear(64, 10)

    def forward(self, X):
        return self.used(X)


def test_weights_that_nothing_reads_go_first():
    net = _fit(Idle)
    pruner = NetPruner(
        FrozenEstimator(net), criterion="first_order", fine_tune_epochs=0
    )
    module = pruner.fit(X, LABELS).estimator_.module_
    assert (module.idle.weight == 0).all()


class Pair(nn.Module):
    """Takes two inputs."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(128, 10)

    def forward(self, left, right):
        return self.inner(torch.cat([left, right], dim=1))


class PairNet(NeuralNetClassifier):
    def infer(self, x, **fit_params):
        return self.module_(x, x)


class TwoModules(NeuralNetClassifier):
    def initialize_module(self):
        super().initialize_module()
        self.decoder_ = nn.Linear(10, 10)
        return self


@EVERY
def test_several_inputs_are_refused_with_the_module(compressor):
    net = _fit(Pair, kind=PairNet)
    with pytest.raises(TypeError, match=r"Got Pair, whose .* \['left', 'right'\]"):
        compressor(FrozenEstimator(net)).fit(X, LABELS)


@EVERY
def test_inputs_by_name_are_refused(compressor):
    rows = {"left": X, "right": X}
    net = skorch_net(
        NeuralNetClassifier, Pair, criterion=nn.CrossEntropyLoss, max_epochs=1
    )
    for frame in (net, make_pipeline(FunctionTransformer(), net)):
        with pytest.raises(TypeError, match="Got dict; give an ndarray"):
            compressor(frame).fit(rows, LABELS)


@EVERY
def test_other_modules_of_a_net_are_named(compressor):
    net = _fit(kind=TwoModules)
    with pytest.raises(TypeError, match="TwoModules, which has decoder_ besides"):
        compressor(FrozenEstimator(net)).fit(X, LABELS)


@EVERY
def test_weights_of_samples_are_refused(compressor):
    net = NeuralNetClassifier(Layers)
    for frame in (net, make_pipeline(FunctionTransformer(), net)):
        with pytest.raises(TypeError, match="sample_weight is not read by NeuralNetC"):
            compressor(frame).fit(X, LABELS, sample_weight=np.ones(len(X)))


@EVERY
def test_weights_that_are_not_finite_are_named(compressor):
    net, own = _fit(), SparseNetClassifier((8,), max_epochs=1).fit(X, LABELS)
    with torch.no_grad():
        net.module_.layers[2].weight[0, 0] = torch.nan
        own.net_.module_[2].weight[0, 0] = torch.inf
    for frozen, place in ((net, r"layers\.2"), (own, "2")):
        with pytest.raises(ValueError, match=rf"infinity in Linear \('{place}' of"):
            compressor(FrozenEstimator(frozen)).fit(X, LABELS)


class Renames(Callback):
    """Sets a parameter of the module, so that skorch makes it anew."""

    def on_train_begin(self, net, **kwargs):
        net.set_params(module__squash=bool(len(net.history)))
        net.initialize()


def test_a_callback_that_makes_the_module_anew_is_refused():
    net = _fit()
    net.callbacks_.append(("renames", Renames()))
    with pytest.raises(ValueError, match="must leave its module_ in place"):
        NetPruner(FrozenEstimator(net)).fit(X, LABELS)


@EVERY
def test_the_net_inside_an_estimator_is_refused(compressor):
    own = SparseNetClassifier((8,), max_epochs=1).fit(X, LABELS)
    with pytest.raises(TypeError, match="Got the net_ of one, a ClassifierNet"):
        compressor(FrozenEstimator(own.net_)).fit(X, LABELS)


def test_integers_may_be_the_input():
    rows = (16 * X).astype(np.int64)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(20, 4), nn.Flatten(), nn.Linear(256, 10))
    net = _fit(module, rows)
    report = compression_report({"it": net}, rows, LABELS)
    assert report.multiply_adds["it"] == 2560
    with pytest.raises(TypeError, match="pass over Embedding"):
        NetQuantizer(FrozenEstimator(net)).fit(rows, LABELS)


def test_a_net_without_a_device_stays_where_it_is():
    for make in (NetPruner, NetQuantizer, NetFactorizer):
        net = skorch_net(
            NeuralNetClassifier, Layers, criterion=nn.CrossEntropyLoss, device=None
        )
        small = make(net).fit(X, LABELS)
        assert small.estimator_.device == (None if make is NetFactorizer else "cpu")
        assert small.predict(X).shape == (300,)


def test_the_best_net_of_a_search_is_compressed():
    net = skorch_net(NeuralNetClassifier, Layers, criterion=nn.CrossEntropyLoss)
    search = GridSearchCV(net, {"lr": [1e-5, 0.1]}, cv=2)
    small = NetQuantizer(search).fit(X, LABELS)
    assert small.estimator_.best_params_ == {"lr": 0.1}
    assert small.score(X, LABELS) > 0.5
