"""Coders ahead of a network, trained with it: `coder=...`."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
    compression_report,
    for_prediction,
)
from sksparse_nn._pipelines import split_steps
from sksparse_nn.inspection import attribute
from tests.neural.coders import APPROXIMATE, CODERS, dictionary

coders = pytest.mark.parametrize("coder", CODERS.values(), ids=list(CODERS))


def classifier(coder, hidden=(), **parameters):
    given = {"learning_rate": 0.02, "max_epochs": 8, "random_state": 0} | parameters
    return SparseNetClassifier(hidden, coder=coder, **given)


@coders
def test_the_tuned_coder_gives_the_codes_of_the_network(blobs, coder):
    X, y = blobs
    net = classifier(coder, (8,)).fit(X, y)
    ahead, network = split_steps(net)
    assert ahead is net.coder_
    codes = ahead.transform(X)
    tol = {"rtol": 1e-4, "atol": 1e-4}
    assert_allclose(network.predict_proba(codes), net.predict_proba(X), **tol)


@coders
def test_atoms_are_trained(blobs, coder):
    X, y = blobs
    tuned = classifier(coder).fit(X, y).coder_
    fitted = clone(coder).fit(X)
    assert tuned.components_.shape == fitted.components_.shape
    assert np.abs(tuned.components_ - fitted.components_).max() > 1e-3


# All but those with an alpha in the unit of the samples, and the triangle, whose
# distances are to atoms of unit norm.
WITHOUT_UNIT = [
    name
    for name, coder in CODERS.items()
    if getattr(coder, "alpha", None) is None
    and name not in ("lasso as an object", "triangle")
]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("factor", [2.0**-10, 2.0**33])
@pytest.mark.parametrize("name", WITHOUT_UNIT)
def test_the_unit_of_the_samples_does_not_matter(blobs, name, factor, optimizer):
    X, y = blobs
    given = {"optimizer": optimizer, "learning_rate": 0.01}
    net, other = (classifier(CODERS[name], **given).fit(k * X, y) for k in (1, factor))
    losses = net.history_["train_loss"], other.history_["train_loss"]
    assert_allclose(*losses, rtol=1e-2)


@coders
def test_dropout_drops_codes_in_training_only(blobs, coder):
    X, y = blobs
    module = classifier(coder, dropout=0.5, max_epochs=1).fit(X, y).net_.module_
    rows, seen = torch.from_numpy(X).to(next(module.parameters()).dtype), []
    module.head.register_forward_pre_hook(lambda _, given: seen.append(*given))
    with torch.no_grad():
        module.eval()(rows)
        module.train()(rows)
    whole, dropped = (codes.numpy() for codes in seen)
    kept = dropped != 0
    assert_allclose(dropped[kept], 2 * whole[kept], rtol=1e-6)
    assert kept.sum() == pytest.approx((whole != 0).sum() / 2, rel=0.3)


@coders
def test_a_coder_that_is_not_tuned_makes_a_pipeline(blobs, coder):
    X, y = blobs
    net = classifier(coder, tune_coder=False).fit(X, y)
    assert_array_equal(net.coder_.components_, clone(coder).fit(X).components_)
    plain = SparseNetClassifier((), learning_rate=0.02, max_epochs=8, random_state=0)
    pipeline = make_pipeline(coder, plain).fit(X, y)
    assert_array_equal(net.predict_proba(X), pipeline.predict_proba(X))


@coders
def test_sparse_samples_give_what_dense_ones_give(blobs, coder):
    X, y = blobs
    X = np.where(np.abs(X) < 1.5, 0, X)
    dense = classifier(coder).fit(X, y)
    thin = classifier(coder).fit(sparse.csr_array(X), y)
    tol = {"rtol": 1e-2, "atol": 1e-2}
    assert_allclose(thin.predict_proba(X), dense.predict_proba(X), **tol)


def test_very_sparse_samples_stay_sparse():
    rng = np.random.default_rng(0)
    X = sparse.random_array((60, 300), density=0.02, rng=rng, format="csr")
    y = np.arange(60) % 2
    X = X.astype(np.float32)
    net = classifier(dictionary(alpha=0.1)).fit(X, y)
    dense = classifier(dictionary(alpha=0.1)).fit(X.toarray(), y)
    tol = {"rtol": 1e-3, "atol": 1e-4}
    assert_allclose(net.predict_proba(X), dense.predict_proba(X.toarray()), **tol)


@coders
def test_it_is_pickled(blobs, coder):
    X, y = blobs
    net = classifier(coder).fit(X, y)
    again = pickle.loads(pickle.dumps(net))
    assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert_array_equal(
        again.partial_fit(X, y).predict_proba(X), net.partial_fit(X, y).predict_proba(X)
    )


def test_the_samples_are_not_pickled(blobs):
    X, y = blobs
    X = np.repeat(X, 500, axis=0)
    net = classifier(dictionary(), max_epochs=1).fit(X, np.repeat(y, 500))
    assert len(pickle.dumps(net)) < X.nbytes / 4


@coders
def test_partial_fit_goes_on_with_the_atoms(blobs, coder):
    X, y = blobs
    net = classifier(coder).partial_fit(X, y, classes=[0, 1, 2])
    before = net.coder_
    known = before.components_.copy()
    net.partial_fit(X[:20], y[:20])
    assert np.abs(net.coder_.components_ - known).max() > 0
    assert_array_equal(before.components_, known)


@coders
def test_a_warm_start_goes_on_with_the_atoms(blobs, coder):
    X, y = blobs
    net = classifier(coder, warm_start=True).fit(X, y)
    first = net.net_.module_.coding.state_dict()
    net.set_params(max_epochs=1, learning_rate=1e-12).fit(X, y)
    for name, value in net.net_.module_.coding.state_dict().items():
        assert_allclose(value, first[name], atol=1e-6)


@coders
def test_a_frozen_coder_is_where_tuning_begins(blobs, coder):
    X, y = blobs
    fitted = clone(coder).fit(X)
    known = fitted.components_.copy()
    net = classifier(FrozenEstimator(fitted), learning_rate=1e-12, max_epochs=1)
    net.fit(X[:30], y[:30])
    difference = np.abs(net.coder_.transform(X) - fitted.transform(X))
    assert difference.max() < 1e-4
    assert_array_equal(fitted.components_, known)


def test_parameters_of_the_coder_are_searched(blobs):
    X, y = blobs
    grid = {"coder__alpha": [0.01, 100.0], "coder__n_components": [6]}
    search = GridSearchCV(classifier(dictionary()), grid, cv=2)
    with pytest.warns(UserWarning, match="zero"):
        search.fit(X, y)
    assert search.best_params_["coder__alpha"] == 0.01


@pytest.mark.parametrize("name", APPROXIMATE)
def test_reconstruction_keeps_atoms_near_the_samples(blobs, name):
    X, y = blobs

    def error(reconstruction):
        coder = (
            classifier(
                APPROXIMATE[name],
                reconstruction=reconstruction,
                max_epochs=40,
                learning_rate=0.05,
            )
            .fit(X, y)
            .coder_
        )
        return ((X - coder.inverse_transform(coder.transform(X))) ** 2).sum()

    assert error(100.0) < error(0.0)


def test_the_recorded_loss_leaves_the_reconstruction_out(blobs):
    X, y = blobs
    net = classifier(dictionary(), reconstruction=1e3, learning_rate=1e-12).fit(X, y)
    plain = classifier(dictionary(), learning_rate=1e-12).fit(X, y)
    assert_allclose(net.history_["train_loss"], plain.history_["train_loss"], rtol=1e-4)


def test_weights_count_in_the_reconstruction(blobs):
    X, y = blobs
    weight = np.arange(len(X)) % 3
    repeated = np.repeat(np.arange(len(X)), weight)
    coder = FrozenEstimator(dictionary().fit(X))
    whole = {"reconstruction": 5.0, "batch_size": -1}
    one = classifier(coder, **whole).fit(X, y, sample_weight=weight)
    other = classifier(coder, **whole).fit(X[repeated], y[repeated])
    tol = {"rtol": 1e-3, "atol": 1e-4}
    assert_allclose(one.predict_proba(X), other.predict_proba(X), **tol)


def test_class_weights_leave_the_reconstruction_alone(blobs):
    X, y = blobs
    coder = FrozenEstimator(dictionary().fit(X))
    given = {"reconstruction": 1.0, "class_weight": {0: 1e-9, 1: 1e-9, 2: 1.0}}
    net = classifier(coder, learning_rate=0.05, max_epochs=40, **given).fit(X, y)
    few = classifier(coder, learning_rate=0.05, max_epochs=40, reconstruction=1.0)
    few.fit(X[y == 2], np.arange((y == 2).sum()) % 2)
    assert _error(net, X[y != 2]) < _error(few, X[y != 2])


def _error(net, X):
    coder = net.coder_
    return ((X - coder.inverse_transform(coder.transform(X))) ** 2).sum()


def test_samples_without_a_label_count_in_the_reconstruction_only(blobs):
    X, y = blobs
    half = np.where(np.arange(len(y)) % 2, y, -1)
    given = {"reconstruction": 1.0, "batch_size": -1}
    net = classifier(dictionary(), **given).fit(X, half)
    assert_array_equal(net.classes_, [0, 1, 2])
    other = np.where(half == -1, -1, (half + 1) % 3)
    wrong = classifier(dictionary(), **given).fit(X, other)
    assert net.score(X, y) > 0.5 > wrong.score(X, y)
    moved = X.copy()
    moved[half == -1] *= -3
    changed = classifier(dictionary(), **given).fit(moved, half)
    assert np.abs(changed.coder_.components_ - net.coder_.components_).max() > 1e-3
    net.set_params(learning_rate=3.0).partial_fit(X[:4], [-1, -1, -1, -1])


def test_a_stream_begins_with_labels(blobs):
    X, _ = blobs
    net = classifier(dictionary(), reconstruction=1.0)
    with pytest.raises(ValueError, match="label of some sample in the first call"):
        net.partial_fit(X, np.full(len(X), -1), classes=[0, 1, 2])


def test_minus_one_is_a_label_of_two_or_without_a_reconstruction(blobs):
    X, y = blobs
    net = classifier(dictionary(), reconstruction=1.0)
    assert_array_equal(net.fit(X, np.where(y, 1, -1)).classes_, [-1, 1])
    assert_array_equal(classifier(dictionary()).fit(X, y - 1).classes_, [-1, 0, 1])


def test_alpha_is_trained_if_asked_for(blobs):
    X, y = blobs
    for coder in (dictionary(), dictionary(alpha=0.1)):
        net = classifier(coder, tune_coder="all").fit(X, y)
        former = clone(coder).fit(X)
        assert net.coder_._coder(6).alpha != former._coder(6).alpha
        assert coder.alpha is None or net.coder.alpha == 0.1


def test_the_temperature_is_trained_if_asked_for(blobs):
    X, y = blobs
    coder = CODERS["sparsemax"]
    net = classifier(coder, tune_coder="all").fit(X, y)
    assert net.coder_.temperature_ != clone(coder).fit(X).temperature_


@pytest.mark.parametrize("algorithm", ["lasso", "elastic_net", "soft_threshold"])
def test_the_number_of_nonzeros_is_held(blobs, algorithm):
    X, y = blobs
    coder = SparseDictionaryCoder(
        12, algorithm=algorithm, n_active=3.0, max_epochs=2, random_state=0
    )
    net = classifier(coder, learning_rate=0.05, max_epochs=60).fit(X, y)
    found = net.coder_.transform(X).nnz / len(X)
    assert abs(found - 3.0) < 0.4
    assert net.coder_.alpha_ == pytest.approx(float(net.net_.module_.coding.alpha))
    attention = SparseAttentionCoder(12, n_active=3.0, random_state=0)
    net = classifier(attention, learning_rate=0.05, max_epochs=60).fit(X, y)
    assert abs(net.coder_.transform(X).nnz / len(X) - 3.0) < 0.4


def test_directions_stay_orthonormal(blobs):
    X, y = blobs
    coder = classifier(CODERS["SVD, groups"]).fit(X, y).coder_
    gram = coder.components_ @ coder.components_.T
    assert_allclose(gram, np.eye(coder.n_components_), atol=1e-5)
    is_elsewhere = coder.component_groups_[:, None] != coder.groups_
    assert not coder.components_[is_elsewhere].any()


@coders
def test_predictions_are_attributed_to_atoms_and_features(blobs, coder):
    X, y = blobs
    net = classifier(coder, (8,)).fit(X, y)
    found = attribute(net, X[:5])
    assert_allclose(found.outputs, net.decision_function(X[:5]), rtol=1e-4, atol=1e-4)
    assert_allclose(found.bias + found.atoms.sum(axis=2), found.outputs)
    assert found.features.shape == (5, 3, X.shape[1])


@pytest.mark.parametrize("tune_coder", [True, False])
@coders
def test_size_and_latency_are_reported(blobs, coder, tune_coder):
    X, y = blobs
    net = classifier(coder, tune_coder=tune_coder).fit(X, y)
    row = compression_report({"net": net}, X, y).iloc[0]
    assert row["parameters"] >= net.coder_.components_.size
    assert row["accuracy"] == net.score(X, y)


@pytest.mark.parametrize("tune_coder", [True, False])
@coders
def test_what_is_for_prediction_predicts_the_same(blobs, coder, tune_coder):
    X, y = blobs
    net = classifier(coder, tune_coder=tune_coder).fit(X, y)
    slim = for_prediction(net)
    for small in (slim, for_prediction(slim)):
        assert_array_equal(small.predict_proba(X), net.predict_proba(X))
    assert len(pickle.dumps(slim)) < len(pickle.dumps(net))


@pytest.mark.parametrize("tune_coder", [True, False])
@coders
def test_what_a_coder_was_fitted_to_before_is_not_for_prediction(
    blobs, coder, tune_coder
):
    X, y = blobs
    fitted = clone(coder).fit(X)
    sizes = []
    for given in (coder, fitted, FrozenEstimator(fitted)):
        net = classifier(given, tune_coder=tune_coder, max_epochs=1).fit(X, y)
        slim = for_prediction(net)
        assert_array_equal(slim.predict_proba(X), net.predict_proba(X))
        sizes.append(len(pickle.dumps(slim)))
    assert max(sizes) < min(sizes) + 300
    assert hasattr(fitted, "components_")


@coders
def test_a_coder_that_is_not_tuned_is_ahead_of_a_compressed_network(blobs, coder):
    X, y = blobs
    net = classifier(coder, (8,), tune_coder=False).fit(X, y)
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    assert_allclose(small.predict_proba(X), net.predict_proba(X), atol=0.1)


COMPRESSORS = {
    "int8": partial(NetQuantizer),
    "int4": partial(NetQuantizer, n_bits=4, scheme="weight_only"),
    "weights": partial(NetPruner, amount=0.2, fine_tune_epochs=1),
    "neurons": partial(NetPruner, amount=0.2, structure="neuron"),
    "ranks": partial(NetFactorizer, rank=2),
    "one rank": partial(NetFactorizer, rank=1, fine_tune_epochs=1),
    "few weights": partial(NetFactorizer, amount=0.5, distill=True, fine_tune_epochs=1),
}

# Coders of which each atom has one code.
REMOVABLE = [
    name
    for name, coder in CODERS.items()
    if not isinstance(coder, TruncatedSVDReducer) and name != "split sign"
]


@pytest.mark.parametrize("compressor", COMPRESSORS.values(), ids=list(COMPRESSORS))
@pytest.mark.parametrize(
    "coder",
    [CODERS[name] for name in REMOVABLE],
    ids=REMOVABLE,
)
def test_a_smaller_network_has_the_coder_that_it_codes_by(blobs, coder, compressor):
    X, y = blobs
    net = classifier(coder, (8,)).fit(X, y)
    small = compressor(FrozenEstimator(net)).fit(X, y).estimator_
    ahead, network = split_steps(small)
    assert ahead is small.coder_
    tol = {"rtol": 1e-4, "atol": 1e-4}
    codes = ahead.transform(X)
    assert_allclose(network.predict_proba(codes), small.predict_proba(X), **tol)
    alone = small.net_.module_.coding(torch.from_numpy(X)).detach()
    assert_allclose(
        codes.toarray() if sparse.issparse(codes) else codes, alone, atol=1e-4
    )
    assert pickle.loads(pickle.dumps(small)).score(X, y) == small.score(X, y)
    attribute(small, X[:3])


DIRECTIONS = {
    "centred": TruncatedSVDReducer(3, center=True, whiten=True, random_state=0),
    "plain": TruncatedSVDReducer(4, random_state=0),
    "groups": TruncatedSVDReducer(2, groups=3, random_state=0),
}


@pytest.mark.parametrize("coder", DIRECTIONS.values(), ids=list(DIRECTIONS))
@pytest.mark.parametrize("name", [*COMPRESSORS, "channels"])
def test_smaller_directions_are_a_linear_layer(blobs, name, coder):
    X, y = blobs
    net = classifier(coder, (8,)).fit(X, y)
    compressors = COMPRESSORS | {"channels": partial(NetPruner, structure="channel")}
    small = compressors[name](FrozenEstimator(net)).fit(X, y).estimator_
    assert not hasattr(small, "coder_")
    assert small.score(X, y) > 0.5
    assert pickle.loads(pickle.dumps(small)).score(X, y) == small.score(X, y)
    attribute(small, X[:3])
    report = compression_report({"": small}, X, y)
    assert report.accuracy[""] == small.score(X, y)
    assert small.feature_importances_.shape == (5,)


def test_atoms_whose_codes_are_split_are_not_removed(blobs):
    X, y = blobs
    net = classifier(CODERS["split sign"], (8,)).fit(X, y)
    with pytest.raises(ValueError, match="each code by itself"):
        NetPruner(FrozenEstimator(net), structure="neuron").fit(X, y)


@pytest.mark.parametrize("tune_coder", [True, False])
def test_penalties_act_behind_the_codes(blobs, tune_coder):
    X, y = blobs
    net = classifier(
        dictionary(), tune_coder=tune_coder, group_lasso=0.3, max_epochs=60
    ).fit(X, y)
    module = net.net_.module_
    head = module.head if tune_coder else module
    is_used = head[0].weight.detach().numpy().any(axis=0)
    assert 0 < is_used.sum() < 6
    assert net.coder_.components_.any(axis=1).all()


def test_importances_are_those_of_features(blobs):
    X, y = blobs
    for coder in (dictionary(), dictionary(split_sign=True), CODERS["SVD"]):
        net = classifier(coder).fit(X, y)
        assert net.feature_importances_.shape == (X.shape[1],)
        assert_allclose(net.feature_importances_.sum(), 1)


def test_importances_need_a_coder_or_a_linear_layer(blobs):
    X, y = blobs
    slim = for_prediction(classifier(dictionary()).fit(X, y))
    with pytest.raises(AttributeError, match="for prediction only"):
        slim.feature_importances_  # noqa: B018
    net = classifier(CODERS["SVD"]).fit(X, y)
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    assert small.feature_importances_.shape == (X.shape[1],)


def test_numbers_are_predicted(line):
    X, y = line
    net = SparseNetRegressor(
        (), coder=TruncatedSVDReducer(2), learning_rate=0.1, random_state=0
    )
    assert net.fit(X, y).score(X, y) > 0.8


def test_several_labels_are_predicted(blobs):
    X, y = blobs
    labels = np.stack([y == 0, y > 0], axis=1).astype(int)
    net = classifier(dictionary(), reconstruction=0.1, class_weight={0: 2.0, 1: 1.0})
    assert net.fit(X, labels).predict(X).shape == labels.shape


def test_names_of_features_reach_the_coder(blobs):
    pd = pytest.importorskip("pandas")
    X, y = blobs
    X = pd.DataFrame(X, columns=list("abcde"))
    for tune_coder in (True, False):
        net = classifier(dictionary(), tune_coder=tune_coder).fit(X, y)
        net.predict(X)
        assert_array_equal(net.coder_.feature_names_in_, list("abcde"))
        assert list(attribute(net, X[:2]).feature_names) == list("abcde")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"coder": None, "tune_coder": False}, "tune_coder is read with a coder only"),
        ({"coder": None, "reconstruction": 0.5}, "reconstruction is read with a coder"),
        (
            {"coder": dictionary(), "tune_coder": False, "reconstruction": 0.5},
            "reconstruction is read with a coder that is tuned",
        ),
        (
            {"coder": dictionary(algorithm="omp"), "tune_coder": "all"},
            "alpha or a temp",
        ),
        ({"coder": TruncatedSVDReducer(2), "tune_coder": "all"}, "alpha or a temp"),
        (
            {"coder": dictionary(algorithm="triangle"), "reconstruction": 0.5},
            "reconstruction needs codes",
        ),
        ({"coder": SparseAttentionCoder(iterate=True)}, "codes of one step"),
        ({"coder": dictionary(n_active=2), "tune_coder": "all"}, "n_active determines"),
    ],
)
def test_what_nothing_reads_is_refused(blobs, parameters, words):
    X, y = blobs
    net = classifier(dictionary()).fit(X, y)
    known = net.predict_proba(X)
    with pytest.raises(ValueError, match=words):
        net.set_params(**parameters).fit(X, y)
    assert_array_equal(net.set_params(coder=dictionary()).predict_proba(X), known)


def test_other_transformers_are_not_tuned(blobs):
    X, y = blobs
    with pytest.raises(TypeError, match="tune_coder=True needs a coder"):
        classifier(PCA(2)).fit(X, y)
    net = classifier(PCA(2), tune_coder=False).fit(X, y)
    assert net.score(X, y) > 0.5
