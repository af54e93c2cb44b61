"""Estimators say what they could not do, once, and how far they are, if asked."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sksparse_nn import (
    ImagePatchCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
    compression_report,
)
from sksparse_nn.inspection import deletion_curves, stability
from sksparse_nn.solvers.coding import CODERS
from sksparse_nn.solvers.patches import ENCODERS
from tests.estimators import ACTIVATIONS, COMPRESSORS, TRANSFORMERS, name_of

FITS = ["fit", "fit_transform"]


@pytest.fixture(scope="module", name="X")
def rows():
    rng = np.random.default_rng(0)
    return rng.standard_normal((60, 12)) @ rng.standard_normal((12, 12))


def dense(codes):
    return codes.toarray() if sparse.issparse(codes) else np.asarray(codes)


def reads(estimator, parameter):
    """Tell whether the algorithm of a transformer reads a parameter."""
    parameters = estimator.get_params()
    if "algorithm" in parameters:
        choices = ENCODERS if isinstance(estimator, ImagePatchCoder) else CODERS
        return parameter in choices.parameters(parameters["algorithm"])
    return parameter in parameters


def readers_of(parameter):
    able = [estimator for estimator in TRANSFORMERS if reads(estimator, parameter)]
    return pytest.mark.parametrize("estimator", able, ids=name_of)


def seeded(estimator, **parameters):
    return clone(estimator).set_params(random_state=0, **parameters)


def the_one_warning(call, *given):
    with pytest.warns(UserWarning, match="lower") as caught:
        call(*given)
    told = [str(warning.message) for warning in caught]
    [text] = [text for text in told if "not at the optimum" not in text]
    return text


@pytest.mark.filterwarnings("ignore:.*not at the optimum:UserWarning")
@pytest.mark.parametrize("method", FITS)
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_more_components_than_the_data_hold_are_told_once(estimator, method, X):
    asking = seeded(estimator, n_components=900)
    text = the_one_warning(getattr(asking, method), X)
    assert re.match(r"n_components=900 .*is more than .*\d+.* lower n_components", text)


@readers_of("n_nonzero_coefs")
@pytest.mark.parametrize("method", FITS)
def test_more_nonzeros_than_there_can_be_are_told_once(estimator, method, X):
    asking = seeded(estimator, n_components=8, n_nonzero_coefs=20)
    text = the_one_warning(getattr(asking, method), X)
    assert re.match(r"n_nonzero_coefs=20 is more than .*There are \d at most", text)


@readers_of("alpha")
@pytest.mark.parametrize("method", [*FITS, "transform"])
def test_an_alpha_that_leaves_nothing_is_told_once(estimator, method, X):
    asking = seeded(estimator, n_components=8)
    if method == "transform":
        asking.fit(X)
    if hasattr(asking, "n_active"):
        asking.set_params(n_active=None)  # which would determine alpha
    asking.set_params(alpha=1e6)
    text = the_one_warning(getattr(asking, method), X)
    pattern = r"alpha=1e\+06 is too large: .* is below ([\d.e+-]+); lower alpha\."
    largest = float(re.fullmatch(pattern, text)[1])
    if method != "fit_transform":  # whose atoms are learnt with this alpha
        asking = asking if hasattr(asking, "components_") else asking.fit(X)
        assert np.any(dense(asking.set_params(alpha=0.99 * largest).transform(X)))


@readers_of("alpha")
def test_rows_of_zeros_have_codes_of_zeros_without_a_word(estimator, X):
    fitted = seeded(estimator, n_components=8).fit(X)
    assert not np.any(dense(fitted.transform(np.zeros_like(X))))


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_progress_is_printed_where_wanted_and_changes_no_bit(estimator, X, capsys):
    quiet = seeded(estimator).fit_transform(X)
    assert capsys.readouterr().out == ""
    loud = seeded(estimator, verbose=1)
    assert_array_equal(dense(loud.fit_transform(X)), dense(quiet))
    lines = capsys.readouterr().out.splitlines()
    assert lines
    pattern = rf"\[{type(estimator).__name__}\] .*, \d+\.\d s"
    assert all(re.fullmatch(pattern, line) for line in lines)


WRAPPERS = [*COMPRESSORS, *ACTIVATIONS]


@pytest.mark.parametrize("estimator", WRAPPERS, ids=name_of)
def test_wrappers_print_progress_where_wanted(estimator, X, capsys):
    y = (np.arange(len(X)) % 2) + 1
    quiet = clone(estimator).fit(X, y)
    assert capsys.readouterr().out == ""
    loud = clone(estimator).set_params(verbose=1).fit(X, y)
    assert f"[{type(estimator).__name__}] fitted" in capsys.readouterr().out
    method = "predict" if hasattr(quiet, "predict") else "transform"
    assert_array_equal(*(getattr(fitted, method)(X) for fitted in (quiet, loud)))


@pytest.fixture(scope="module")
def model(X):
    net = SparseNetClassifier((4,), max_epochs=2, random_state=0)
    return make_pipeline(TruncatedSVDReducer(4), net).fit(X, np.arange(len(X)) % 2)


FUNCTIONS = {
    "compression_report": lambda model, X, y, **options: compression_report(
        {"net": model}, X, y, **options
    ),
    "deletion_curves": lambda model, X, y, **options: deletion_curves(
        model, X, y, n_random=1, tol=0.1, **options
    ),
    "stability": lambda model, X, y, **options: stability(
        SparseDictionaryCoder(4), X, n_fits=2, **options
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_print_progress_where_wanted(name, model, X, capsys):
    y = np.arange(len(X)) % 2
    FUNCTIONS[name](model, X, y)
    assert capsys.readouterr().out == ""
    FUNCTIONS[name](model, X, y, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(re.fullmatch(rf"\[{name}\] .*, \d+\.\d s", line) for line in lines)
