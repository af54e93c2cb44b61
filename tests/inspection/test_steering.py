"""Atoms are changed, and nothing else."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import FunctionTransformer

from sksparse_nn import (
    LayerActivations,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
)
from sksparse_nn.inspection import steer

CODERS = {
    "sparse": SparseDictionaryCoder(
        24, algorithm="omp", n_nonzero_coefs=4, random_state=0
    ),
    "dense": SparseDictionaryCoder(
        24, algorithm="omp", n_nonzero_coefs=4, sparse_output=False, random_state=0
    ),
    "autoencoder": TopKAutoencoder(24, n_nonzero_coefs=4, random_state=0),
}


@pytest.fixture(params=CODERS)
def coder(request, net, digits):
    return CODERS[request.param].fit(activations(net, digits[0]))


def activations(net, X):
    return LayerActivations(FrozenEstimator(net)).fit_transform(X)


def test_a_scale_of_one_changes_no_bit(net, digits, coder):
    before, after = steer(net, coder, digits[0], atoms=range(24), scale=1)
    assert_array_equal(before, net.predict_proba(digits[0]))
    assert_array_equal(after, before)


def test_rows_without_the_atom_stay_as_they_are(net, digits, coder):
    codes = coder.transform(activations(net, digits[0]))
    used = np.asarray(abs(codes).sum(axis=0)).ravel()
    atom = int(used.argmax())
    column = codes[:, [atom]]
    has = np.asarray(column.todense() if hasattr(column, "todense") else column)[:, 0]
    before, after = steer(net, coder, digits[0], atoms=atom)
    assert_allclose(after[has == 0], before[has == 0], atol=1e-6)
    assert np.abs(after - before)[has != 0].max() > 1e-3


def test_removing_an_atom_takes_its_share_off_the_activation(net, digits, coder):
    X = digits[0]
    A = activations(net, X)
    codes = coder.transform(A)
    codes = np.asarray(codes.todense() if hasattr(codes, "todense") else codes)
    changed = A - codes[:, [3]] * coder.components_[3]
    with torch.no_grad():
        logits = net.net_.module_[-1](torch.from_numpy(changed.astype(np.float32)))
    _, after = steer(net, coder, X, atoms=[3])
    assert_allclose(after, torch.softmax(logits, dim=1).numpy(), atol=1e-5)


def test_setting_to_zero_is_removing(net, digits, coder):
    _, removed = steer(net, coder, digits[0], atoms=[2, 5])
    _, zero = steer(net, coder, digits[0], atoms=[2, 5], value=0.0)
    assert_allclose(zero, removed, atol=1e-6)


def test_setting_reaches_rows_that_lack_the_atom(net, digits, coder):
    before, after = steer(net, coder, digits[0], atoms=[2], value=5.0)
    assert (np.abs(after - before).max(axis=1) > 1e-4).mean() > 0.9


def test_without_the_error_both_answers_are_of_reconstructions(net, digits, coder):
    before, after = steer(net, coder, digits[0], atoms=[0], scale=1, keep_error=False)
    assert_array_equal(before, after)
    assert np.abs(before - net.predict_proba(digits[0])).max() > 1e-3


def test_numbers_of_a_regressor_are_answered():
    X = load_digits().data[:200] / 16
    net = SparseNetRegressor((8,), max_epochs=3, random_state=0).fit(X, X[:, 20])
    coder = SparseDictionaryCoder(10, random_state=0).fit(activations(net, X))
    before, after = steer(net, coder, X, atoms=0, scale=1)
    assert_array_equal(before, net.predict(X))
    assert_array_equal(after, before)


@pytest.mark.parametrize("atoms", [24, -1, [0, 99], 1.0, [True]])
def test_atoms_that_are_none_are_refused(net, digits, coder, atoms):
    with pytest.raises(ValueError, match=r"atoms must be columns .* from 0 to 23. Got"):
        steer(net, coder, digits[0], atoms=atoms)


def test_reconstructions_of_another_width_are_refused(digits):
    net = SparseNetClassifier((8,), max_epochs=1).fit(*digits)
    narrow = FunctionTransformer(inverse_func=lambda X: X[:, :3])
    narrow.fit(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"8 numbers per sample.* Got 3"):
        steer(net, narrow, digits[0], atoms=0, keep_error=False)
