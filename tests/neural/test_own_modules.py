"""Modules and callbacks of the user's own."""

import pickle
import warnings
from copy import deepcopy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import (
    BatchScoring,
    Callback,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
)
from torch import nn

from sksparse_nn import NetQuantizer, SparseNetClassifier, SparseNetRegressor
from sksparse_nn.inspection import attribute


class Residual(nn.Module):
    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.inner = nn.Linear(n_features, n_features)
        self.outer = nn.Linear(n_features, n_outputs)

    def forward(self, X):
        return self.outer(X + torch.relu(self.inner(X)))


def lazy(n_features, n_outputs):
    return nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(n_outputs))


def normalised(n_features, n_outputs):
    return nn.Sequential(nn.BatchNorm1d(n_features), nn.Linear(n_features, n_outputs))


MODULES = {
    "class": Residual,
    "lazy": lazy,
    "batch norm": normalised,
    "instance": nn.Linear(5, 3),
}


def classifier(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 20, "random_state": 0} | parameters
    return SparseNetClassifier(**given)


class Constant(nn.Module):
    """Answers a view of its parameter."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.level = nn.Parameter(torch.zeros(1, n_outputs))

    def forward(self, X):
        return self.level.expand(len(X), -1)


@pytest.mark.filterwarnings("ignore:The network predicts")
def test_a_module_may_answer_its_parameter(line):
    X, y = line
    net = SparseNetRegressor(module=Constant, random_state=0).fit(X, y)
    assert np.ptp(net.predict(X)) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_ones_own_learns(blobs, module, dtype):
    X, y = blobs[0].astype(dtype), blobs[1]
    net = classifier(module=MODULES[module], batch_size=30).fit(X, y)
    assert net.predict_proba(X).dtype == dtype
    assert net.score(X, y) > 0.8


def test_a_module_that_is_given_is_copied(blobs):
    module = nn.Linear(5, 3)
    before = module.weight.detach().clone()
    net = classifier(module=module, learning_rate=1e-9).fit(*blobs)
    assert torch.equal(module.weight, before)
    assert net.net_.module_ is not module
    assert torch.allclose(net.net_.module_.weight, before, atol=1e-5)


def test_a_module_of_ones_own_regresses(line):
    X, y = line
    net = SparseNetRegressor(module=Residual, learning_rate=0.02, random_state=0)
    assert net.fit(X, np.column_stack([y, -y])).score(X, np.column_stack([y, -y])) > 0.9


class Recorder(Callback):
    """Write down what is seen, into a list that the user holds."""

    def __init__(self, seen):
        self.seen = seen

    def on_train_begin(self, net, **kwargs):
        self.seen.append("begin")

    def on_epoch_end(self, net, **kwargs):
        net.history.record("twice", 2 * net.history[-1, "train_loss"])
        self.seen.append("epoch")

    def on_train_end(self, net, **kwargs):
        self.seen.append("end")


@pytest.mark.parametrize("named", [False, True])
def test_callbacks_see_the_training(blobs, named):
    seen = []
    callback = Recorder(seen)
    net = classifier(
        callbacks=[("mine", callback) if named else callback], max_epochs=2
    )
    net.fit(*blobs)
    assert seen == ["begin", "epoch", "epoch", "end"]
    assert net.history_["twice"][1] == 2 * net.history_["train_loss"][1]


def sparse_of_few(X):
    """Return rows with so many columns more that few of them are nonzero."""
    empty = np.zeros((len(X), 20 * X.shape[1]), X.dtype)
    return sparse.csr_array(np.hstack([X, empty]))


class BatchRecorder(Callback):
    """Write down what is seen of batches, into a list that the user holds."""

    def __init__(self, seen):
        self.seen = seen

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        self.seen.append(("begin", training, len(batch[1])))

    def on_grad_computed(self, net, named_parameters, **kwargs):
        gradients = [parameter.grad for _, parameter in named_parameters]
        self.seen.append(("gradient", all(g.isfinite().all() for g in gradients)))

    def on_batch_end(self, net, batch=None, training=None, loss=None, **kwargs):
        record = net.history[-1, "batches", -1]
        name = "train_loss" if training else "valid_loss"
        self.seen.append(("end", training, record[name] == loss.item()))


def test_callbacks_see_the_batches(blobs):
    seen = []
    classifier(
        callbacks=[BatchRecorder(seen)],
        max_epochs=1,
        batch_size=60,
        early_stopping=True,
        validation_fraction=0.1,
    ).fit(*blobs)
    of_training = [("gradient", True), ("end", True, True)]
    assert seen == [
        *[("begin", True, 60), *of_training],
        *[("begin", True, 21), *of_training],
        *[("begin", False, 9), ("end", False, True)],
    ]


class AsksForTheLoss(torch.optim.SGD):
    def step(self, closure):
        loss = closure()
        super().step()
        return loss


OPTIMIZERS = {
    "L-BFGS": lambda p, lr, weight_decay: torch.optim.LBFGS(p, lr=lr, max_iter=5),
    "of the user's own": lambda p, lr, weight_decay: AsksForTheLoss(p, lr=lr),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("kind", [np.asarray, sparse_of_few])
def test_an_optimizer_may_evaluate_the_loss_itself(blobs, name, kind):
    X, y = blobs
    net = classifier(
        hidden_layer_sizes=(),
        optimizer=OPTIMIZERS[name],
        learning_rate=0.5,
        batch_size=-1,
    )
    history = net.fit(kind(X), y).history_["train_loss"]
    assert history[-1] < 0.7 * history[0]


TORCHS = {
    name: kind
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
}
# One is a base, one wants sparse gradients, one refuses the biases in a sentence.
NOT_FOR_LAYERS = {"Optimizer", "SparseAdam", "Muon"}


@pytest.mark.filterwarnings("ignore:Training has not converged")
@pytest.mark.parametrize("kind", [SparseNetClassifier, SparseNetRegressor])
@pytest.mark.parametrize("name", sorted(TORCHS.keys() - NOT_FOR_LAYERS))
def test_each_of_torchs_optimizers_trains_and_goes_on(blobs, name, kind):
    X, y = blobs
    net = kind((8,), optimizer=TORCHS[name], batch_size=-1, learning_rate=0.01)
    net.set_params(max_epochs=3, random_state=0).fit(X, y).partial_fit(X, y)
    assert net.n_iter_ == 4
    for twin in (deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert_array_equal(twin.partial_fit(X, y).predict(X), _goes_on(net, X, y))


def _goes_on(net, X, y):
    return deepcopy(net).partial_fit(X, y).predict(X)


@pytest.mark.parametrize("name", ["LBFGS", "Rprop"])
def test_a_decay_that_an_optimizer_does_not_know_is_named(blobs, name):
    net = classifier(optimizer=TORCHS[name], weight_decay=0.1)
    with pytest.raises(ValueError, match=r"'weight_decay': 0.1.*weight_decay"):
        net.fit(*blobs)


class Answers(nn.Module):
    """Hands logits to a function."""

    def __init__(self, n_features, n_outputs, function):
        super().__init__()
        self.layer = nn.Linear(n_features, n_outputs)
        self.function = function

    def forward(self, X):
        return self.function(self.layer(X), self.training)


NO_TENSORS = {
    "a tuple": lambda logits, _: (logits, logits),
    "a dict": lambda logits, _: {"logits": logits},
    "a ndarray": lambda logits, _: logits.detach().numpy(),
    "a tuple in training": lambda logits, trains: (
        (logits, logits) if trains else logits
    ),
}


@pytest.mark.parametrize("kind", [SparseNetClassifier, SparseNetRegressor])
@pytest.mark.parametrize("answer", NO_TENSORS)
def test_a_module_that_does_not_answer_a_tensor_is_told(blobs, answer, kind):
    net = kind(module=Answers, module_params={"function": NO_TENSORS[answer]})
    with pytest.raises(ValueError, match=f"one tensor.* Got {answer.split(' in ')[0]}"):
        net.fit(*blobs)


OTHER_TYPES = {
    "double": lambda logits, _: logits.double(),
    "half": lambda logits, _: logits.half(),
    "bfloat16": lambda logits, _: logits.bfloat16(),
    "double in training": lambda logits, trains: logits.double() if trains else logits,
}


@pytest.mark.parametrize("weights", [None, np.arange(90) + 1.0])
@pytest.mark.parametrize("kind", [SparseNetClassifier, SparseNetRegressor])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("answer", OTHER_TYPES)
def test_outputs_of_another_float_type_are_cast(blobs, answer, dtype, kind, weights):
    X, y = blobs[0].astype(dtype), blobs[1]
    given = {"learning_rate": 0.02, "max_epochs": 4, "random_state": 0}
    plain, cast = (
        kind(module=Answers, module_params={"function": function}, **given)
        .fit(X, y, sample_weight=weights)
        .partial_fit(X, y, sample_weight=weights)
        for function in (FINE["logits"], OTHER_TYPES[answer])
    )
    losses = [net.history_["train_loss"] for net in (cast, plain)]
    assert_allclose(*losses, rtol=0.02)
    assert NetQuantizer(FrozenEstimator(cast)).fit(X, y).predict(X).shape == y.shape
    attribute(cast, X[:3], tol=0.1)


@pytest.mark.parametrize("kind", [SparseNetClassifier, SparseNetRegressor])
@pytest.mark.parametrize("name", ["long", "cfloat", "bool"])
def test_outputs_that_are_no_floats_are_told(blobs, name, kind):
    functions = {"function": lambda logits, _: getattr(logits, name)()}
    with pytest.raises(ValueError, match=r"Got no floats but torch\."):
        kind(module=Answers, module_params=functions).fit(*blobs)


def test_a_module_of_another_width_is_told(blobs):
    with pytest.raises(ValueError, match=r"n_features=5 numbers.* cannot be multi"):
        classifier(module=nn.Linear(7, 3)).fit(*blobs)


PROBABILITIES = {
    "Softmax": lambda logits, _: torch.softmax(logits, 1),
    "Softmax, viewed": lambda logits, _: torch.softmax(logits, 1).view(-1, 3),
    "Softmax by hand": lambda logits, _: logits.exp() / logits.exp().sum(1, True),
    "Sigmoid": lambda logits, _: torch.sigmoid(logits),
    "LogSigmoid": lambda logits, _: torch.nn.functional.logsigmoid(logits),
}
FINE = {
    "logits": lambda logits, _: logits,
    "not negative": lambda logits, _: torch.relu(logits),
    "their softmax is the same": lambda logits, _: torch.log_softmax(logits, 1),
}


def said(net, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(X, y)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("end", [*PROBABILITIES, *FINE])
def test_a_module_that_ends_in_probabilities_is_told(blobs, end, several):
    X, y = blobs
    function = (PROBABILITIES | FINE)[end]
    net = classifier(module=Answers, module_params={"function": function})
    y = np.eye(3, dtype=int)[y] if several else y
    texts = said(net.set_params(max_epochs=1), X, y)
    name = end.split()[0].rstrip(",")
    told = [text for text in texts if f"ends in a {name}; leave it out" in text]
    assert len(told) == (end in PROBABILITIES)


def test_probabilities_of_a_regressor_are_its_own_business(blobs):
    net = SparseNetRegressor(module=Answers, max_epochs=1)
    net.set_params(module_params={"function": PROBABILITIES["Sigmoid"]})
    assert not [text for text in said(net, *blobs) if "logits" in text]


def test_callbacks_run_in_partial_fit_too(blobs):
    seen = []
    net = classifier(callbacks=[Recorder(seen)])
    for _ in range(2):
        net.partial_fit(*blobs, classes=[0, 1, 2])
    assert seen == ["begin", "epoch", "end"] * 2


def test_callbacks_are_left_as_they_were_given(blobs):
    callback = EarlyStopping("train_loss", patience=1, threshold=10)
    before = dict(vars(callback))
    classifier(callbacks=[callback]).fit(*blobs)
    assert vars(callback) == before


def test_a_callback_that_stops_is_no_interrupt_by_the_user(blobs):
    stop = EarlyStopping("train_loss", patience=3, threshold=10)
    assert classifier(callbacks=[stop]).fit(*blobs).n_iter_ == 4


def test_a_scheduler_changes_the_learning_rate(blobs):
    policy = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.0)
    net = classifier(callbacks=[policy], max_epochs=3).fit(*blobs)
    assert net.history_["event_lr"][1] == 0.0
    losses = net.history_["train_loss"][1:].tolist()
    assert losses[0] == pytest.approx(losses[1])


def test_a_schedule_goes_on_in_a_warm_start(blobs):
    policy = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.1)
    net = classifier(callbacks=[policy], max_epochs=2, warm_start=True).fit(*blobs)
    rates = net.fit(*blobs).history_["event_lr"].tolist()
    assert rates == pytest.approx([rates[0], rates[0], 0.1 * rates[0], 0.1 * rates[0]])


@pytest.mark.parametrize("on_train", [False, True])
def test_skorch_scores_epochs_by_accuracy(blobs, on_train):
    score = EpochScoring("accuracy", name="accuracy", on_train=on_train)
    net = classifier(callbacks=[score], early_stopping=True, max_epochs=3).fit(*blobs)
    assert all(0 <= accuracy <= 1 for accuracy in net.history_["accuracy"])


def test_skorch_scores_batches(blobs):
    score = BatchScoring("accuracy", name="accuracy", on_train=True)
    net = classifier(callbacks=[score], max_epochs=3, batch_size=10).fit(*blobs)
    assert 0 <= net.history_["accuracy"][-1] <= 1


class Marker(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.history.record("mark", 1)


def test_callbacks_may_be_classes(blobs):
    net = classifier(callbacks=[Marker], max_epochs=1).fit(*blobs)
    assert net.history_["mark"][0] == 1


def test_a_line_an_epoch_is_written_if_asked_for(blobs, capfd):
    net = classifier(verbose=1, early_stopping=True, max_epochs=3, batch_size=-1)
    net.fit(*blobs)
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, (line, loss) in enumerate(
        zip(lines, net.history_["valid_loss"], strict=True), 1
    ):
        assert line.startswith(f"[SparseNetClassifier] epoch {epoch}: ")
        assert f"valid loss {loss:.5f}" in line


def test_the_skorch_net_can_be_asked_itself(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    assert_array_equal(net.net_.predict(X), net.predict(X))
