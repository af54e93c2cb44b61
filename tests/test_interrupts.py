"""Ctrl-C: kept where the user waits for the fit, raised everywhere else."""

import pickle
import signal
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sksparse_nn import (
    ImagePatchCoder,
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    SparsitySearchCV,
    TopKAutoencoder,
)
from sksparse_nn.neural._topk_training import Training
from sksparse_nn.solvers.dictionary import LEARNERS
from sksparse_nn.solvers.simplex import Problem
from tests.estimators import NETS, name_of

X = np.random.default_rng(0).standard_normal((80, 16)).astype(np.float32)
Y = X[:, 0].astype(np.float64)


@pytest.fixture(autouse=True)
def signals_are_heard():
    # A process in the background is started deaf to them.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def targets(net):
    return (Y > 0).astype(int) if is_classifier(net) else np.exp(Y)


class CtrlC(Callback):
    """Send the signal that Ctrl-C sends, in an epoch or when it is over."""

    def __init__(self, epoch, event="on_batch_end"):
        self.epoch = epoch
        self.event = event

    def on_batch_end(self, net, **kwargs):
        self.send(net, "on_batch_end")

    def on_epoch_end(self, net, **kwargs):
        self.send(net, "on_epoch_end")

    def send(self, net, event):
        if event == self.event and len(net.history) == self.epoch:
            signal.raise_signal(signal.SIGINT)


def net(kind=SparseNetRegressor, epoch=3, event="on_batch_end", **parameters):
    return kind(
        (6,),
        max_epochs=5,
        random_state=0,
        callbacks=[CtrlC(epoch, event)],
        **parameters,
    )


@pytest.mark.parametrize("template", NETS, ids=name_of)
def test_a_fit_of_a_network_keeps_its_epochs(template):
    net = clone(template).set_params(callbacks=[CtrlC(3)], max_epochs=5, random_state=0)
    with pytest.warns(UserWarning, match="interrupted by user after 2 of 5") as caught:
        net.fit(X, targets(net))
    assert net.n_iter_ == len(net.history_["train_loss"]) == 2
    said = [w for w in caught if "interrupted" in str(w.message)]
    assert [w.filename for w in said] == [__file__]
    assert len(net.predict(X)) == len(X)


@pytest.mark.parametrize("template", NETS, ids=name_of)
@pytest.mark.parametrize("event", ["on_batch_end", "on_epoch_end"])
def test_partial_fit_of_a_network_raises(template, event):
    net, y = clone(template).set_params(random_state=0), targets(template)
    options = {"classes": [0, 1]} if is_classifier(net) else {}
    net.partial_fit(X, y, **options).partial_fit(X, y)
    twin = pickle.loads(pickle.dumps(net))
    net.set_params(callbacks=[CtrlC(3, event)])
    with pytest.raises(KeyboardInterrupt):
        net.partial_fit(X, y)
    assert net.n_iter_ == len(net.history_["train_loss"]) == 2
    net.set_params(callbacks=None).partial_fit(X, y)
    assert_array_equal(net.predict(X), twin.partial_fit(X, y).predict(X))


@pytest.mark.filterwarnings("ignore:Training has not converged")
def test_a_signal_between_epochs_counts_the_epoch():
    with pytest.warns(UserWarning, match="after 3 of 5 epochs"):
        kept = net(event="on_epoch_end").fit(X, Y)
    assert kept.n_iter_ == 3
    twin = net(epoch=99).set_params(max_epochs=3).fit(X, Y)
    assert_array_equal(kept.predict(X), twin.predict(X))


def raise_in(monkeypatch, kind, name, calls):
    """Interrupt behind so many calls of a method, of which the work is done."""
    method, n_left = getattr(kind, name), iter(range(calls, -99, -1))

    def wrapper(*args, **options):
        result = method(*args, **options)
        if next(n_left) == 1:
            signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(kind, name, wrapper)


