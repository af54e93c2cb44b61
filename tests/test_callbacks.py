"""Callbacks of scikit-learn, and lines of progress, on all that iterates."""

import pickle
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    RowScreener,
    ScreenedEstimator,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    SparsitySearchCV,
    TopKAutoencoder,
    TruncatedSVDReducer,
)
from sksparse_nn._callbacks import no_task
from tests.estimators import ESTIMATORS, name_of

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")

pytestmark = [
    pytest.mark.filterwarnings("ignore:n_components=:UserWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

ITERATIONS = {"epoch", "pass", "fine-tuning-epoch"}

X = np.random.default_rng(0).standard_normal((48, 16)).astype(np.float32)
Y = np.arange(48) % 2 + 1


class Recorder:
    """Record what begins and ends, and use the estimators of the ends."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls, self.fitted, self.data = [], [], []

    def setup(self, estimator, context):
        self.calls.append(("setup", "fit"))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", "fit"))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.calls.append(("begin", context.task_name))
        self.data.append((X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        self.calls.append(("end", context.task_name))
        if fitted_estimator is not None:
            self.fitted.append((context.task_name, outputs(fitted_estimator, X)))
        return self.count("end", ITERATIONS) == self.stop_after

    def count(self, what, names):
        return sum(call == what and name in names for call, name in self.calls)

    def check_order(self):
        """Every task ends behind those within it, and the fit is taken down."""
        assert self.calls[0][0] == "setup"
        assert self.calls[-1][0] == "teardown"
        is_open = []
        for call, name in self.calls[1:-1]:
            if call == "begin":
                is_open.append(name)
            else:
                assert name == is_open.pop()
        assert not is_open


class EveryLevel(Recorder):
    """Record what estimators within the estimator do too."""

    max_propagation_depth = None


def outputs(estimator, X=X):
    for name in ("predict_proba", "predict", "transform"):
        if hasattr(estimator, name):
            found = getattr(estimator, name)(X)
            return found.toarray() if sparse.issparse(found) else found
    raise AssertionError


def seeded(estimator, **parameters):
    estimator = clone(estimator).set_params(**parameters)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=0)
    return estimator


# Screeners do not iterate.
ITERATING = [e for e in ESTIMATORS if "verbose" in e.get_params(deep=False)]


@pytest.mark.parametrize("template", ITERATING, ids=name_of)
def test_each_iteration_has_a_task_and_a_line_that_change_no_bit(template, capsys):
    plain, recorder = seeded(template).fit(X, Y), Recorder()
    assert capsys.readouterr().out == ""
    watched = seeded(template).set_params(verbose=1).set_callbacks(recorder).fit(X, Y)
    recorder.check_order()
    expected = outputs(plain)
    assert_array_equal(outputs(watched), expected)
    assert_array_equal(recorder.fitted[-1][1], expected)
    for task, found in recorder.fitted:
        assert task in ITERATIONS | {"fit"}
        assert found.shape == expected.shape
    n_iterations = recorder.count("end", ITERATIONS)
    assert n_iterations >= getattr(watched, "n_iter_", 0)
    assert set(vars(watched)) == {*vars(plain), "_skl_callbacks"}
    if not isinstance(template, SparsitySearchCV):  # whose lines are scikit-learn's
        check_lines(capsys.readouterr().out, type(template).__name__, n_iterations)


def check_lines(text, name, n_iterations):
    pattern = re.compile(rf"\[{name}\] .*, \d+\.\d s")
    told = [line for line in text.splitlines() if re.search(r"\] (epoch|pass) ", line)]
    assert len(told) == n_iterations
    assert all(pattern.fullmatch(line) for line in text.splitlines())


DICTIONARY = SparseDictionaryCoder(6, algorithm="omp", max_epochs=3, random_state=0)
NET = SparseNetClassifier((6,), max_epochs=4, learning_rate=0.05, random_state=0)
PATCHES = ImagePatchCoder(
    8, image_shape=(4, 4), patch_size=2, max_epochs=3, random_state=0
)
COUNTS = [
    (DICTIONARY, "epoch", 3),
    (clone(DICTIONARY).set_params(learner=None, max_epochs=10), "epoch", 0),
    (PATCHES, "epoch", 3),
    (clone(PATCHES).set_params(learner="kmeans", max_epochs=10), "epoch", 0),
    (SparseAttentionCoder(4, max_epochs=2, random_state=0), "pass", 2),
    (TopKAutoencoder(8, max_epochs=3, random_state=0), "epoch", 3),
    (NET, "epoch", 4),
    (SparseNetRegressor((6,), max_epochs=2, random_state=0), "epoch", 2),
    (TruncatedSVDReducer(2, solver="gram"), "pass", 1),
    (TruncatedSVDReducer(2, solver="exact"), "pass", 1),
    (NetPruner(NET, n_steps=2, fine_tune_epochs=3), "fine-tuning-epoch", 6),
]


@pytest.mark.parametrize(("template", "name", "n_expected"), COUNTS)
def test_there_is_a_task_an_iteration(template, name, n_expected):
    recorder = Recorder()
    clone(template).set_callbacks(recorder).fit(X, Y)
    assert recorder.count("begin", {name}) == recorder.count("end", {name})
    assert recorder.count("end", {name}) == n_expected


def test_passes_of_krylov_are_its_passes():
    recorder = Recorder()
    reducer = TruncatedSVDReducer(2, solver="krylov", random_state=0)
    reducer.set_callbacks(recorder).fit(X)
    assert recorder.count("end", {"pass"}) == reducer.n_passes_


@pytest.mark.parametrize(
    "template",
    [DICTIONARY, PATCHES, COUNTS[4][0], TopKAutoencoder(8), NET],
    ids=name_of,
)
def test_an_epoch_ends_with_the_estimator_that_stops_there(template):
    recorder = Recorder()
    clone(template).set_params(random_state=0).set_callbacks(recorder).fit(X, Y)
    of_first = recorder.fitted[0][1]
    stopper = Recorder(stop_after=1)
    stopped = clone(template).set_params(random_state=0)
    assert stopped.set_callbacks(stopper).fit(X, Y).n_iter_ == 1
    assert_array_equal(of_first, outputs(stopped))


def test_a_net_that_is_stopped_keeps_the_best_of_all_its_epochs():
    stopper = Recorder(stop_after=3)
    net = clone(NET).set_params(early_stopping=True, max_epochs=9)
    net.set_callbacks(stopper).fit(X, Y)
    losses = net.history_["valid_loss"]
    assert len(losses) == net.n_iter_ == 3
    best = [outputs for name, outputs in stopper.fitted if name == "epoch"]
    assert_array_equal(outputs(net), best[np.argmin(losses)])


def test_sparse_samples_are_watched_too():
    wide = sparse.random(60, 300, 0.02, format="csr", dtype=np.float32, rng=0)
    y, seen = np.arange(60) % 2, []

    class Scores(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            seen.append(fitted_estimator.predict_proba(wide))

    watched = clone(NET).set_callbacks(Scores()).fit(wide, y)
    plain = clone(NET).fit(wide, y)
    assert len(seen) == 4 + 1
    for found in (watched.predict_proba(wide), *seen[-2:]):
        assert_array_equal(found, plain.predict_proba(wide))


def test_callbacks_get_the_data_that_were_given():
    weights, recorder = np.arange(48) % 3, Recorder()
    clone(NET).set_callbacks(recorder).fit(X, Y, sample_weight=weights)
    for given, y, metadata in recorder.data:
        assert given is X
        assert y is Y
        assert metadata["sample_weight"] is weights


def test_scores_are_monitored():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    net = clone(NET).set_callbacks(monitor).fit(X, Y)
    scores = [row["accuracy"] for row in monitor.get_logs().data]
    assert len(scores) == 4 + 1
    assert scores[0] == scores[-1] == net.score(X, Y)


class CtrlC(Callback):
    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


def test_an_interrupted_net_ends_its_tasks():
    recorder = Recorder()
    net = clone(NET).set_params(callbacks=[CtrlC()]).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="after 2 of 4 epochs"):
        net.fit(X, Y)
    recorder.check_order()
    names = [name for name, _ in recorder.fitted]
    assert names == ["epoch", "epoch", "fit"]


def test_an_interrupted_coder_ends_its_tasks(monkeypatch):
    recorder = Recorder()
    coder = clone(DICTIONARY).set_callbacks(recorder)
    learner = type(coder._learner())
    epochs, epoch = iter(range(9)), learner.epoch

    def interrupted(self, *args):
        epoch(self, *args)
        if next(epochs) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(learner, "epoch", interrupted)
    with pytest.warns(UserWarning, match="after 2 of 3 epochs"):
        coder.fit(X)
    recorder.check_order()
    assert [name for name, _ in recorder.fitted] == ["epoch", "epoch", "fit"]


def test_within_a_search_it_is_raised_and_taken_down():
    recorder = EveryLevel()
    net = clone(NET).set_params(callbacks=[CtrlC()])
    search = GridSearchCV(net, {"learning_rate": [0.1]}, cv=2)
    search.set_callbacks(recorder)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert recorder.calls[-1] == ("teardown", "fit")


def test_clones_share_callbacks_and_pickles_keep_them():
    coder = clone(DICTIONARY).set_callbacks(Recorder())
    assert clone(coder)._skl_callbacks is coder._skl_callbacks
    loaded = pickle.loads(pickle.dumps(coder.fit(X)))
    loaded.fit(X)
    assert loaded._skl_callbacks[0].count("end", {"epoch"}) == 2 * 3
    assert not hasattr(clone(coder).set_callbacks(), "_skl_callbacks")


PIPELINE = make_pipeline(DICTIONARY, NET)
OUTER = {
    "pipeline": PIPELINE,
    "search": GridSearchCV(PIPELINE, {"sparsenetclassifier__l1": [0, 1e-3]}, cv=2),
    "pruner of a pipeline": NetPruner(PIPELINE, fine_tune_epochs=2),
    "coder of a net": clone(NET).set_params(coder=DICTIONARY),
    "sparsity search": SparsitySearchCV(
        make_pipeline(DICTIONARY, LogisticRegression()),
        {"sparsedictionarycoder__n_nonzero_coefs": [1, 2]},
        cv=2,
    ),
}


@pytest.mark.parametrize("name", OUTER)
def test_callbacks_see_what_is_within(name):
    recorder = EveryLevel()
    plain = clone(OUTER[name]).fit(X, Y)
    watched = clone(OUTER[name]).set_callbacks(recorder).fit(X, Y)
    recorder.check_order()
    assert_array_equal(outputs(watched), outputs(plain))
    n_fits = {"search": 5, "sparsity search": 3}.get(name, 1)
    n_epochs = 3 + 4 * (name != "sparsity search")
    assert recorder.count("end", {"epoch"}) == n_fits * n_epochs


@pytest.mark.parametrize("name", ["search", "sparsity search"])
def test_progress_bars_are_drawn_with_processes_too(name, capsys):
    search = clone(OUTER[name]).set_params(n_jobs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of processes that go on in the background
        bars = callback.ProgressBar(max_propagation_depth=None)
        search.set_callbacks(bars).fit(X, Y)
    drawn = capsys.readouterr().out
    assert f"{type(search).__name__} - fit" in drawn
    assert_array_equal(outputs(search), outputs(clone(OUTER[name]).fit(X, Y)))


@pytest.mark.parametrize("template", [case[0] for case in COUNTS], ids=name_of)
def test_a_progress_bar_is_drawn(template, capsys):
    pytest.importorskip("rich", reason="draws the bars")
    clone(template).set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert f"{type(template).__name__} - fit" in capsys.readouterr().out


def test_what_has_no_callbacks_is_named_once():
    class Plain(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

    net = clone(NET).set_params(coder=Plain(), tune_coder=False)
    with pytest.warns(UserWarning, match="Plain does not support callbacks"):
        net.set_callbacks(EveryLevel()).fit(X, Y)


def test_a_fit_that_raises_is_taken_down_and_as_before():
    recorder = Recorder()
    net = clone(NET).set_params(learning_rate=1e30).set_callbacks(recorder)
    before = dict(vars(net))
    with pytest.raises(ValueError, match="Training met"):
        net.fit(X * 1e15, Y)
    assert recorder.calls[-1] == ("teardown", "fit")
    assert vars(net) == before


def test_without_callbacks_a_task_is_a_loop():
    done = []
    no_task.run(lambda: done.append(1) or len(done) == 3, 5)
    with no_task.subtask("part") as part, part.lend("fit", clone(NET)):
        done.append("part")
    assert done == [1, 1, 1, "part"]


def test_callbacks_reach_an_estimator_behind_a_screener():
    model = ScreenedEstimator(RowScreener(), clone(DICTIONARY))
    recorder = EveryLevel()
    model.set_callbacks(recorder).fit(X, Y)
    recorder.check_order()
    assert recorder.count("end", {"epoch"}) == 3
