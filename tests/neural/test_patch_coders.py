"""Coders of patches ahead of a network, trained with it."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sksparse_nn import (
    ImagePatchCoder,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    SparseNetRegressor,
    compression_report,
    for_prediction,
)
from sksparse_nn._pipelines import split_steps
from sksparse_nn.inspection import attribute


def patches(n_components=6, **parameters):
    given = {"image_shape": (7, 7), "patch_size": 3, "max_epochs": 2}
    return ImagePatchCoder(n_components, random_state=0, **given | parameters)


CODERS = {
    "soft_threshold": patches(),
    "threshold": patches(algorithm="threshold"),
    "triangle": patches(algorithm="triangle", learner="kmeans", max_epochs=10),
    "signs together": patches(split_sign=False),
    "not whitened": patches(whiten=None),
    "mean": patches(pooling="mean", pooled_shape=3),
    "max": patches(pooling="max", pooled_shape=(1, 2)),
    "stride": patches(stride=2),
    "given atoms": patches(
        init=np.random.default_rng(0).normal(size=(6, 9)),
        learner=None,
        max_epochs=10,
    ),
}
coders = pytest.mark.parametrize("coder", CODERS.values(), ids=list(CODERS))
LOOSE = {"rtol": 1e-3, "atol": 1e-3}


@pytest.fixture(scope="module")
def strokes():
    """Return noisy images of a stroke, whose direction is the class."""
    rng = np.random.default_rng(0)
    X, y = 0.2 * rng.random((90, 7, 7)), np.arange(90) % 3
    places = rng.integers(1, 6, size=90)
    X[y == 0, places[y == 0], :] += 1
    X[y == 1, :, places[y == 1]] += 1
    X[y == 2] += np.eye(7)
    return X.reshape(90, -1).astype(np.float32), y


def classifier(coder, hidden=(), **parameters):
    given = {"learning_rate": 0.02, "max_epochs": 8, "random_state": 0} | parameters
    return SparseNetClassifier(hidden, coder=coder, **given)


@coders
def test_the_tuned_coder_gives_the_codes_of_the_network(strokes, coder):
    X, y = strokes
    net = classifier(coder, (8,)).fit(X, y)
    ahead, network = split_steps(net)
    assert ahead is net.coder_
    codes = ahead.transform(X)
    assert_allclose(network.predict_proba(codes), net.predict_proba(X), **LOOSE)


@coders
def test_atoms_are_trained(strokes, coder):
    X, y = strokes
    tuned, fitted = classifier(coder).fit(X, y).coder_, clone(coder).fit(X)
    assert np.abs(tuned.components_ - fitted.components_).max() > 1e-3
    for name in ("whitening_", "patch_mean_", "contrast_reg_"):
        assert_array_equal(getattr(tuned, name), getattr(fitted, name))


@coders
def test_strokes_are_told_apart(strokes, coder):
    X, y = strokes
    net = classifier(coder, max_epochs=20).fit(X[:60], y[:60])
    assert net.score(X[60:], y[60:]) > 0.8


@coders
def test_a_coder_that_is_not_tuned_makes_a_pipeline(strokes, coder):
    X, y = strokes
    net = classifier(coder, tune_coder=False).fit(X, y)
    plain = SparseNetClassifier((), learning_rate=0.02, max_epochs=8, random_state=0)
    pipeline = make_pipeline(coder, plain).fit(X, y)
    assert_array_equal(net.predict_proba(X), pipeline.predict_proba(X))


@coders
def test_sparse_images_give_what_dense_ones_give(strokes, coder):
    X, y = strokes
    X = np.where(X < 0.5, 0, X)
    dense = classifier(coder).fit(X, y)
    thin = classifier(coder).fit(sparse.csr_array(X), y)
    assert_allclose(thin.predict_proba(X), dense.predict_proba(X), **LOOSE)
    found = dense.predict_proba(sparse.csr_array(X))
    assert_allclose(found, dense.predict_proba(X), atol=1e-6)


@coders
def test_images_in_double_precision_are_learnt_from_in_it(strokes, coder):
    X, y = strokes
    net = classifier(coder).fit(X.astype(np.float64), y)
    assert net.net_.module_.coding.dictionary.dtype.itemsize == 8
    single = classifier(coder).fit(X, y)
    assert_allclose(net.predict_proba(X), single.predict_proba(X), atol=0.05)


@coders
def test_it_is_pickled_and_goes_on(strokes, coder):
    X, y = strokes
    net = classifier(coder).fit(X, y)
    again = pickle.loads(pickle.dumps(net))
    assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    before = net.coder_.components_.copy()
    after = again.partial_fit(X, y), net.partial_fit(X, y)
    assert_array_equal(*(one.predict_proba(X) for one in after))
    assert np.abs(net.coder_.components_ - before).max() > 0


@coders
def test_a_frozen_coder_is_where_tuning_begins(strokes, coder):
    X, y = strokes
    fitted = clone(coder).fit(X)
    net = classifier(FrozenEstimator(fitted), learning_rate=1e-12, max_epochs=1)
    net.fit(X[:30], y[:30])
    assert_allclose(net.coder_.transform(X), fitted.transform(X), **LOOSE)


@coders
def test_predictions_are_attributed_to_pixels(strokes, coder):
    X, y = strokes
    net = classifier(coder, (8,)).fit(X, y)
    found = attribute(net, X[:5])
    assert_allclose(found.outputs, net.decision_function(X[:5]), **LOOSE)
    assert_allclose(found.bias + found.atoms.sum(axis=2), found.outputs)
    assert found.features.shape == (5, 3, 49)


@pytest.mark.parametrize("tune_coder", [True, False])
@coders
def test_size_and_work_are_reported(strokes, coder, tune_coder):
    X, y = strokes
    net = classifier(coder, tune_coder=tune_coder).fit(X, y)
    row = compression_report({"net": net}, X, y).iloc[0]
    n_codes = net.coder_._n_features_out
    assert row["parameters"] >= net.coder_.components_.size
    assert row["multiply_adds"] == net.coder_._multiply_adds(X) + 3 * n_codes
    assert row["accuracy"] == net.score(X, y)


@coders
def test_what_is_for_prediction_predicts_the_same(strokes, coder):
    X, y = strokes
    net = classifier(coder).fit(X, y)
    slim = for_prediction(net)
    for small in (slim, for_prediction(slim)):
        assert_array_equal(small.predict_proba(X), net.predict_proba(X))
    assert len(pickle.dumps(slim)) < len(pickle.dumps(net))


@pytest.mark.parametrize(
    "make",
    [
        NetQuantizer,
        lambda net: NetQuantizer(net, n_bits=4, scheme="weight_only"),
        lambda net: NetPruner(net, amount=0.2, fine_tune_epochs=1),
        lambda net: NetFactorizer(net, rank=2),
    ],
    ids=["int8", "int4", "weights", "ranks"],
)
@pytest.mark.parametrize("name", ["soft_threshold", "triangle"])
def test_a_smaller_network_has_the_coder_that_it_codes_by(strokes, name, make):
    X, y = strokes
    net = classifier(CODERS[name], (8,)).fit(X, y)
    small = make(FrozenEstimator(net)).fit(X, y).estimator_
    ahead, network = split_steps(small)
    codes = ahead.transform(X)
    assert_allclose(network.predict_proba(codes), small.predict_proba(X), **LOOSE)
    attribute(small, X[:3])


@coders
def test_atoms_of_several_codes_are_not_removed(strokes, coder):
    X, y = strokes
    net = classifier(coder, (8,)).fit(X, y)
    with pytest.raises(ValueError, match="one code per atom"):
        NetPruner(FrozenEstimator(net), structure="neuron").fit(X, y)


@pytest.mark.parametrize("tune_coder", [True, False])
def test_atoms_of_patches_have_no_importances_of_features(strokes, tune_coder):
    X, y = strokes
    coder = patches(pooled_shape=1)
    net = classifier(coder, tune_coder=tune_coder).fit(X, y)
    with pytest.raises(AttributeError, match="atoms are of patches"):
        _ = net.feature_importances_


def test_alpha_is_trained_if_asked_for(strokes):
    X, y = strokes
    coder = patches(alpha=0.3)
    net = classifier(coder, tune_coder="all").fit(X, y)
    assert coder.alpha == net.coder.alpha == 0.3
    assert net.coder_.alpha != 0.3
    ahead, network = split_steps(net)
    codes = ahead.transform(X)
    assert_allclose(network.predict_proba(codes), net.predict_proba(X), **LOOSE)


def test_numbers_are_predicted(strokes):
    X, y = strokes
    net = SparseNetRegressor(
        (), coder=patches(), learning_rate=0.1, max_epochs=100, random_state=0
    )
    assert net.fit(X, y).score(X, y) > 0.5


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"coder": patches(algorithm="lasso")}, "soft_threshold"),
        ({"coder": patches(algorithm="omp")}, "soft_threshold"),
        ({"coder": CODERS["threshold"], "tune_coder": "all"}, "a derivative by alpha"),
        ({"coder": CODERS["triangle"], "tune_coder": "all"}, "a derivative by alpha"),
        ({"coder": patches(), "reconstruction": 0.5}, "reconstruction needs codes"),
    ],
)
def test_what_cannot_be_trained_is_refused(strokes, parameters, words):
    X, y = strokes
    with pytest.raises(ValueError, match=words):
        classifier(**parameters).fit(X, y)


@pytest.mark.parametrize("algorithm", ["lasso", "omp", "hard_assignment"])
def test_other_codes_of_patches_are_not_tuned(strokes, algorithm):
    X, y = strokes
    net = classifier(patches(algorithm=algorithm), tune_coder=False).fit(X, y)
    assert net.score(X, y) > 0.5


def test_atoms_of_one_code_are_removed(strokes):
    X, y = strokes
    coder = patches(pooled_shape=1, algorithm="triangle", learner=None, max_epochs=10)
    net = classifier(coder, (8,)).fit(X, y)
    pruner = NetPruner(FrozenEstimator(net), amount=0.5, structure="neuron")
    small = pruner.fit(X, y).estimator_
    ahead, network = split_steps(small)
    n_atoms, n_hidden = len(ahead.components_), network.net_.module_[0].out_features
    assert n_atoms < 6
    assert n_atoms + n_hidden == 7
    codes = ahead.transform(X)
    assert_allclose(network.predict_proba(codes), small.predict_proba(X), **LOOSE)
