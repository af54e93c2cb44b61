"""Each of skorch's callbacks that needs no service works in each network."""

import io

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import get_scorer
from skorch import callbacks as skorch_callbacks
from skorch.callbacks import (
    BatchScoring,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    ParamMapper,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TrainEndCheckpoint,
    Unfreezer,
)
from torch import nn

from sksparse_nn import NetPruner, SparseNetClassifier, SparseNetRegressor

pytestmark = pytest.mark.filterwarnings("ignore:Training has not converged")

N_TRAIN = 60
X = np.random.default_rng(0).standard_normal((90, 4)).astype(np.float32)
SPARSE = sparse.csr_array(np.hstack([X, np.zeros((90, 80), np.float32)]))
TRAIN, VALID = slice(0, N_TRAIN), slice(N_TRAIN, None)

# The kind of network, targets far from standardised, and a scorer of each response.
TASKS = {
    "labels": (SparseNetClassifier, {}, np.where(X[:, 0] > 0, "yes", "no"), "roc_auc"),
    "three labels": (
        SparseNetClassifier,
        {},
        np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.4, 0.4])],
        "accuracy",
    ),
    "indicator": (SparseNetClassifier, {}, (X[:, :3] > 0).astype(int), "f1_micro"),
    "two columns": (SparseNetClassifier, {}, (X[:, :2] > 0).astype(int), "roc_auc"),
    "sparse": (
        SparseNetClassifier,
        {},
        sparse.csr_array((X[:, :3] > 0).astype(int)),
        "f1_macro",
    ),
    "number": (
        SparseNetRegressor,
        {},
        1000 + 50 * X[:, 0].astype(np.float64),
        "neg_mean_absolute_error",
    ),
    "numbers": (
        SparseNetRegressor,
        {"loss": "huber"},
        1000 + 50 * X[:, :2].astype(np.float64),
        "neg_mean_squared_error",
    ),
    "counts": (
        SparseNetRegressor,
        {"loss": "poisson"},
        np.round(np.exp(3 + X[:, 0])),
        "neg_mean_poisson_deviance",
    ),
}


def network(task, **parameters):
    kind, own, *_ = TASKS[task]
    given = {"max_epochs": 3, "batch_size": 16, "random_state": 0}
    return kind((8,), **given | own | parameters)


def fitted(task, callbacks, rows=X, **parameters):
    y = TASKS[task][2]
    net = network(task, callbacks=callbacks, **parameters)
    return net.fit(rows[TRAIN], y[TRAIN], X_val=rows[VALID], y_val=y[VALID])


