"""Sparse matrices whose indices lie are refused by all estimators, in words."""

import re
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import sparse_encode
from sksparse_nn._validation import check_structure
from tests.estimators import ESTIMATORS, name_of
from tests.neural.instances import NETS

N_ROWS, N_FEATURES = 30, 12
ONE_OF_EACH = list({type(estimator): estimator for estimator in ESTIMATORS}.values())


def clean():
    rng = np.random.default_rng(0)
    X = rng.random((N_ROWS, N_FEATURES))
    X[X < 0.4] = 0
    return X, rng.integers(0, 2, N_ROWS)


def index_beyond(X):
    X.indices[7] = 10**6


def index_below(X):
    X.indices[7] = -3


def falling(X):
    X.indptr[4] = X.indptr[6] + 1


def late_start(X):
    X.indptr[0] = 2


def too_few_pointers(X):
    X.indptr = X.indptr[:-2]


def too_few_values(X):
    X.data = X.data[:-3]


def end_beyond(X):
    X.indptr[-1] += 5


FALSE = {
    index_beyond: "indices must be from 0 to .* Got 1000000",
    index_below: "indices must be from 0 to .* Got -3",
    falling: "indptr must not fall",
    late_start: "indptr must begin with 0. Got 2",
    too_few_pointers: "indptr must have .* entries",
    too_few_values: "indptr must end at the number of indices and of values",
    end_beyond: "indptr must end at the number of indices and of values",
}


def spoilt(X, fault, form="csr"):
    X = sparse.csr_matrix(X).asformat(form)
    fault(X)
    return X


@pytest.mark.parametrize("fault", [index_beyond, falling, too_few_values])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_no_estimator_is_fitted_to_rows_that_lie(estimator, fault):
    X, y = clean()
    with pytest.raises(ValueError, match=f"^X must be a valid.*{FALSE[fault]}"):
        clone(estimator).fit(spoilt(X, fault), y)


@pytest.mark.parametrize("fault", [index_beyond, falling])
@pytest.mark.parametrize("estimator", ONE_OF_EACH, ids=name_of)
def test_no_fitted_estimator_answers_rows_that_lie(estimator, fault, fitted_to):
    estimator = fitted_to(estimator)
    answers = ["transform", "predict", "predict_proba", "decision_function"]
    for name in filter(lambda name: hasattr(estimator, name), answers):
        with pytest.raises(ValueError, match=FALSE[fault]):
            getattr(estimator, name)(spoilt(clean()[0], fault))


@pytest.fixture(scope="module")
def fitted_to():
    known = {}

    def fitted(estimator):
        name = name_of(estimator)
        if name not in known:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                known[name] = clone(estimator).fit(*clean())
        return known[name]

    return fitted


@pytest.mark.parametrize("estimator", ONE_OF_EACH, ids=name_of)
def test_no_codes_that_lie_are_made_rows(estimator, fitted_to):
    if not hasattr(estimator, "inverse_transform"):
        return
    estimator = fitted_to(estimator)
    codes = sparse.csr_matrix(estimator.transform(clean()[0]))
    codes.indices[0] = 10**6
    with pytest.raises((ValueError, TypeError), match=r"indices must be|[Ss]parse"):
        estimator.inverse_transform(codes)


@pytest.mark.parametrize("net", NETS, ids=name_of)
def test_no_network_learns_labels_that_lie(net):
    if not hasattr(net, "classes_") and "Classifier" not in type(net).__name__:
        return
    X, y = clean()
    labels = sparse.csr_matrix(np.stack([y, 1 - y], axis=1))
    labels.indices[3] = 10**6
    with pytest.raises(ValueError, match=r"^y must be a valid sparse matrix"):
        clone(net).fit(X, labels)


def test_a_given_dictionary_is_not_read_by_rows_that_lie():
    X, _ = clean()
    with pytest.raises(ValueError, match="X must be a valid sparse matrix"):
        sparse_encode(spoilt(X, index_beyond), X[:5], alpha=0.1)


@pytest.mark.parametrize("form", ["csr", "csc", "bsr"])
@pytest.mark.parametrize("fault", FALSE, ids=lambda fault: fault.__name__)
def test_every_compressed_form_is_looked_at(fault, form):
    X = spoilt(clean()[0], fault, form)
    with pytest.raises(ValueError, match=f"in {form.upper()} form. {FALSE[fault]}"):
        check_structure(X)


@pytest.mark.parametrize(("axis", "index"), [("row", 40), ("col", 12), ("col", -1)])
def test_coordinates_are_looked_at(axis, index):
    X = sparse.coo_matrix(clean()[0])
    getattr(X, axis)[5] = index
    match = re.escape(f"{axis} must be from 0 to") + f".*Got {index}"
    with pytest.raises(ValueError, match=match):
        check_structure(X)


def test_lists_are_looked_at():
    X = sparse.lil_matrix(clean()[0])
    X.rows[5][1] = 12
    with pytest.raises(ValueError, match=r"rows must be from 0 to 11\. Got 12"):
        check_structure(X)
    X = sparse.lil_matrix(clean()[0])
    del X.data[5][1]
    with pytest.raises(ValueError, match="as many columns as values in each row"):
        check_structure(X)


@pytest.mark.parametrize("form", ["csr", "csc", "bsr", "coo", "lil", "dok", "dia"])
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (3, 4)])
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_true_matrices_pass(kind, form, shape):
    check_structure(kind(shape).asformat(form))
    check_structure(kind(np.eye(3)).asformat(form))
    check_structure(np.eye(3))