DICTIONARY = SparseDictionaryCoder(10, max_epochs=6, random_state=0)
PATCHES = ImagePatchCoder(
    8, image_shape=(4, 4), patch_size=2, max_epochs=6, random_state=0
)
LEARNING = {
    "online": clone(DICTIONARY),
    "ksvd": clone(DICTIONARY).set_params(learner="ksvd", algorithm="omp"),
    "mod": clone(DICTIONARY).set_params(learner="mod", algorithm="omp"),
    "held out": clone(DICTIONARY).set_params(
        early_stopping=True, validation_fraction=0.2, n_iter_no_change=5
    ),
}
CODERS = {
    **{
        name: (coder, LEARNERS[coder.learner], "epoch", 3)
        for name, coder in LEARNING.items()
    },
    "patches": (PATCHES, LEARNERS["online"], "epoch", 3),
    "autoencoder": (
        TopKAutoencoder(
            12, n_nonzero_coefs=3, max_epochs=6, batch_size=40, random_state=0
        ),
        Training,
        "run_epoch",
        3,
    ),
    **{
        keys: (
            SparseAttentionCoder(6, keys=keys, max_epochs=6, random_state=0, **options),
            Problem,
            "sum_over",
            calls,
        )
        for keys, calls, options in [
            ("kmeans", 3, {}),
            ("learned", 9, {}),
            ("learned", 3, {"iterate": True}),
        ]
    },
}  # fmt: skip


