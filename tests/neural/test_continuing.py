"""partial_fit and warm_start: training on from where a net stands."""

import copy
import inspect
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
    for_prediction,
)
from sksparse_nn.neural._equality import are_same, mark_fitted
from tests.neural.coders import CODERS
from tests.persistence.keep_files import FOLDER
from tests.persistence.models import samples
from tests.persistence.saving import through_skops


def classifier(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 5, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


def test_partial_fits_add_up_to_a_fit(blobs):
    X, y = blobs
    fitted = classifier(batch_size=16, dropout=0.2)
    streamed = classifier(batch_size=16)
    for _ in range(20):
        streamed.partial_fit(X, y, classes=[0, 1, 2])
    assert streamed.n_iter_ == len(streamed.history_["train_loss"]) == 20
    assert (
        streamed.score(X, y)
        >= fitted.set_params(max_epochs=20).fit(X, y).score(X, y) - 0.1
    )


def test_the_optimizer_goes_on_through_partial_fits(blobs):
    X, y = blobs
    net = classifier()
    for n_steps in (1, 2, 3):
        net.partial_fit(X, y, classes=[0, 1, 2])
        states = net.net_.optimizer_.state.values()
        assert {int(state["step"]) for state in states} == {n_steps}


def test_a_fit_is_continued_by_partial_fit(blobs):
    X, y = blobs
    net = classifier().fit(X, y).partial_fit(X[:10], y[:10])
    assert net.n_iter_ == 6
    assert net.history_["epoch"].tolist() == [1, 2, 3, 4, 5, 6]


def test_batches_may_lack_classes(blobs):
    X, y = blobs
    net = classifier().partial_fit(X[y == 1], y[y == 1], classes=[0, 1, 2])
    for _ in range(30):
        for label in (0, 1, 2):
            net.partial_fit(X[y == label], y[y == label])
    assert_array_equal(net.classes_, [0, 1, 2])
    assert net.score(X, y) > 0.7


def test_one_row_at_a_time_is_learnt_from(line):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.02, random_state=0)
    net.partial_fit(X[:40], y[:40])
    for i in range(40, 120):
        net.partial_fit(X[i : i + 1], y[i : i + 1])
    assert net.score(X, y) > 0.3


def test_the_first_partial_fit_needs_the_classes(blobs):
    with pytest.raises(ValueError, match="classes must be passed"):
        classifier().partial_fit(*blobs)


def test_a_label_that_was_not_announced_is_refused(blobs):
    X, y = blobs
    net = classifier().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"only the classes .* Got \[5\]"):
        net.partial_fit(X, np.where(y == 2, 5, y))


def test_the_learning_rate_can_change_between_partial_fits(blobs):
    X, y = blobs
    net = classifier().partial_fit(X, y, classes=[0, 1, 2])
    weight = net.net_.module_[0].weight.detach().clone()
    net.set_params(learning_rate=1e-9).partial_fit(X, y)
    assert torch.allclose(net.net_.module_[0].weight, weight, atol=1e-7)


def test_early_stopping_is_no_matter_of_partial_fit(blobs):
    X, y = blobs
    net = classifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    assert "valid_loss" not in net.history_


def test_a_cold_start_forgets(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    expected = net.predict_proba(X)
    assert_array_equal(net.fit(X, y).predict_proba(X), expected)
    assert net.n_iter_ == 5


def test_a_warm_start_continues(blobs):
    X, y = blobs
    net = classifier(warm_start=True, max_epochs=10, batch_size=-1).fit(X, y)
    first = net.history_["train_loss"][-1]
    net.fit(X, y)
    assert net.n_iter_ == 20
    assert net.history_["train_loss"][10] <= first


def test_a_warm_start_takes_new_parameters(blobs):
    X, y = blobs
    net = classifier(warm_start=True).fit(X, y)
    weight = net.net_.module_[0].weight.detach().clone()
    net.set_params(learning_rate=1e-9).fit(X, y)
    assert torch.allclose(net.net_.module_[0].weight, weight, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda net, X, y: net.fit(X[:, :3], y), "3 features"),
        (lambda net, X, y: net.fit(X, y + 1), "only the classes"),
        (lambda net, X, y: net.fit(X[y > 0], y[y > 0]), "needs all of the classes"),
        (
            lambda net, X, y: net.set_params(hidden_layer_sizes=(9,)).fit(X, y),
            "hidden_layer_sizes",
        ),
    ],
    ids=["width", "new class", "class missing", "layers"],
)
def test_a_warm_start_refuses_another_problem(blobs, change, message):
    X, y = blobs
    net = classifier(warm_start=True).fit(X, y)
    expected = net.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        change(net, X, y)
    assert_array_equal(net.predict_proba(X), expected)