@pytest.mark.parametrize("rows", [X, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("use_caching", [True, False])
@pytest.mark.parametrize("task", TASKS)
def test_a_score_is_that_of_the_estimator(task, use_caching, rows):
    *_, y, scoring = TASKS[task]
    score = EpochScoring(scoring, use_caching=use_caching, name="score")
    net = fitted(task, [score], rows)
    expected = get_scorer(scoring)(net, rows[VALID], y[VALID])
    assert_allclose(net.history_["score"][-1], expected, rtol=1e-4)
    few = rows[VALID][:1]
    own, predicted = net.net_.predict(few), net.predict(few)
    if sparse.issparse(predicted):
        own, predicted = own.toarray(), predicted.toarray()
    assert_array_equal(own, predicted)


@pytest.mark.parametrize("task", TASKS)
def test_a_score_on_training_rows_is_that_of_the_estimator(task):
    *_, y, scoring = TASKS[task]
    score = EpochScoring(scoring, use_caching=False, on_train=True, name="score")
    net = fitted(task, [score])
    expected = get_scorer(scoring)(net, X[TRAIN], y[TRAIN])
    assert_allclose(net.history_["score"][-1], expected, rtol=1e-4)


@pytest.mark.parametrize("task", ["three labels", "number"])
@pytest.mark.parametrize("use_caching", [True, False])
def test_a_score_of_batches_is_that_of_the_estimator(task, use_caching):
    *_, y, scoring = TASKS[task]
    score = BatchScoring(scoring, use_caching=use_caching, name="score")
    net = fitted(task, [score])
    expected = get_scorer(scoring)(net, X[VALID], y[VALID])
    assert_allclose(net.history_["score"][-1], expected, rtol=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_without_scoring_it_is_the_score_of_the_estimator(task):
    y = TASKS[task][2]
    net = fitted(task, [EpochScoring(None, name="score")])
    expected = net.score(X[VALID], y[VALID])
    assert_allclose(net.history_["score"][-1], expected, rtol=1e-4)


def test_a_function_may_score_rows_and_targets_as_they_were_given():
    seen = []

    def far_off(net, rows, y):
        seen.append((rows, y))
        return np.abs(net.predict(rows) - y).max()

    y = TASKS["number"][2]
    net = fitted("number", [EpochScoring(far_off, use_caching=False)])
    assert_array_equal(seen[-1][0], X[VALID])
    assert_allclose(seen[-1][1], y[VALID], rtol=1e-6)
    expected = np.abs(net.predict(X[VALID]) - y[VALID]).max()
    assert_allclose(net.history_["far_off"][-1], expected, rtol=1e-4)


def test_a_target_extractor_is_given_targets_in_their_unit():
    seen = []

    def extract(y):
        seen.append(y)
        return y.numpy()

    score = EpochScoring("neg_mean_absolute_error", target_extractor=extract)
    fitted("number", [score])
    assert min(part.min() for part in seen) > 500
    assert score.target_extractor is extract


def test_scoring_training_rows_draws_no_random_numbers():
    plain = fitted("number", None)
    score = EpochScoring("r2", use_caching=False, on_train=True)
    scored = fitted("number", [score])
    assert_array_equal(scored.predict(X), plain.predict(X))


def working_callbacks(folder):
    return {
        "batch scoring": [BatchScoring(None, name="score")],
        "checkpoint": [Checkpoint(dirname=folder)],
        "checkpoint to load": [Checkpoint(dirname=folder, load_best=True)],
        "checkpoint of all": [Checkpoint(dirname=folder, f_pickle="net.pkl")],
        "stop": [EarlyStopping(patience=1, threshold=10, load_best=True)],
        "scoring": [EpochScoring(None, name="score")],
        "timer": [EpochTimer()],
        "freezer": [Freezer("0.*")],
        "unfreezer": [Freezer("0.*"), Unfreezer("0.*", at=2)],
        "clipping": [GradientNormClipping(0.1)],
        "initializer": [Initializer("*.weight", fn=nn.init.xavier_normal_)],
        "mapper": [ParamMapper("*.bias", fn=nn.init.zeros_)],
        "shape": [InputShapeSetter()],
        "rate": [LRScheduler()],
        "rate by batch": [LRScheduler("CyclicLR", base_lr=1e-4, step_every="batch",
                                      max_lr=1e-2, cycle_momentum=False)],
        "rate by loss": [LRScheduler("ReduceLROnPlateau", monitor="valid_loss")],
        "passing on": [PassthroughScoring("train_loss", on_train=True)],
        "print": [PrintLog(sink=io.StringIO().write)],
        "bar": [ProgressBar()],
        "counting bar": [ProgressBar(batches_per_epoch="count")],
        "end": [TrainEndCheckpoint(dirname=folder)],
    }  # fmt: skip


def folder_of(callbacks):
    folders = (getattr(callback, "dirname", None) for callback in callbacks)
    return next(filter(None, folders), None)


@pytest.mark.parametrize(
    ("task", "rows"), [("labels", X), ("number", SPARSE)], ids=["labels", "numbers"]
)
@pytest.mark.parametrize("name", working_callbacks(""))
def test_each_callback_works_in_each_kind_of_training(name, task, rows, tmp_path):
    y = TASKS[task][2]
    callbacks = working_callbacks(str(tmp_path))[name]
    net = fitted(task, callbacks, rows, warm_start=True)
    net.fit(rows, y, X_val=rows, y_val=y)
    net.partial_fit(rows, y)
    assert net.n_iter_ == len(net.history_["train_loss"]) >= 5
    assert net.predict(rows).shape == y.shape
    if folder_of(callbacks):
        net.net_.load_params(checkpoint=callbacks[0])


def test_none_of_the_callbacks_is_forgotten():
    services = {
        "MlflowLogger", "NeptuneLogger", "SacredLogger", "TensorBoard", "WandbLogger",
        "BayesianLogger", "WarmRestartLR", "Callback",
    }  # fmt: skip
    tried = {type(c) for given in working_callbacks("").values() for c in given}
    known = {kind.__name__ for kind in tried} | {"LoadInitState"}
    assert set(skorch_callbacks.__all__) <= known | services


CHECKPOINTS = {
    "Checkpoint": lambda folder: Checkpoint(dirname=folder, monitor=None),
    "without history": lambda folder: Checkpoint(
        dirname=folder, monitor=None, f_history=None
    ),
    "named after batches": lambda folder: Checkpoint(
        dirname=folder,
        monitor=None,
        f_params="{last_epoch[epoch]}_{last_batch[valid_loss]:.3}.pt",
    ),
    "TrainEndCheckpoint": lambda folder: TrainEndCheckpoint(dirname=folder),
}


@pytest.mark.parametrize("task", ["labels", "number"])
@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_checkpoint_brings_the_net_back(kind, task, tmp_path):
    checkpoint = CHECKPOINTS[kind](str(tmp_path))
    net = fitted(task, [checkpoint])
    expected = net.predict(X)
    with torch.no_grad():
        net.net_.module_[0].weight.zero_()
    net.net_.load_params(checkpoint=checkpoint)
    assert_array_equal(net.predict(X), expected)


@pytest.mark.parametrize("task", ["labels", "number"])
@pytest.mark.parametrize("kind", ["Checkpoint", "TrainEndCheckpoint"])
def test_a_fit_goes_on_from_the_state_that_is_loaded(kind, task, tmp_path):
    checkpoint = CHECKPOINTS[kind](str(tmp_path))
    callbacks = [checkpoint, LoadInitState(checkpoint)]
    first = fitted(task, callbacks)
    again = fitted(task, callbacks)
    assert again.n_iter_ == len(again.history_["train_loss"]) == 6
    losses = [net.history_["train_loss"][:3].tolist() for net in (first, again)]
    assert losses[0] == losses[1]
    assert again.history_["train_loss"][3] < first.history_["train_loss"][0]


def test_an_initial_state_is_loaded_once(tmp_path):
    X_, y = X[TRAIN], TASKS["number"][2][TRAIN]
    checkpoint = Checkpoint(dirname=str(tmp_path), monitor="train_loss_best")
    fitted("number", [checkpoint])
    net = network("number", callbacks=[LoadInitState(checkpoint)])
    counts = [net.partial_fit(X_, y).n_iter_ for _ in range(3)]
    assert counts == [4, 5, 6]


def test_the_best_epoch_is_that_of_all_trainings():
    y = TASKS["number"][2]
    net = network("number", learning_rate=0.05)
    losses = [
        (net.partial_fit(part, y[:30]).history_["train_loss"][-1], net.net_.history)
        for part in (X[:30], X[:30], 100 * X[:30])
    ]
    assert losses[2][0] > losses[1][0]
    assert [row["train_loss_best"] for row in losses[-1][1]] == [True, True, False]


@pytest.mark.parametrize(
    "watcher",
    [EarlyStopping(), Checkpoint(), LRScheduler("ReduceLROnPlateau", "valid_loss")],
    ids=lambda watcher: type(watcher).__name__,
)
def test_what_is_not_measured_cannot_be_watched(watcher):
    y = TASKS["number"][2]
    net = network("number", callbacks=[watcher])
    with pytest.raises(ValueError, match=r"for 'valid_loss.*early_stopping=True"):
        net.fit(X, y)
    assert net.partial_fit(X, y).n_iter_ == 1


def test_fine_tuning_leaves_out_what_watches_held_out_rows():
    stop = EarlyStopping("accuracy", patience=1, lower_is_better=False)
    callbacks = [EpochScoring("accuracy", lower_is_better=False), stop]
    y = TASKS["labels"][2]
    net = network("labels", callbacks=callbacks, early_stopping=True)
    NetPruner(net, fine_tune_epochs=2).fit(X, y)


class ThreeArguments(nn.Module):
    def __init__(self, n_inputs, n_outputs, input_dim=1):
        super().__init__()
        self.input_dim = input_dim
        self.layer = nn.Linear(n_inputs, n_outputs)

    def forward(self, rows):
        return self.layer(rows)


def linear(n_inputs, n_outputs):
    return nn.Linear(n_inputs, n_outputs)


class AskedByName(nn.Module):
    def __init__(self, input_dim, n_outputs):
        super().__init__()
        self.layer = nn.Linear(input_dim, n_outputs)

    def forward(self, rows):
        return self.layer(rows)


def test_the_width_of_the_input_comes_before_module_params():
    setter, given = InputShapeSetter(), {"input_dim": 99}
    net = fitted("number", [setter], module=ThreeArguments, module_params=given)
    assert net.net_.module_.input_dim == 4


@pytest.mark.parametrize("task", ["labels", "number"])
@pytest.mark.parametrize(
    "module",
    [ThreeArguments, AskedByName, linear, None],
    ids=["three arguments", "by name", "function", "None"],
)
def test_the_width_of_the_input_is_told_to_modules(module, task):
    net = fitted(task, [InputShapeSetter()], module=module, warm_start=True)
    assert getattr(net.net_.module_, "input_dim", 4) == 4
    twin, y = fitted(task, None, module=module, warm_start=True), TASKS[task][2]
    for net_ in (net, twin):
        net_.fit(X, y).partial_fit(X, y)
    assert_array_equal(net.predict(X), twin.predict(X))
