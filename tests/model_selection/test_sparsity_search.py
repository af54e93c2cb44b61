"""A search with one dictionary a fold against the search that learns each anew."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sksparse_nn import SparseDictionaryCoder, SparsitySearchCV

STEP = "sparsedictionarycoder"


LEARNT = []


class Counting(SparseDictionaryCoder):
    """A coder that leaves a trace where it learns."""

    def fit(self, X, y=None, sample_weight=None):
        LEARNT.append(self.n_nonzero_coefs)
        return super().fit(X, y, sample_weight)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


def pipeline_of(**settings):
    coder = SparseDictionaryCoder(24, algorithm="omp", max_epochs=2, random_state=0)
    head = LogisticRegression(max_iter=3000)
    return make_pipeline(MaxAbsScaler(), coder.set_params(**settings), head)


def scores_of(search):
    return {
        name: values
        for name, values in search.cv_results_.items()
        if "time" not in name and name != "params"
    }


def assert_same_results(ours, theirs):
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    expected = scores_of(theirs)
    for name, values in scores_of(ours).items():
        assert_array_equal(values, expected[name], err_msg=name)
    assert ours.best_params_ == theirs.best_params_


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_given_dictionary_gives_the_results_of_grid_search(digits, n_jobs):
    D = SparseDictionaryCoder(24, random_state=0).fit(digits[0]).components_
    pipeline = pipeline_of(n_components=None, learner=None, init=D, max_epochs=10)
    grid = {
        f"{STEP}__n_nonzero_coefs": [1, 3, 6],
        "logisticregression__C": [0.1, 10],
    }
    searches = (
        kind(pipeline, grid, cv=3, n_jobs=n_jobs, return_train_score=True)
        for kind in (SparsitySearchCV, GridSearchCV)
    )
    ours, theirs = (search.fit(*digits) for search in searches)
    assert_same_results(ours, theirs)
    assert_array_equal(ours.predict(digits[0]), theirs.predict(digits[0]))


def test_thresholds_give_the_results_of_grid_search(digits):
    pipeline = pipeline_of(algorithm="soft_threshold")
    grid = [{f"{STEP}__alpha": [0.1, 0.5]}, {f"{STEP}__alpha": [1.0]}]
    searches = (
        kind(pipeline, grid, cv=2, scoring=["accuracy", "f1_macro"], refit="f1_macro")
        for kind in (SparsitySearchCV, GridSearchCV)
    )
    ours, theirs = (search.fit(*digits) for search in searches)
    assert_same_results(ours, theirs)


def test_a_dictionary_is_learnt_once_a_fold(digits):
    LEARNT.clear()
    pipeline = pipeline_of()
    coder = pipeline[STEP]
    pipeline.set_params(**{STEP: Counting(**coder.get_params())})
    grid = {f"{STEP}__n_nonzero_coefs": [1, 3, 6]}
    SparsitySearchCV(pipeline, grid, cv=3).fit(*digits)
    assert LEARNT == [6] * 4


def test_weights_reach_the_coder(digits):
    weights = np.random.default_rng(0).integers(1, 3, 300)
    D = SparseDictionaryCoder(24, random_state=0).fit(digits[0]).components_
    grid = {f"{STEP}__n_nonzero_coefs": [1, 3]}
    pipeline = pipeline_of(n_components=None, learner=None, init=D, max_epochs=10)
    ours, theirs = (
        kind(pipeline, grid, cv=2, error_score="raise").fit(
            *digits, **{f"{STEP}__sample_weight": weights}
        )
        for kind in (SparsitySearchCV, GridSearchCV)
    )
    assert_same_results(ours, theirs)


@pytest.mark.parametrize("values", [[None, 2], [0]])
def test_values_that_name_no_sparsity_say_so(digits, values):
    grid = {f"{STEP}__n_nonzero_coefs": values}
    with pytest.raises(ValueError, match="must be numbers of at least 1"):
        SparsitySearchCV(pipeline_of(), grid).fit(*digits)


@pytest.mark.filterwarnings("ignore:[\\s\\S]*fits failed")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_value_out_of_range_scores_nothing(digits):
    grid = {f"{STEP}__n_nonzero_coefs": [0, 4]}
    search = SparsitySearchCV(pipeline_of(), grid, cv=2).fit(*digits)
    assert search.best_params_ == {f"{STEP}__n_nonzero_coefs": 4}


def test_the_best_pipeline_is_made_of_plain_steps(digits):
    grid = {f"{STEP}__n_nonzero_coefs": [1, 4]}
    search = SparsitySearchCV(pipeline_of(), grid, cv=2).fit(*digits)
    best = search.best_estimator_
    assert isinstance(best[STEP], SparseDictionaryCoder)
    assert best[STEP].n_nonzero_coefs == 4
    assert search.score(*digits) == best.score(*digits)
    assert clone(best).fit(*digits).score(*digits) > 0.8


def test_learning_at_each_sparsity_is_approximated(digits):
    grid = {f"{STEP}__n_nonzero_coefs": [2, 6]}
    ours, theirs = (
        kind(pipeline_of(), grid, cv=3).fit(*digits)
        for kind in (SparsitySearchCV, GridSearchCV)
    )
    assert_allclose(
        ours.cv_results_["mean_test_score"],
        theirs.cv_results_["mean_test_score"],
        atol=0.1,
    )
    best = np.argmax(ours.cv_results_["mean_test_score"])
    assert ours.cv_results_["split0_test_score"][best] == pytest.approx(
        theirs.cv_results_["split0_test_score"][best]
    )


@pytest.mark.parametrize(
    ("estimator", "grid", "message"),
    [
        (LogisticRegression(), {"C": [1]}, "Pipeline with one SparseDictionaryCoder"),
        (pipeline_of(), {f"{STEP}__alpha": [1]}, f"must have {STEP}__n_nonzero_coefs"),
        (pipeline_of(algorithm="triangle"), {}, "no parameter of sparsity"),
        (
            pipeline_of(),
            [{f"{STEP}__n_nonzero_coefs": [1]}, {f"{STEP}__algorithm": ["lasso"]}],
            f"Got one of \\['{STEP}__algorithm'\\]",
        ),
    ],
)
def test_what_cannot_be_searched_says_so(digits, estimator, grid, message):
    with pytest.raises(ValueError, match=message):
        SparsitySearchCV(estimator, grid).fit(*digits)


def test_grids_may_be_of_different_algorithms(digits):
    grid = [
        {f"{STEP}__algorithm": ["omp", "top_k"], f"{STEP}__n_nonzero_coefs": [2, 6]},
        {f"{STEP}__algorithm": ["lasso"], f"{STEP}__alpha": [0.1, 0.5]},
    ]
    pipeline = pipeline_of(algorithm="lasso")
    search = SparsitySearchCV(pipeline, grid, cv=2, error_score="raise").fit(*digits)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_estimator_.get_params()[STEP].algorithm in ("omp", "lasso")
    assert set(search.best_params_) in [set(one) for one in grid]


def test_groups_are_for_the_splits(digits):
    X, y = digits
    given = {"param_grid": {f"{STEP}__n_nonzero_coefs": [2, 3]}, "cv": GroupKFold(2)}
    groups = np.arange(len(X)) % 4
    D = SparseDictionaryCoder(24, random_state=0).fit(X).components_
    pipeline = pipeline_of(init=D, learner=None, max_epochs=10)
    ours, theirs = (
        kind(pipeline, **given).fit(X, y, groups=groups)
        for kind in (SparsitySearchCV, GridSearchCV)
    )
    assert_same_results(ours, theirs)


@pytest.mark.parametrize("scoring", [["accuracy"], ("accuracy",), {"a": "accuracy"}])
def test_several_metrics_want_the_name_of_one(digits, scoring):
    grid = {f"{STEP}__n_nonzero_coefs": [2]}
    search = SparsitySearchCV(pipeline_of(), grid, scoring=scoring)
    with pytest.raises(ValueError, match="refit must be the name of the metric"):
        search.fit(*digits)
