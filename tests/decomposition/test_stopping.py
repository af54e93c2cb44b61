"""When learning ends before its last epoch, and who is told of each epoch."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits

from sksparse_nn import SparseDictionaryCoder
from sksparse_nn.decomposition import _dictionary_learning as dictionary_learning


@pytest.fixture(scope="module")
def digits():
    return load_digits().data.astype(np.float32)


def coder(**settings):
    return SparseDictionaryCoder(
        30,
        algorithm="omp",
        max_epochs=100,
        early_stopping=True,
        random_state=0,
        **settings,
    )


@pytest.mark.parametrize("fraction", [None, 0.2])
@pytest.mark.parametrize("learner", ["online", "ksvd", "mod"])
def test_learning_stops_once_the_objective_no_longer_falls(digits, learner, fraction):
    stopped = coder(learner=learner, validation_fraction=fraction, tol=0.01)
    stopped.fit(digits)
    assert stopped.n_iter_ < 40
    name = "objective" if fraction is None else "validation_objective"
    values = stopped.history_[name]
    assert values[-3:].min() > 0.99 * values[:-3].min()


def test_a_smaller_tolerance_learns_longer(digits):
    short, long = (coder(tol=tol).fit(digits).n_iter_ for tol in (0.03, 0.001))
    assert short < long


def test_the_held_out_objective_is_that_of_rows_not_learnt_from(digits):
    fitted = coder(validation_fraction=0.2).set_params(max_epochs=3)
    history = fitted.fit(digits).history_
    assert np.all(np.isfinite(history["validation_objective"]))
    assert fitted.usage_.sum() <= 6 * round(0.8 * len(digits))
    plain = SparseDictionaryCoder(30, max_epochs=2, random_state=0).fit(digits)
    assert np.all(np.isnan(plain.history_["validation_objective"]))


def test_equal_rows_are_held_out_together(digits, monkeypatch):
    found, plain = [], dictionary_learning.hold_out

    def watched(X, *given, **options):
        parts = plain(X, *given, **options)
        found.append([{tuple(row) for row in X[part]} for part in parts])
        return parts

    monkeypatch.setattr(dictionary_learning, "hold_out", watched)
    coder(validation_fraction=0.2).set_params(max_epochs=1).fit(
        np.tile(digits[:100], (5, 1))
    )
    ((learnt, held),) = found
    assert learnt
    assert held
    assert not learnt & held


def test_holding_out_every_row_says_so(digits):
    with pytest.raises(ValueError, match="two different rows"):
        coder(validation_fraction=0.5).fit(digits[:1])


class Recorder:
    """A callback of scikit-learn that counts, and stops after some epochs."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls = []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.calls.append(f"end {context.task_name}")
        self.fitted_estimator = fitted_estimator
        return self.calls.count("end epoch") == self.stop_after


@pytest.fixture
def with_recorder():
    pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
    return lambda recorder, **settings: SparseDictionaryCoder(
        20, random_state=0, **{"max_epochs": 5} | settings
    ).set_callbacks(recorder)


def test_callbacks_are_told_of_each_epoch(digits, with_recorder):
    recorder = Recorder()
    fitted = with_recorder(recorder).fit(digits)
    epochs = ["begin epoch", "end epoch"] * 5
    assert recorder.calls == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert_array_equal(recorder.fitted_estimator.components_, fitted.components_)
    assert recorder.fitted_estimator.transform(digits[:5]).shape == (5, 20)


def test_a_callback_can_stop(digits, with_recorder):
    assert with_recorder(Recorder(stop_after=2)).fit(digits).n_iter_ == 2


def test_callbacks_are_taken_down_when_a_fit_fails(digits, with_recorder):
    recorder = Recorder()
    failing = with_recorder(recorder, algorithm="lasso", learner="ksvd")
    before = set(vars(failing))
    with pytest.raises(ValueError, match="learners"):
        failing.fit(digits)
    assert recorder.calls[-1] == "teardown"
    assert set(vars(failing)) == before


def test_callbacks_of_a_coder_that_learns_nothing_are_set_up_and_taken_down(
    digits, with_recorder
):
    recorder = Recorder()
    kept = {"learner": None, "init": np.eye(20, 64), "max_epochs": 10}
    with_recorder(recorder, **kept).fit(digits)
    assert recorder.calls[0] == "setup"
    assert recorder.calls[-1] == "teardown"


def test_callbacks_change_nothing(digits, with_recorder):
    fitted = with_recorder(Recorder())
    plain = clone(fitted).set_callbacks().fit(digits)
    assert_array_equal(fitted.fit(digits).components_, plain.components_)
