"""Rows that lie do not reach the first step of a pipeline, which would trust them."""

import inspect
import warnings

import matplotlib
import numpy as np
import pytest
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

import sksparse_nn
from sksparse_nn import (
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparsitySearchCV,
    compression_report,
    inspection,
)
from sksparse_nn._structure import check_structure

matplotlib.use("Agg")
N_ROWS, N_FEATURES = 40, 12


class Trusting(MaxAbsScaler):
    """Stands for steps that read beyond the data; fails where it would."""

    def fit(self, X, y=None):
        _fail_on_lies(X)
        return super().fit(X, y)

    def transform(self, X):
        _fail_on_lies(X)
        return super().transform(X)


def _fail_on_lies(X):
    try:
        check_structure(X)
    except ValueError as error:
        raise AssertionError("The first step was given rows that lie.") from error


def clean():
    rng = np.random.default_rng(0)
    X = rng.random((N_ROWS, N_FEATURES))
    X[X < 0.4] = 0
    return sparse.csr_matrix(X), np.arange(N_ROWS) % 2


def index_beyond(X):
    X.indices[7] = 10**6


def falling(X):
    X.indptr[4] = X.indptr[6] + 1


FAULTS = {index_beyond: "indices must be from 0 to", falling: "indptr must not fall"}


def spoilt(fault):
    X, _ = clean()
    fault(X)
    return X


def coder():
    return SparseDictionaryCoder(
        6, algorithm="omp", n_nonzero_coefs=2, max_epochs=1, random_state=0
    )


def model():
    net = SparseNetClassifier((8,), max_epochs=2, random_state=0)
    return make_pipeline(Trusting(), coder(), net)


@pytest.fixture(scope="module")
def fitted():
    return quietly(model().fit, *clean())


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def _coder_of_layer(fitted):
    inner = LayerActivations(FrozenEstimator(fitted)).fit(clean()[0])
    return coder().fit(inner.transform(clean()[0]))


# What takes a fitted model, or its transformers, and rows.
READERS = {
    "attribute": lambda m, X, y, _: inspection.attribute(m, X),
    "deletion_curves": lambda m, X, y, _: inspection.deletion_curves(m, X, y),
    "report": lambda m, X, y, folder: inspection.report(m, X, y, folder / "page.html"),
    "loss_recovered": lambda m, X, y, _: inspection.loss_recovered(
        m, _coder_of_layer(m), X, y
    ),
    "steer": lambda m, X, y, _: inspection.steer(m, _coder_of_layer(m), X, atoms=0),
    "compression_report": lambda m, X, y, _: compression_report({"m": m}, X, y),
    "atom_table": lambda m, X, y, _: inspection.atom_table(m[:-1], X),
    "stability": lambda m, X, y, _: inspection.stability(m[:-1], X, n_fits=2),
    "AtomCardDisplay": lambda m, X, y, _: inspection.AtomCardDisplay.from_estimator(
        m[:-1], X, atom=0
    ),
    "AttributionDisplay": lambda m, X, y, _: (
        inspection.AttributionDisplay.from_estimator(m, X, row=0)
    ),
    "CodeUsageDisplay": lambda m, X, y, _: inspection.CodeUsageDisplay.from_estimator(
        m[:-1], X
    ),
    "DeletionCurvesDisplay": lambda m, X, y, _: (
        inspection.DeletionCurvesDisplay.from_estimator(m, X, y)
    ),
    "FeatureMapsDisplay": lambda m, X, y, _: (
        inspection.FeatureMapsDisplay.from_estimator(m[:-1], X)
    ),
    "ReconstructionDisplay": lambda m, X, y, _: (
        inspection.ReconstructionDisplay.from_estimator(m[:-1], X)
    ),
    "SparsityPathDisplay": lambda m, X, y, _: (
        inspection.SparsityPathDisplay.from_estimator(m, X)
    ),
}

# No model stands ahead of what these are given.
OF_ROWS_ALONE = {"explained_variance", "sparse_encode", "sparsity_path"}


def takers_of_rows():
    for home in (sksparse_nn, inspection):
        for name in home.__all__:
            thing = getattr(home, name)
            call = getattr(thing, "from_estimator", thing)
            if not hasattr(thing, "fit") and "X" in inspect.signature(call).parameters:
                yield name


def test_every_public_function_of_a_model_and_rows_is_in_the_table():
    assert set(takers_of_rows()) == READERS.keys() | OF_ROWS_ALONE


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", READERS)
def test_no_function_hands_rows_that_lie_to_the_first_step(
    name, fault, fitted, tmp_path
):
    with pytest.raises(ValueError, match=f"X must be a valid.*{FAULTS[fault]}"):
        quietly(READERS[name], fitted, spoilt(fault), clean()[1], tmp_path)