def n_done(coder):
    return (
        coder.n_iter_
        if hasattr(coder, "n_iter_")
        else len(coder.history_["train_loss"])
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
@pytest.mark.parametrize("name", CODERS)
def test_a_coder_keeps_its_epochs(name, method, monkeypatch):
    template, *where = CODERS[name]
    whole = clone(template).fit(X)
    coder = clone(template)
    raise_in(monkeypatch, *where)
    with pytest.warns(UserWarning, match="interrupted by user after") as caught:
        getattr(coder, method)(X)
    monkeypatch.undo()
    said = [w for w in caught if "interrupted" in str(w.message)]
    assert [w.filename for w in said] == [__file__]
    n_kept = n_done(coder)
    assert 0 < n_kept < n_done(whole)
    assert f"{n_kept} of 6" in str(said[0].message)
    if name in {"autoencoder", "learned"}:
        return  # their epochs depend on how many there are to be
    shorter = clone(template).set_params(max_epochs=n_kept).fit(X)
    assert_array_equal(dense(coder.transform(X)), dense(shorter.transform(X)))


@pytest.mark.parametrize("scale", [1.0, 2.0**60])
def test_learning_goes_on_from_what_is_kept(scale, monkeypatch):
    template, *where = CODERS["online"]
    coder = clone(template)
    raise_in(monkeypatch, *where)
    with pytest.warns(UserWarning, match="interrupted by user after 2"):
        coder.fit(X * scale)
    monkeypatch.undo()
    shorter = clone(template).set_params(max_epochs=2).fit(X * scale)
    for one in (coder, shorter):
        one.partial_fit(X * scale)
    assert_allclose(coder.components_, shorter.components_, atol=1e-5)


def dense(codes):
    return codes.toarray() if hasattr(codes, "toarray") else codes


@pytest.mark.parametrize("name", CODERS)
def test_a_coder_without_an_epoch_raises_and_stays_as_it_was(name, monkeypatch):
    template, kind, method, _ = CODERS[name]
    coder = clone(template)
    raise_in(monkeypatch, kind, method, 1)
    with pytest.raises(KeyboardInterrupt):
        coder.fit(X)
    assert not [attribute for attribute in vars(coder) if attribute.endswith("_")]


def test_partial_fit_of_a_coder_raises_and_stays_as_it_was(monkeypatch):
    coder = clone(DICTIONARY).set_params(batch_size=20).partial_fit(X)
    twin = pickle.loads(pickle.dumps(coder))
    raise_in(monkeypatch, LEARNERS["online"], "step", 2)
    with pytest.raises(KeyboardInterrupt):
        coder.partial_fit(X)
    monkeypatch.undo()
    assert_array_equal(coder.components_, twin.components_)
    coder.partial_fit(X)
    assert_array_equal(coder.components_, twin.partial_fit(X).components_)


def test_partial_fit_of_attention_raises_and_stays_as_it_was(monkeypatch):
    coder = SparseAttentionCoder(6, random_state=0).partial_fit(X)
    twin = pickle.loads(pickle.dumps(coder))
    raise_in(monkeypatch, Problem, "sum_over", 2)
    with pytest.raises(KeyboardInterrupt):
        coder.partial_fit(X)
    monkeypatch.undo()
    assert_array_equal(coder.history_["objective"], twin.history_["objective"])
    for each in (coder, twin):
        each.partial_fit(X)
    assert_array_equal(coder.components_, twin.components_)


class Own(BaseEstimator):
    """A user's own estimator around another."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self


WITHIN = {
    "pruner": lambda net: NetPruner(net),
    "quantizer": lambda net: NetQuantizer(net),
    "factorizer": lambda net: NetFactorizer(net, rank=2),
    "pruner of a pipeline": lambda net: NetPruner(make_pipeline(StandardScaler(), net)),
    "compressor in another": lambda net: NetQuantizer(NetPruner(net)),
    "activations": lambda net: LayerActivations(net),
    "search": lambda net: GridSearchCV(net, {"learning_rate": [0.1, 0.2]}, cv=2),
    "search of a pipeline": lambda net: GridSearchCV(
        make_pipeline(StandardScaler(), net), {}, cv=2
    ),
    "outputs": MultiOutputRegressor,
    "bagging": lambda net: BaggingRegressor(net, 2),
    "transformed target": lambda net: TransformedTargetRegressor(net),
    "own": Own,
    "own, in a pipeline": lambda net: make_pipeline(StandardScaler(), Own(net)),
    "sparsity search": lambda net: SparsitySearchCV(
        make_pipeline(SparseDictionaryCoder(4, algorithm="omp", max_epochs=1), net),
        {"sparsedictionarycoder__n_nonzero_coefs": [1, 2]},
        cv=2,
    ),
}


@pytest.mark.filterwarnings("ignore:Singular matrix")
@pytest.mark.parametrize("name", WITHIN)
def test_within_another_estimator_it_is_raised(name):
    outer = WITHIN[name](net())
    before = dict(vars(outer))
    y = np.column_stack([Y, -Y]) if name == "outputs" else Y
    with pytest.raises(KeyboardInterrupt):
        outer.fit(X, y)
    if type(outer).__module__.startswith("sksparse_nn"):
        assert vars(outer) == before


def test_within_cross_validation_it_is_raised():
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(net(), X, Y, cv=2)


def test_in_fine_tuning_it_is_raised():
    pruner = NetPruner(net(epoch=6), fine_tune_epochs=3)
    with pytest.raises(KeyboardInterrupt):
        pruner.fit(X, Y)
    assert not hasattr(pruner, "estimator_")


def test_a_step_ahead_in_a_pipeline_raises(monkeypatch):
    template, *where = CODERS["online"]
    steps = {
        "pipeline": make_pipeline(clone(template), Ridge()),
        "union": FeatureUnion([("coder", clone(template))]),
        "columns": ColumnTransformer([("coder", clone(template), slice(0, 16))]),
        "union at the end": make_pipeline(
            StandardScaler(), FeatureUnion([("coder", clone(template))])
        ),
    }
    for model in steps.values():
        raise_in(monkeypatch, *where)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y)
        monkeypatch.undo()


class Subclass(SparseNetRegressor):
    def fit(self, X, y, **options):
        return super().fit(X, y, **options)


@pytest.mark.parametrize(
    "around",
    [
        lambda net: make_pipeline(StandardScaler(), net),
        lambda net: make_pipeline(
            StandardScaler(), make_pipeline(StandardScaler(), net)
        ),
        lambda net: Subclass(**net.get_params(deep=False)),
    ],
    ids=["pipeline", "pipeline in a pipeline", "subclass"],
)
def test_a_pipeline_that_ends_in_a_network_keeps_it(around):
    model = around(net())
    with pytest.warns(UserWarning, match="interrupted by user") as caught:
        model.fit(X, Y)
    assert [w.filename for w in caught] == [__file__]
    assert len(model.predict(X)) == len(X)


def test_a_pipeline_that_ends_in_a_coder_keeps_it(monkeypatch):
    template, *where = CODERS["online"]
    model = make_pipeline(StandardScaler(), clone(template))
    raise_in(monkeypatch, *where)
    with pytest.warns(UserWarning, match="interrupted by user"):
        codes = model.fit_transform(X)
    assert codes.shape == (80, 10)


def test_a_callback_that_stops_is_heard_in_partial_fit_too():
    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    stopped = SparseNetClassifier(callbacks=[Stop], max_epochs=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped.fit(X, Y > 0)
        stopped.partial_fit(X, Y > 0)
    assert stopped.n_iter_ == 2
