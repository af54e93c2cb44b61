"""Cells near the largest number are coded, or refused in words, without noise."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import SparseDictionaryCoder, sparse_encode, sparsity_path
from sksparse_nn.solvers.coding import CODERS
from tests.decomposition.coders import SPARSE_CODERS
from tests.estimators import name_of

HUGE = [1e200, 1e300, 1.79e308]
LEARNING = [coder for coder in SPARSE_CODERS if coder.learner is not None]


def cells():
    X = np.random.default_rng(0).uniform(-1, 1, (40, 12))
    X[np.abs(X) < 0.3] = 0
    X[3, 2] = 1
    return X


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("scale", HUGE)
@pytest.mark.parametrize("coder", LEARNING, ids=name_of)
def test_no_dictionary_is_learnt_where_squares_overflow(coder, scale, wrapped):
    X, coder = wrapped(cells() * scale), clone(coder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"largest magnitude is .*1e\+140. Got"):
            coder.fit(X)
    assert not hasattr(coder, "components_")


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("algorithm", CODERS)
def test_a_given_dictionary_codes_huge_rows_as_it_codes_others(algorithm, wrapped):
    X, D = cells(), cells()[:6]
    coder = SparseDictionaryCoder(algorithm=algorithm, learner=None, init=D)
    if algorithm == "triangle":  # which tells distances, not shares
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes = coder.fit_transform(wrapped(X))
        huge = clone(coder).fit(wrapped(X * 2.0**900))
        scaled = huge.transform(wrapped(X * 2.0**900))
    assert_allclose(scaled.toarray() / 2.0**900, codes.toarray(), atol=1e-12)
    assert np.isfinite(huge.alpha_)


@pytest.mark.parametrize("algorithm", CODERS)
def test_codes_that_are_no_numbers_are_an_error(algorithm):
    X, D = np.full((5, 12), 1.7e308), cells()[:6]
    needed = {"alpha": 1e300} if "alpha" in CODERS.parameters(algorithm) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="scale X"):
            sparse_encode(X, D, algorithm=algorithm, **needed)
        if CODERS[algorithm].sparsity is not None:
            with pytest.raises(ValueError, match="scale X"):
                sparsity_path(X, D, algorithm=algorithm, values=[1, 2])


@pytest.mark.parametrize("scale", [1e-150, 1e-200, 1e-300])
@pytest.mark.parametrize("init", ["random", "k-means++", "svd"])
def test_tiny_rows_are_learnt_from_without_noise(init, scale):
    coder = SparseDictionaryCoder(4, init=init, max_epochs=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coder.fit(cells() * scale)
    norms = np.linalg.norm(cells(), axis=1)
    assert_allclose(coder.alpha_ / scale, 0.03 * np.sqrt((norms**2).mean()))
    assert_allclose(np.linalg.norm(coder.components_, axis=1), 1, rtol=1e-6)