def test_a_regressor_refuses_another_number_of_outputs(line):
    X, y = line
    net = SparseNetRegressor(warm_start=True, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="n_outputs=1"):
        net.fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="n_outputs=1"):
        net.partial_fit(X, np.column_stack([y, y]))


def test_a_net_is_not_fitted_before_fit(blobs):
    net = classifier()
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
    for method in (net.predict, net.predict_proba):
        with pytest.raises(NotFittedError):
            method(blobs[0])


@pytest.mark.parametrize("n_first", [1, 7])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_targets_that_vary_later_are_learnt_then(line, n_first, offset):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.02, random_state=0)
    y = np.stack([y, offset + y], axis=1)
    constant = y[:n_first].copy()
    constant[:, 1] = offset
    net.partial_fit(X[:n_first], constant)
    for _ in range(60):
        net.partial_fit(X, y)
    assert net.score(X, y) > 0.9


def test_a_second_row_is_a_scale_too(line):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.02, random_state=0)
    net.partial_fit(X[:1], y[:1])
    for _ in range(60):
        for rows in (slice(1, 2), slice(2, None)):
            net.partial_fit(X[rows], y[rows])
    assert net.score(X, y) > 0.8


def test_a_warm_start_learns_targets_that_were_constant(line):
    X, y = line
    net = SparseNetRegressor(
        (8,), learning_rate=0.02, max_epochs=60, warm_start=True, random_state=0
    )
    assert_array_equal(net.fit(X, np.full(len(y), 3.0)).predict(X), 3)
    assert net.fit(X, y).score(X, y) > 0.9


# What follows are laws over all parameters of both estimators.