AROUND = {
    "pruner": lambda: NetPruner(model(), amount=0.5),
    "quantizer": lambda: NetQuantizer(model()),
    "factorizer": lambda: NetFactorizer(model(), rank=2),
    "nested": lambda: NetQuantizer(NetPruner(model(), amount=0.5)),
    "around a search": lambda: NetPruner(
        GridSearchCV(model(), {"sparsenetclassifier__l1": [0.0]}, cv=2)
    ),
    "activations": lambda: LayerActivations(model()),
    "search": lambda: SparsitySearchCV(
        model(), {"sparsedictionarycoder__n_nonzero_coefs": [1, 2]}, cv=2
    ),
    "search of transformers": lambda: SparsitySearchCV(
        make_pipeline(Trusting(), coder()),
        {"sparsedictionarycoder__n_nonzero_coefs": [1, 2]},
        cv=2,
        scoring=lambda *_: 0.0,
    ),
}
ANSWERS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
ANSWERS += ["transform", "score_samples"]


@pytest.fixture(scope="module")
def fitted_around():
    known = {}

    def fitted(name):
        if name not in known:
            known[name] = quietly(AROUND[name]().fit, *clean())
        return known[name]

    return fitted


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", AROUND)
def test_what_is_around_a_pipeline_is_not_fitted_to_rows_that_lie(name, fault):
    with pytest.raises(ValueError, match=f"X must be a valid.*{FAULTS[fault]}"):
        quietly(AROUND[name]().fit, spoilt(fault), clean()[1])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", AROUND)
def test_what_is_around_a_pipeline_answers_no_rows_that_lie(name, fault, fitted_around):
    estimator, n_asked = fitted_around(name), 0
    for answer in filter(lambda answer: hasattr(estimator, answer), ANSWERS):
        with pytest.raises(ValueError, match=f"X must be a valid.*{FAULTS[fault]}"):
            getattr(estimator, answer)(spoilt(fault))
        n_asked += 1
    assert n_asked
    if hasattr(estimator, "score"):
        with pytest.raises(ValueError, match=f"X must be a valid.*{FAULTS[fault]}"):
            estimator.score(spoilt(fault), clean()[1])


def test_codes_that_lie_are_not_made_rows_by_a_search(fitted_around):
    codes = fitted_around("search of transformers").transform(clean()[0])
    codes.indices[0] = 10**6
    with pytest.raises(ValueError, match="X must be a valid sparse matrix"):
        fitted_around("search of transformers").inverse_transform(codes)


@pytest.mark.parametrize("name", ["search", "search of transformers"])
def test_a_search_answers_as_its_best_pipeline_does(name, fitted_around):
    search, X = fitted_around(name), clean()[0]
    for answer in ANSWERS:
        assert hasattr(search, answer) == hasattr(search.best_estimator_, answer)
        if hasattr(search, answer):
            found = getattr(search, answer)(X=X)
            expected = getattr(search.best_estimator_, answer)(X)
            assert (found != expected).sum() == 0


def test_rows_to_learn_from_are_looked_at_ahead_of_a_comparison():
    lying = (spoilt(index_beyond), clean()[1])
    with pytest.raises(ValueError, match="fit_on must be a valid sparse matrix"):
        compression_report({"m": model()}, *clean(), fit_on=lying)


def labels_that_lie():
    labels = sparse.csr_matrix(np.random.default_rng(0).integers(0, 2, (N_ROWS, 3)))
    labels.indices[3] = 10**6
    return labels


@pytest.mark.parametrize("around", [None, NetQuantizer])
def test_no_score_is_of_labels_that_lie(around):
    labels = np.random.default_rng(0).integers(0, 2, (N_ROWS, 3))
    net = SparseNetClassifier((8,), max_epochs=1, random_state=0)
    net = quietly((around(net) if around else net).fit, clean()[0], labels)
    with pytest.raises(ValueError, match=r"^y must be a valid sparse matrix"):
        net.score(clean()[0], labels_that_lie())


def test_atoms_are_not_compared_with_labels_that_lie():
    codes = np.random.default_rng(0).random((N_ROWS, 4))
    with pytest.raises(ValueError, match=r"^y must be a valid sparse matrix"):
        inspection.class_profile(codes, labels_that_lie())


@pytest.mark.parametrize("read", [inspection.top_samples, inspection.dead_atoms])
def test_codes_that_lie_are_not_read(read):
    with pytest.raises(ValueError, match=r"^codes must be a valid sparse matrix"):
        read(spoilt(index_beyond))


def test_atoms_that_lie_are_not_compared():
    with pytest.raises(ValueError, match=r"^components must be a valid sparse matrix"):
        inspection.mutual_coherence(spoilt(index_beyond))
