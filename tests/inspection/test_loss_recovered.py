"""What reconstructions cost a network."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier

from sksparse_nn import (
    LayerActivations,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
)
from sksparse_nn.inspection import loss_recovered


class Constant(TransformerMixin, BaseEstimator):
    """Rebuild every row as the mean of those it was fitted to."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        return self

    def transform(self, X):
        return np.ones((len(X), 1), X.dtype)

    def inverse_transform(self, X):
        return X @ self.mean_[None]


def activations(net, X, **parameters):
    return LayerActivations(FrozenEstimator(net), **parameters).fit_transform(X)


def same():
    return FunctionTransformer().fit(np.zeros((1, 1)))


@pytest.mark.parametrize("layer", ["0", 1, 4, None, -1])
def test_a_perfect_reconstruction_recovers_all(net, digits, layer):
    result = loss_recovered(net, same(), *digits, layer=layer)
    assert result.loss_reconstructed == result.loss
    assert result.recovered_zero == result.recovered_mean == 1


@pytest.mark.parametrize("layer", ["0", 1, 4, None, -1])
def test_the_mean_recovers_nothing(net, digits, layer):
    coder = Constant().fit(activations(net, digits[0], layer=layer))
    result = loss_recovered(net, coder, *digits, layer=layer)
    assert result.recovered_mean == 0
    assert result.loss_mean == result.loss_reconstructed


def test_zeros_recover_nothing(net, digits):
    zeros = FunctionTransformer(lambda X: 0 * X, inverse_func=np.asarray)
    zeros.fit(np.zeros((1, 1)))
    assert loss_recovered(net, zeros, *digits).recovered_zero == 0


def test_the_loss_is_that_of_the_predictions(net, digits):
    X, y = digits
    expected = log_loss(y, net.predict_proba(X))
    assert loss_recovered(net, same(), X, y).loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "coder",
    [
        SparseDictionaryCoder(32, algorithm="omp", n_nonzero_coefs=6, random_state=0),
        make_pipeline(
            StandardScaler(with_std=False),
            SparseDictionaryCoder(
                32, algorithm="omp", n_nonzero_coefs=6, random_state=0
            ),
        ),
        TopKAutoencoder(32, n_nonzero_coefs=6, max_epochs=100, random_state=0),
    ],
)
def test_few_atoms_recover_most(net, digits, coder):
    coder.fit(activations(net, digits[0]))
    result = loss_recovered(net, coder, *digits)
    assert 0.8 < result.recovered_zero <= 1.01
    assert 0.8 < result.recovered_mean <= 1.01
    assert loss_recovered(net, same(), *digits).loss == result.loss


def test_pipelines_and_sparse_rows_are_taken(digits):
    X, y = digits
    net = SparseNetClassifier((8,), max_epochs=3, random_state=0)
    model = make_pipeline(StandardScaler(with_mean=False), net).fit(X, y)
    dense, csr = (
        loss_recovered(model, same(), rows, y, layer="0")
        for rows in (X, sparse.csr_matrix(X))
    )
    for name in dense:
        assert csr[name] == pytest.approx(dense[name], rel=1e-5)


def test_regressors_are_taken():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    net = SparseNetRegressor((7,), learning_rate=0.05, random_state=0).fit(X, X[:, 0])
    result = loss_recovered(net, same(), X, X[:, 0])
    assert result.recovered_mean == 1
    assert result.loss_mean == pytest.approx(0.5, rel=0.2)  # of standardised targets


def test_nets_of_skorch_are_taken(digits):
    X, y = digits
    module = torch.nn.Sequential(
        torch.nn.Linear(64, 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 10),
        torch.nn.Softmax(1),
    )
    net = NeuralNetClassifier(module, lr=0.5, max_epochs=5, verbose=0).fit(X, y)
    result = loss_recovered(net, same(), X.astype(np.float64), y)
    assert result.loss == pytest.approx(log_loss(y, net.predict_proba(X)), rel=1e-4)
    assert result.recovered_zero == 1


def test_a_layer_without_effect_recovers_nan_with_a_warning(digits):
    X, y = digits
    net = SparseNetClassifier((8,), max_epochs=1, random_state=0).fit(X, y)
    with torch.no_grad():
        net.net_.module_[0].bias -= 100  # all the ReLUs are dead
    with pytest.warns(UserWarning, match="is NaN: without") as record:
        result = loss_recovered(net, same(), X, y)
    assert np.isnan([result.recovered_zero, result.recovered_mean]).all()
    found = [str(warning.message)[:22] for warning in record]
    assert found == ["recovered_zero is NaN:", "recovered_mean is NaN:"]
    assert record[0].filename == __file__


def test_coders_that_rebuild_nothing_are_refused(net, digits):
    coder = SparseDictionaryCoder(8, algorithm="top_k").fit(activations(net, digits[0]))
    with pytest.raises(TypeError, match="coder must have transform and inverse_trans"):
        loss_recovered(net, coder, *digits)


def test_networks_that_are_none_are_refused(digits):
    with pytest.raises(TypeError, match=r"loss_recovered takes .* Got StandardScaler"):
        loss_recovered(StandardScaler().fit(digits[0]), same(), *digits)