class Probe(Callback):
    """Record something in the history."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("probe", 1.0)


def dense(n_features, n_outputs, n_neurons=3):
    return torch.nn.Sequential(
        torch.nn.Linear(n_features, n_neurons),
        torch.nn.Tanh(),
        torch.nn.Linear(n_neurons, n_outputs),
    )


def wide(n_features, n_outputs):
    return dense(n_features, n_outputs, n_neurons=6)


def own_loss(outputs, targets):
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


def doubled_loss(outputs, targets):
    return 2 * own_loss(outputs, targets) ** 2


def numbers_loss(outputs, targets):
    return (outputs - targets).abs() ** 1.5


def dictionary(**parameters):
    return SparseDictionaryCoder(6, max_epochs=2, random_state=0, **parameters)


LONG = {"early_stopping": True, "max_epochs": 20}

# Of each parameter: what else is set, the value at first, and the one to change to.
CHANGES = {
    "hidden_layer_sizes": ({}, (8,), (9,)),
    "activation": ({}, "relu", "tanh"),
    "module": ({}, dense, wide),
    "module_params": ({"module": dense}, {"n_neurons": 3}, {"n_neurons": 4}),
    "image_shape": ({}, (2, 3), (3, 2)),
    "coder": ({}, dictionary(), dictionary(alpha=0.5)),
    "tune_coder": ({"coder": dictionary()}, True, "all"),
    "reconstruction": ({"coder": dictionary()}, 0.0, 5.0),
    "augment": ({}, None, "noise"),
    "l1": ({}, 0.0, 0.1),
    "group_lasso": ({}, 0.0, 0.1),
    "dropout": ({}, 0.0, 0.5),
    "optimizer": ({}, "adamw", "sgd"),
    "optimizer_params": ({}, None, {"betas": (0.5, 0.9)}),
    "learning_rate": ({}, 0.02, 0.1),
    "scheduler": ({}, None, "one_cycle"),
    "weight_averaging": ({}, None, 0.9),
    "weight_decay": ({}, 0.0, 0.9),
    "max_epochs": ({}, 4, 5),
    "batch_size": ({}, 16, 8),
    "last_batch": ({}, "keep", "drop"),
    "early_stopping": ({}, False, True),
    "validation_fraction": (LONG, 0.1, 0.3),
    "n_iter_no_change": (LONG | {"tol": 0.9}, 5, 1),
    "tol": (LONG, 0.0, 0.99),
    "class_weight": ({}, None, {0: 1, 1: 2, 2: 9}),
    "label_smoothing": ({}, 0.0, 0.5),
    "mixed_precision": ({}, False, True),
    "device": ({}, "cpu", "meta"),
    "warm_start": ({}, True, False),
    "callbacks": ({}, None, [Probe()]),
    "random_state": ({}, 0, 1),
    "verbose": ({}, 0, 1),
    ("SparseNetClassifier", "loss"): ({}, own_loss, doubled_loss),
    ("SparseNetRegressor", "loss"): ({}, "squared_error", numbers_loss),
    "quantile": ({"loss": "quantile"}, 0.5, 0.8),
    "epsilon": ({"loss": "huber"}, 1.35, 0.5),
}

# What has to stay: each is refused by name.
KEPT = {
    "fit": {
        *("hidden_layer_sizes", "module", "module_params", "image_shape", "coder"),
        *("tune_coder", "device"),
        *(("SparseNetRegressor", "loss"), "quantile", "epsilon"),
    }
}
KEPT["partial_fit"] = KEPT["fit"] | {
    *("activation", "optimizer", ("SparseNetClassifier", "loss"))
}

# What has no meaning there, and why.
_FIT_ALONE = "nothing is held out, and nothing is stopped, in one epoch on some samples"
UNREAD = {
    "fit": {"random_state": "the stream of random numbers goes on"},
    "partial_fit": {
        "random_state": "the stream of random numbers goes on",
        "max_epochs": "a call is one epoch",
        "scheduler": "there is no last step, which a schedule needs",
        "warm_start": "partial_fit always goes on",
        "early_stopping": _FIT_ALONE,
        "validation_fraction": _FIT_ALONE,
        "n_iter_no_change": _FIT_ALONE,
        "tol": _FIT_ALONE,
    },
}

CASES = [
    (kind, name, method)
    for kind in (SparseNetClassifier, SparseNetRegressor)
    for name in inspect.signature(kind).parameters
    for method in ("fit", "partial_fit")
]


def key_of(kind, name, table):
    """Return the key of a parameter, which may be one of a class."""
    own = kind.__name__, name
    return own if own in table else name


def data_for(kind):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 6)).astype(np.float32)
    X[:, 0] *= 3
    if kind is SparseNetRegressor:
        return X, X[:, 0] + rng.standard_normal(90) ** 3
    return X, np.digitize(X[:, 0] + rng.standard_normal(90), [-1.5, 1.5])


def make(kind, **parameters):
    given = {"learning_rate": 0.02, "max_epochs": 4, "batch_size": 16}
    given |= {"hidden_layer_sizes": (8,), "random_state": 0, "warm_start": True}
    return kind(**(given | parameters))


def all_that_it_says(net, X):
    """Return weights, losses and predictions of a net, and what it has recorded."""
    weights = [weight.numpy() for weight in net.net_.module_.state_dict().values()]
    known = {name: x for name, x in net.history_.items() if name != "dur"}
    return [*weights, net.predict(X), np.array(sorted(known)), *known.values()]


def are_equal(one, other):
    return len(one) == len(other) and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(
    ("kind", "name", "method"),
    CASES,
    ids=[f"{kind.__name__}-{name}-{method}" for kind, name, method in CASES],
)
@pytest.mark.filterwarnings("ignore:mixed_precision=True changes nothing")
def test_each_parameter_takes_effect_or_is_refused(kind, name, method, capsys):
    key = key_of(kind, name, CHANGES)
    others, first, then = CHANGES[key]
    X, y = data_for(kind)
    start = make(kind, **others | {name: first}).fit(X, y)
    net, twin = copy.deepcopy(start), copy.deepcopy(start).set_params(**{name: then})
    expected = all_that_it_says(start, X)
    if key in KEPT[method]:
        with pytest.raises(ValueError, match=rf"(?s)\b{name}(__\w+)?\b.*Got"):
            getattr(twin, method)(X, y)
        assert are_equal(all_that_it_says(twin, X), expected)
        getattr(twin.set_params(**{name: first}), method)(X, y)
        return
    getattr(net, method)(X, y)
    capsys.readouterr()
    getattr(twin, method)(X, y)
    is_read = name == "mixed_precision" or bool(capsys.readouterr().out)
    differs = not are_equal(all_that_it_says(net, X), all_that_it_says(twin, X))
    assert (differs or is_read) == (key not in UNREAD[method])


def test_the_tables_name_parameters():
    names = {name if isinstance(name, str) else name[1] for name in CHANGES}
    assert names == {name for _, name, _ in CASES}
    for table in (*KEPT.values(), *UNREAD.values()):
        assert set(table) <= set(CHANGES)


COPIES = {
    "itself": lambda net: net,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "skops": through_skops,
}

METHODS = "fit", "partial_fit"


def set_equal_parameters(net):
    """Set parameters that are equal to those of a net, but other objects."""
    return net.set_params(**clone(net).get_params(deep=False))


NETS = {
    "plain": {},
    "list of sizes": {"hidden_layer_sizes": [8]},
    "one size": {"hidden_layer_sizes": 8},
    "module": {"module": dense(6, 3)},
    "function": {"module": dense, "module_params": {"n_neurons": 4}},
    "class of an optimizer": {"optimizer": torch.optim.NAdam},
    "part of an optimizer": {"optimizer": partial(torch.optim.SGD, momentum=0.5)},
    "settings": {"optimizer_params": {"betas": [0.8, 0.9]}, "weight_decay": 0.1},
    "L-BFGS": {"optimizer": torch.optim.LBFGS, "batch_size": -1, "max_epochs": 2},
    "own loss": {"loss": own_loss},
    "module of a loss": {"loss": torch.nn.CrossEntropyLoss(reduction="none")},
    "images": {"image_shape": (2, 3)},
    "patch net": {
        "module": "patch_net",
        "coder": ImagePatchCoder(
            2, image_shape=(2, 3), patch_size=2, pooled_shape=1, random_state=0
        ),
        "image_shape": (2, 3),
    },
    "all of a coder": {"coder": dictionary(alpha=0.2), "tune_coder": "all"},
    "codes first": {"coder": dictionary(alpha=0.2), "tune_coder": False},
    "pipeline": {
        "coder": make_pipeline(StandardScaler(), TruncatedSVDReducer(2)),
        "tune_coder": False,
    },
    "function of numbers": {
        "coder": FunctionTransformer(np.tanh, kw_args={"dtype": np.float32}),
        "tune_coder": False,
    },
    "frozen": {"coder": FrozenEstimator(dictionary(alpha=0.2))},
    "frozen codes first": {"coder": FrozenEstimator(dictionary()), "tune_coder": False},
    "frozen, all": {
        "coder": FrozenEstimator(dictionary(alpha=0.2)),
        "tune_coder": "all",
    },
}
NETS |= {f"coder: {name}": {"coder": coder} for name, coder in CODERS.items()}


def fitted(name):
    """Return a fitted classifier of a table, and its samples."""
    X, y = data_for(SparseNetClassifier)
    parameters = copy.deepcopy(NETS[name])
    if name == "coder: given atoms":
        parameters["coder"].set_params(init=np.eye(6)[:4] + 0.1)
    if isinstance(parameters.get("coder"), FrozenEstimator):
        parameters["coder"].estimator.fit(X)
    net = make(SparseNetClassifier, **{"max_epochs": 1} | parameters)
    return net.fit(X, y), X, y


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NETS)
def test_parameters_that_did_not_change_are_never_refused(name, method, how):
    net, X, y = fitted(name)
    unsafe = {"function", "module", "class of an optimizer", "part of an optimizer"}
    unsafe |= {"own loss", "function of numbers", "L-BFGS", "pipeline"}
    if how == "skops" and name in unsafe:
        pytest.skip("users have to trust types of their own")
    net = COPIES[how](net)
    for _ in range(2):
        getattr(net, method)(X, y)
        getattr(set_equal_parameters(net), method)(X, y)


@pytest.mark.parametrize("name", [name for name in NETS if "coder" in NETS[name]])
@pytest.mark.parametrize("method", METHODS)
def test_another_coder_is_refused(name, method):
    net, X, y = fitted(name)
    former = net.coder
    for other in (None, TruncatedSVDReducer(1), FrozenEstimator(dictionary().fit(-X))):
        if other is None and not net.tune_coder:
            continue
        with pytest.raises(ValueError, match=r"coder.* must stay"):
            getattr(net.set_params(coder=other), method)(X, y)
    getattr(net.set_params(coder=former), method)(X, y)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tune_coder", [True, False, "all"])
def test_each_parameter_of_a_coder_is_compared(method, tune_coder):
    X, y = data_for(SparseNetClassifier)
    coder = dictionary(alpha=0.2)
    net = make(SparseNetClassifier, coder=coder, tune_coder=tune_coder).fit(X, y)
    changes = {"alpha": 0.3, "n_components": 5, "max_epochs": 3, "split_sign": True}
    for name, value in changes.items():
        former = net.get_params()[f"coder__{name}"]
        with pytest.raises(ValueError, match=rf"coder__{name} must stay.*={value}"):
            getattr(net.set_params(**{f"coder__{name}": value}), method)(X, y)
        net.set_params(**{f"coder__{name}": former})
    getattr(net.set_params(coder__random_state=5, coder__n_jobs=2), method)(X, y)


def test_a_frozen_coder_that_was_fitted_to_others_is_refused():
    net, X, y = fitted("frozen")
    other = clone(net.coder.estimator).fit(X[:, ::-1])
    with pytest.raises(ValueError, match="coder must stay"):
        net.set_params(coder=FrozenEstimator(other)).fit(X, y)


@pytest.mark.parametrize("name", NETS)
def test_copies_for_prediction_compare_what_they_have(name):
    net, X, y = fitted(name)
    slim = for_prediction(net)
    reason = "left out" if name == "module" else "which has none"
    if name == "module" or net._is_tuned:
        with pytest.raises(ValueError, match=reason):
            slim.fit(X, y)
    else:
        slim.fit(X, y).fit(X, y)
    with pytest.raises(ValueError, match="optimizer's state"):
        for_prediction(net).partial_fit(X, y)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/tuned.pickle")), ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_coders_of_older_files_are_compared(path, method):
    X, y = samples()
    net = pickle.loads(path.read_bytes()).set_params(warm_start=True)
    getattr(net, method)(X, y)
    with pytest.raises(ValueError, match="coder__alpha must stay"):
        getattr(net.set_params(coder__alpha=0.9), method)(X, y)
    net.set_params(coder__alpha=0.2, tune_coder=False)
    with pytest.raises(ValueError, match="tune_coder must stay"):
        getattr(net, method)(X, y)


@pytest.mark.parametrize("module", ["patch_net", None])
def test_a_network_of_patches_stays_one(module):
    net, X, y = fitted("patch net" if module is None else "images")
    with pytest.raises(ValueError, match="module must stay"):
        net.set_params(module=module).fit(X, y)


def test_another_device_is_refused_by_partial_fit(blobs):
    net = classifier().fit(*blobs)
    net.net_.device = "cuda"
    with pytest.raises(ValueError, match="device must stay"):
        net.partial_fit(*blobs)


SHARES = [(0.0, 0.2), (0.2, 0.0), (0.2, 0.5)]


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("first", "then"), SHARES)
@pytest.mark.parametrize(
    "others",
    [{}, {"image_shape": (2, 3)}, {"coder": dictionary()}, {"weight_averaging": 0.5}],
    ids=["plain", "images", "coder", "average"],
)
def test_dropout_may_change(first, then, others, method, how):
    X, y = data_for(SparseNetClassifier)
    net = make(SparseNetClassifier, hidden_layer_sizes=(8, 7), **others)
    net = COPIES[how](net.set_params(dropout=first).fit(X, y))
    expected = net.predict_proba(X)
    net.set_params(dropout=then, learning_rate=1e-12)
    net = COPIES[how](getattr(net, method)(X, y))
    if "weight_averaging" not in others:
        assert_allclose(net.predict_proba(X), expected, atol=1e-5)
    layers = net.net_.module_.modules()
    shares = [layer.p for layer in layers if isinstance(layer, torch.nn.Dropout)]
    assert shares == [then] * (2 * (then > 0))
    assert str(net.net_.module_) == str(clone(net).fit(X, y).net_.module_)
    assert getattr(net.net_.module_, "dropout", then) == then


def test_the_optimizer_goes_on_when_dropout_changes(blobs):
    net = classifier().partial_fit(*blobs, classes=[0, 1, 2])
    for n_steps, dropout in enumerate((0.1, 0.0, 0.3), start=2):
        net.set_params(dropout=dropout).partial_fit(*blobs)
        states = net.net_.optimizer_.state.values()
        assert {int(state["step"]) for state in states} == {n_steps}


def test_a_module_of_the_users_keeps_its_dropout(blobs):
    module = torch.nn.Sequential(
        torch.nn.Linear(5, 4), torch.nn.Dropout(0.3), torch.nn.Linear(4, 3)
    )
    net = classifier(module=module).fit(*blobs)
    net.set_params(dropout=0.1).partial_fit(*blobs)
    assert net.net_.module_[1].p == 0.3


def test_settings_of_the_optimizer_may_be_left_out_again(blobs):
    net = classifier(optimizer_params={"eps": 1e-3}, weight_decay=0.1).fit(*blobs)
    net.set_params(optimizer_params=None, weight_decay=0.0).partial_fit(*blobs)
    [group] = net.net_.optimizer_.param_groups
    assert (group["eps"], group["weight_decay"]) == (1e-8, 0.0)
    net.set_params(optimizer__eps=1e-4).partial_fit(*blobs)
    assert net.net_.optimizer_.param_groups[0]["eps"] == 1e-4


@pytest.mark.parametrize(
    ("optimizer", "params"),
    [
        ("adam", {"amsgrad": True}),
        ("rmsprop", {"momentum": 0.5}),
        ("rmsprop", {"centered": True}),
        ("adagrad", {"initial_accumulator_value": 1.0}),
        (torch.optim.LBFGS, {"history_size": 3}),
    ],
)
def test_settings_that_need_a_new_state_are_refused(blobs, optimizer, params):
    net = classifier(optimizer=optimizer).fit(*blobs)
    with pytest.raises(ValueError, match="optimizer_params must stay"):
        net.set_params(optimizer_params=params).partial_fit(*blobs)
    net.set_params(warm_start=True).fit(*blobs)


def test_atoms_do_not_decay_when_the_weights_do():
    net, X, y = fitted("all of a coder")
    net.set_params(weight_decay=0.5, learning_rate=0.01).partial_fit(X, y)
    of_atoms, of_weights = net.net_.optimizer_.param_groups
    assert (of_atoms["weight_decay"], of_weights["weight_decay"]) == (0.0, 0.5)
    assert of_atoms["lr"] == pytest.approx(of_weights["lr"] / 3)


@pytest.mark.parametrize("method", METHODS)
def test_a_reconstruction_that_nothing_reads_is_refused(blobs, method):
    net = classifier(warm_start=True).fit(*blobs)
    with pytest.raises(ValueError, match="reconstruction is read with a coder"):
        getattr(net.set_params(reconstruction=0.5), method)(*blobs)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("codes first", "read with a coder that is tuned"),
        ("patch net", "not read by module"),
        ("coder: top_k", "which has no inverse_transform"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_a_reconstruction_of_codes_that_give_none_is_refused(method, name, message):
    net, X, y = fitted(name)
    with pytest.raises(ValueError, match=message):
        getattr(net.set_params(reconstruction=0.5), method)(X, y)


def test_label_smoothing_of_an_own_loss_is_refused(blobs):
    net = classifier(loss=own_loss).fit(*blobs)
    with pytest.raises(ValueError, match="label_smoothing is not read"):
        net.set_params(label_smoothing=0.1).partial_fit(*blobs)


@pytest.mark.parametrize("tune_coder", [True, False])
@pytest.mark.parametrize("structure", ["weight", "neuron"])
def test_pruned_networks_are_trained_on_with_other_parameters(structure, tune_coder):
    X, y = data_for(SparseNetClassifier)
    net = make(SparseNetClassifier, coder=dictionary(), tune_coder=tune_coder)
    net.fit(X, y).set_params(dropout=0.2, weight_decay=0.1)
    pruner = NetPruner(FrozenEstimator(net), structure=structure, fine_tune_epochs=2)
    assert pruner.fit(X, y).score(X, y) > 0.3


def test_values_are_compared_by_what_they_hold():
    def scaled(by):
        return lambda x: by * x

    same = [
        (np.nan, float("nan")),
        ([1, (2, "a")], (1, [2, "a"])),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
        (np.array(["a", None]), np.array(["a", None])),
        (scaled(2), scaled(2)),
        (partial(scaled, by=2), partial(scaled, by=2)),
        (dense(2, 2).state_dict, dense(2, 2).state_dict),
        (torch.nn.ReLU(), torch.nn.ReLU()),
        (Probe(), Probe()),
        (object(), object()),
        (dictionary(), dictionary().set_params(random_state=3)),
    ]
    other = [
        (1, 2),
        ("a", None),
        ([1], [1, 2]),
        ([1], 1),
        ({"a": 1}, {"a": 2}),
        (np.ones(2), np.ones(3)),
        (np.add, np.multiply),
        (len, sum),
        (scaled(2), scaled(3)),
        (own_loss, numbers_loss),
        (partial(scaled, by=2), partial(scaled, by=3)),
        (torch.nn.ELU(), torch.nn.ELU(0.5)),
        (torch.nn.ReLU(), torch.nn.ELU()),
        (dictionary(), dictionary(alpha=1.0)),
        (dictionary(), SparseDictionaryCoder),
        (SparseNetClassifier, SparseNetRegressor),
    ]
    torch.manual_seed(0)
    assert [pair for pair in same[:6] + same[7:] if not are_same(*pair)] == []
    assert [pair for pair in other if are_same(*pair)] == []


def test_marks_tell_fits_apart():
    X, _ = data_for(SparseNetClassifier)
    coder = dictionary().fit(X)
    pipeline = make_pipeline(StandardScaler(), coder)
    twin = pickle.loads(pickle.dumps(pipeline))
    assert mark_fitted(twin) == mark_fitted(pipeline)
    assert mark_fitted(through_skops(coder)) == mark_fitted(coder)
    assert mark_fitted(clone(coder).fit(-X[:50])) != mark_fitted(coder)


def test_what_is_added_to_steps_of_keys_stays_in_their_unit(blobs):
    X, y = blobs
    coder = SparseAttentionCoder(6, random_state=0)
    net = classifier(coder=coder).partial_fit(1000 * X, y, classes=[0, 1, 2])
    before = [group["eps"] for group in net.net_.optimizer_.param_groups]
    named = net.net_.optimizer__param_groups
    net.set_params(optimizer__eps=1e-6).partial_fit(1000 * X, y)
    after = [group["eps"] for group in net.net_.optimizer_.param_groups]
    assert_allclose(after, 100 * np.array(before))
    assert before[0] < before[-1]
    assert net.net_.optimizer__param_groups == named
