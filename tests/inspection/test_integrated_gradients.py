"""Integrated gradients are the integrals, row by row and output by output."""

import warnings
from copy import deepcopy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.inspection import attribute


class Own(nn.Module):
    """A module whose layers cannot be read."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, X):
        return self.inner(X) + 0


def layers(*activations, width=24):
    """Return a maker of modules with these activations, which has a name."""

    def make(n_inputs, n_outputs):
        parts = []
        for activation in activations:
            parts += [nn.Linear(n_inputs, width), activation()]
            n_inputs = width
        return nn.Sequential(*parts, nn.Linear(n_inputs, n_outputs))

    return make


def starts_with_kinks(n_inputs, n_outputs):
    return nn.Sequential(
        nn.Sequential(nn.LeakyReLU(0.3), nn.Linear(n_inputs, 12, bias=False)),
        nn.PReLU(12),
        nn.BatchNorm1d(12),
        nn.Linear(12, 12),
        nn.BatchNorm1d(12, affine=False),
        nn.Dropout(0.1),
        nn.ReLU(inplace=True),
        nn.Identity(),
        nn.Linear(12, n_outputs),
        nn.LeakyReLU(),
    )


def only_kinks(n_inputs, n_outputs):
    return nn.Sequential(nn.Linear(n_inputs, n_outputs), nn.ReLU(), nn.PReLU())


def own(n_inputs, n_outputs):
    return Own(layers(nn.ReLU)(n_inputs, n_outputs))


STRAIGHT = {
    "no hidden layer": layers(),
    "one hidden layer": layers(nn.ReLU),
    "two hidden layers": layers(nn.ReLU, nn.LeakyReLU),
    "three hidden layers": layers(nn.ReLU, nn.ReLU, nn.ReLU, width=10),
    "starts with kinks": starts_with_kinks,
    "only kinks": only_kinks,
}
BENT = {
    "tanh": layers(nn.Tanh, nn.Tanh),
    "elu": layers(nn.ELU, nn.GELU),
    "selu": layers(nn.SELU),
    "clipped": layers(nn.ReLU6, nn.Hardtanh),
    "own": own,
}


@pytest.fixture(scope="module", name="digits")
def some_digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="module", name="net", params=STRAIGHT | BENT)
def fitted_net(request, digits):
    net = SparseNetClassifier(
        module=(STRAIGHT | BENT)[request.param], max_epochs=3, random_state=0
    )
    return net.fit(digits[0][:600], digits[1][:600])


def midpoints(net, X, which, n_points=512):
    """Integrate by the middles of equal parts, naively."""
    module = deepcopy(net.net_.module_).double().eval()
    places = (np.arange(n_points) + 0.5) / n_points
    rows = torch.from_numpy((places[:, None, None] * X).reshape(-1, X.shape[1]))
    answers = module(rows.requires_grad_(True).clone()).reshape(n_points, len(X), -1)
    means = []
    for outputs in which.T:
        chosen = answers[:, np.arange(len(X)), outputs].sum()
        (slopes,) = torch.autograd.grad(chosen, rows, retain_graph=True)
        means.append(slopes.numpy().reshape(n_points, *X.shape).mean(axis=0))
    return np.stack(means, axis=1) * X[:, None]


def outputs_of(found, net):
    return np.searchsorted(net.classes_, found.targets)


def largest(atoms):
    return np.abs(atoms).max(axis=2)


def without_warnings(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return attribute(*args, features=False, **kwargs)


def test_attributions_are_integrals(net, digits):
    X = digits[0][600:606]
    found = without_warnings(net, X, outputs=[0, 3, 8])
    wanted = midpoints(net, X, outputs_of(found, net))
    off = np.abs(found.atoms - wanted).max(axis=(1, 2))
    assert (off <= 0.01 * np.abs(wanted).max(axis=(1, 2))).all()


def test_the_answer_of_a_row_is_its_own(net, digits):
    X = digits[0][600:615]
    every, classes = without_warnings(net, X), [7, 2]
    few = without_warnings(net, X, outputs=classes)
    assert_allclose(few.atoms, every.atoms[:, classes], rtol=1e-9, atol=1e-12)
    for rows in (slice(3, 4), slice(3, 9), np.arange(14, -1, -1)):
        part = without_warnings(net, X[rows])
        assert_allclose(part.atoms, every.atoms[rows], rtol=1e-9, atol=1e-12)
        assert_allclose(part.bounds, every.bounds[rows], rtol=1e-6, atol=1e-12)


def test_no_contribution_is_further_off_than_its_bound(net, digits):
    X = digits[0][600:610]
    fine = without_warnings(net, X, tol=1e-4)
    for tol in (0.1, 1e-2):
        found = without_warnings(net, X, tol=tol)
        off = largest(found.atoms - fine.atoms)
        assert (off <= found.bounds + fine.bounds).all()
        assert (found.bounds <= tol * largest(found.atoms) + 1e-9).all()


@pytest.mark.parametrize("net", STRAIGHT, indirect=True)
def test_kinks_are_exact_whatever_is_allowed(net, digits):
    X = digits[0][600:606]
    found = without_warnings(net, X, tol=0.5)
    inner, net.net_.module_ = net.net_.module_, Own(net.net_.module_)
    wanted = without_warnings(net, X, tol=1e-8)
    net.net_.module_ = inner
    assert_allclose(found.atoms, wanted.atoms, atol=1e-7 * np.abs(wanted.atoms).max())
    assert (found.bounds < 1e-10).all()


def test_no_digit_is_silently_wrong(digits):
    X, y = digits
    net = SparseNetClassifier((32,), random_state=0).fit(X[:1200], y[:1200])
    found = without_warnings(net, X[1200:1500], outputs="predicted")
    wanted = midpoints(net, X[1200:1500], outputs_of(found, net))
    assert (largest(found.atoms - wanted) <= 0.01 * largest(wanted)).all()


class Hinges(nn.Module):
    """Differences of hinges, whose integrals are known."""

    def __init__(self, at, weights):
        super().__init__()
        self.p = nn.Parameter(torch.zeros(1))
        self.register_buffer("at", torch.tensor(at))
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, X):
        return (torch.relu(X - self.at) @ self.weights)[:, None] + 0 * self.p


def regressor(at, weights):
    """Return a regressor that answers hinges in units of one."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    y = (y - y.mean()) / y.std()
    net = SparseNetRegressor(
        module=Hinges(at, weights), max_epochs=1, optimizer="sgd", learning_rate=1e-30
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return net.fit(rng.random((40, len(at))), y)


def test_errors_of_opposite_signs_do_not_hide_each_other():
    net = regressor([0.25, 0.25, 0.0], [1.0, -1.0, 1.0])
    found = without_warnings(net, [[1.0, 1.0, 1.0]], tol=1e-9)
    assert_allclose(found.atoms[0, 0], [0.75, -0.75, 1], rtol=1e-9)


@pytest.mark.parametrize("at", [0.3, 1 / 3, 0.5, 1e-3, 0.999])
def test_a_kink_is_found_wherever_it_is(at):
    net = regressor([at, at, 0.0], [1.0, -1.0, 1.0])
    found = without_warnings(net, [[1.0, 1.0, 1.0]], tol=1e-7)
    assert_allclose(found.atoms[0, 0], [1 - at, at - 1, 1], atol=1e-7)


def test_an_output_that_does_not_change_is_no_reason_to_warn():
    net = regressor([0.3, 0.45], [1.0, -0.7 / 0.55])
    found = without_warnings(net, [[1.0, 1.0], [0.0, 0.0], [0.1, 0.2]])
    assert np.abs(found.outputs - found.bias).max() < 1e-6
    assert_allclose(found.atoms[:, 0], [[0.7, -0.7], [0, 0], [0, 0]], atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_rounding_of_single_precision_is_no_reason_to_warn(digits, activation):
    X, y = (part[:300] for part in digits)
    X = X.astype(np.float32)
    net = SparseNetClassifier((8,), activation=activation, max_epochs=2, random_state=0)
    model = make_pipeline(StandardScaler(), net).fit(X, y)
    found = without_warnings(model, X[:20], tol=1e-8)
    assert 1e-10 < np.abs(found.errors).max() < 1e-5


@pytest.mark.filterwarnings("ignore:The contribution")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_convolutions_in_single_precision_are_within_their_bounds(activation):
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh}

    def convolutions(n_features, n_outputs):
        layers = [nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 6, 3), kinds[activation]()]
        layers += [nn.Conv2d(6, 8, 3, stride=2), kinds[activation](), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(32, n_outputs))

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    net = SparseNetClassifier(module=convolutions, max_epochs=2, random_state=0)
    net.fit(X[:300], y[:300])
    coarse = attribute(net, X[:3], outputs="predicted")
    fine = attribute(net, X[:3], outputs="predicted", tol=1e-6)
    assert (np.abs(coarse.atoms - fine.atoms).max(axis=2) <= coarse.bounds).all()
    assert coarse.bounds.max() < 0.02 * np.abs(coarse.atoms).max()
    assert coarse.atoms.dtype == fine.atoms.dtype == np.float64
