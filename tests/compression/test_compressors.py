"""What every compressor keeps, and what each makes smaller."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, LRScheduler

from sksparse_nn import (
    ImagePatchCoder,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
    compression_report,
    for_prediction,
)
from sksparse_nn._pipelines import last_step
from sksparse_nn.modules._linear_layers import linear_layers
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear

COMPRESSORS = {
    "weights": lambda net: NetPruner(net, amount=0.6),
    "weights, step by step": lambda net: NetPruner(
        net, amount=0.8, n_steps=3, fine_tune_epochs=5
    ),
    "weights, first order": lambda net: NetPruner(
        net, amount=0.5, criterion="first_order"
    ),
    "neurons": lambda net: NetPruner(
        net, amount=0.4, structure="neuron", fine_tune_epochs=2
    ),
    "neurons, first order": lambda net: NetPruner(
        net, amount=0.3, structure="neuron", criterion="first_order", n_steps=2
    ),
    "dynamic": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "weights of 8 bits": lambda net: NetQuantizer(net, scheme="weight_only"),
    "weights of 4 bits": lambda net: NetQuantizer(net, scheme="weight_only", n_bits=4),
    "rank": lambda net: NetFactorizer(net, rank=12),
    "answers": NetFactorizer,
    "share": lambda net: NetFactorizer(net, rank=0.95, fine_tune_epochs=3),
    "pruned, then integers": lambda net: NetQuantizer(NetPruner(net, amount=0.5)),
    "factors, then pruned": lambda net: NetPruner(
        NetFactorizer(net, rank=16), amount=0.3, fine_tune_epochs=5
    ),
    "neurons, then factors, then integers": lambda net: NetQuantizer(
        NetFactorizer(NetPruner(net, amount=0.2, structure="neuron"), rank=16)
    ),
}

every_compressor = pytest.mark.parametrize(
    "make", COMPRESSORS.values(), ids=COMPRESSORS
)


@pytest.mark.parametrize(("share", "is_sparse"), [(0.02, True), (0.1, False)])
def test_counts_alone_decide_whether_a_layer_multiplies_sparse(share, is_sparse):
    torch.manual_seed(0)
    layer = torch.nn.Linear(600, 512)
    with torch.no_grad():
        layer.weight.mul_(torch.rand(512, 600) < share)
        X = torch.randn(7, 600)
        pruned = PrunedLinear(layer)
        assert pruned.runs_sparse is is_sparse
        assert_allclose(pruned(X), layer(X), atol=1e-5)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype(np.float32) / 16, y, random_state=0)


@pytest.fixture(scope="module")
def net(digits):
    X, _, y, _ = digits
    return SparseNetClassifier(
        (64, 64), learning_rate=0.01, max_epochs=15, random_state=0
    ).fit(X, y)


class Steps(Callback):
    """Counts steps, those of all its copies together."""

    taken = 0

    def on_batch_end(self, net, training=None, **kwargs):
        Steps.taken += bool(training)


def module_of(estimator):
    return last_step(estimator).net_.module_


@every_compressor
def test_accuracy_is_nearly_kept(digits, net, make):
    X, X_test, y, y_test = digits
    small = make(FrozenEstimator(net)).fit(X, y)
    assert small.score(X_test, y_test) > net.score(X_test, y_test) - 0.05
    assert_allclose(small.predict_proba(X_test).sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(small.classes_, np.arange(10))


@every_compressor
def test_a_row_is_answered_by_itself(digits, net, make):
    X, X_test, y, _ = digits
    small = make(FrozenEstimator(net)).fit(X, y)
    batch = np.vstack([X_test[:50], 1e3 * X_test[50:60]])
    whole = small.predict_proba(batch)[:50]
    each = np.vstack([small.predict_proba(row[None]) for row in X_test[:50]])
    assert_allclose(whole, each, rtol=1e-4, atol=1e-7)
    assert_array_equal(small.predict(batch)[:50], small.predict(X_test[:50]))


@every_compressor
def test_copies_and_what_was_stored_answer_bit_for_bit(digits, net, make):
    X, X_test, y, _ = digits
    small = make(FrozenEstimator(net)).fit(X, y)
    expected = small.predict_proba(X_test)
    for twin in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        assert_array_equal(twin.predict_proba(X_test), expected)
    assert_array_equal(for_prediction(small).predict_proba(X_test), expected)


@every_compressor
def test_the_given_network_is_left_as_it_was(digits, net, make):
    X, X_test, y, _ = digits
    before = net.predict_proba(X_test)
    make(FrozenEstimator(net)).fit(X, y)
    assert_array_equal(net.predict_proba(X_test), before)


@every_compressor
def test_it_is_fitted_behind_a_pipeline_on_what_the_network_sees(digits, make):
    X, X_test, y, y_test = digits
    network = SparseNetClassifier(
        (32,), learning_rate=0.01, max_epochs=15, random_state=0
    )
    pipeline = make_pipeline(TruncatedSVDReducer(40), StandardScaler(), network)
    small = make(pipeline).fit(X, y)
    assert small.n_features_in_ == 64
    assert small.score(X_test, y_test) > 0.85
    again = clone(small).fit(X, y)
    # Whether zeros are multiplied is measured anew, and changes the rounding.
    answers = again.predict_proba(X_test)
    assert_allclose(answers, small.predict_proba(X_test), rtol=1e-3, atol=1e-6)


@every_compressor
def test_sparse_rows_are_answered_as_dense_ones(digits, net, make):
    X, X_test, y, _ = digits
    small = make(FrozenEstimator(net)).fit(sparse.csr_array(X), y)
    dense = make(FrozenEstimator(net)).fit(X, y)
    answers = small.predict_proba(sparse.csr_array(X_test))
    assert_allclose(answers, dense.predict_proba(X_test), rtol=1e-3, atol=1e-6)


@every_compressor
def test_float64_stays_float64(digits, make):
    X, _, y, _ = digits
    net = SparseNetClassifier((32,), max_epochs=3, random_state=0)
    small = make(net).fit(X.astype(np.float64), y)
    assert small.predict_proba(X.astype(np.float64)).dtype == np.float64


def test_weights_that_were_pruned_stay_zero_through_fine_tuning(digits, net):
    X, _, y, _ = digits
    small = NetPruner(FrozenEstimator(net), amount=0.9, fine_tune_epochs=2, n_steps=2)
    layers = linear_layers(module_of(small.fit(X, y)))
    assert all(isinstance(layer, PrunedLinear) for layer in layers)
    n_weights = sum(layer.in_features * layer.out_features for layer in layers)
    assert sum(layer.n_nonzero for layer in layers) <= round(0.1 * n_weights)


def test_no_layer_loses_all_its_weights(digits, net):
    X, _, y, _ = digits
    fitted = copy.deepcopy(net)
    with torch.no_grad():
        linear_layers(module_of(fitted))[-1].weight *= 1e-3
    small = NetPruner(FrozenEstimator(fitted), amount=0.95, fine_tune_epochs=0)
    layers = linear_layers(module_of(small.fit(X, y)))
    assert all(layer.n_nonzero > 0 for layer in layers)


def test_half_the_weights_of_a_regression_cost_next_to_nothing():
    X, y = make_friedman1(300, noise=0.5, random_state=0)
    net = SparseNetRegressor((64,), learning_rate=0.01, random_state=0).fit(X, y)
    small = NetPruner(FrozenEstimator(net)).fit(X, y)
    assert small.score(X, y) > net.score(X, y) - 0.02


def test_an_epoch_of_fine_tuning_has_as_many_steps_as_one_of_the_fit(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier((8,), max_epochs=3, callbacks=[Steps()], random_state=0)
    Steps.taken = 0
    net.fit(X, y)
    of_fit, Steps.taken = Steps.taken, 0
    NetPruner(FrozenEstimator(net), fine_tune_epochs=3).fit(X, y)
    assert Steps.taken == of_fit > 0


def test_neurons_that_were_pruned_are_gone(digits, net):
    X, _, y, _ = digits
    small = NetPruner(FrozenEstimator(net), amount=0.5, structure="neuron").fit(X, y)
    first, second, last = linear_layers(module_of(small))
    assert first.out_features + second.out_features == 64
    assert second.in_features == first.out_features
    assert last.in_features == second.out_features
    assert last.out_features == 10


def test_no_layer_loses_all_its_neurons(digits, net):
    X, _, y, _ = digits
    small = NetPruner(FrozenEstimator(net), amount=0.99, structure="neuron").fit(X, y)
    assert all(layer.out_features >= 1 for layer in linear_layers(module_of(small)))


def test_a_neuron_that_says_the_same_to_all_is_left_out_without_a_trace(digits):
    X, X_test, y, _ = digits
    net = SparseNetClassifier(
        (16,), activation="logistic", max_epochs=5, random_state=0
    ).fit(X, y)
    first, _, last = net.net_.module_
    with torch.no_grad():
        first.weight[3] = 0
        last.weight[:, 3] = 1e-6 + 0 * last.weight[:, 3]
    small = NetPruner(
        FrozenEstimator(net), amount=1 / 16, structure="neuron", fine_tune_epochs=0
    )
    answers = small.fit(X, y).predict_proba(X_test)
    assert_allclose(answers, net.predict_proba(X_test), rtol=1e-4)


def test_a_schedule_that_has_ended_does_not_hold_up_fine_tuning(digits):
    X, X_test, y, y_test = digits
    falling = LRScheduler(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=10)
    net = SparseNetClassifier(
        (32,), learning_rate=0.02, max_epochs=10, callbacks=[falling], random_state=0
    )
    small = NetPruner(net, amount=0.8, fine_tune_epochs=0)
    tuned = clone(small).set_params(fine_tune_epochs=10).fit(X, y)
    assert tuned.score(X_test, y_test) > small.fit(X, y).score(X_test, y_test) + 0.05


def test_the_report_takes_estimators_by_name(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="dict of fitted estimators by name"):
        compression_report([net], X, y)


def test_what_is_only_for_prediction_says_that_it_cannot_go_on(digits):
    X, _, y, _ = digits
    slim = for_prediction(SparseNetClassifier(max_epochs=1, random_state=0).fit(X, y))
    with pytest.raises(ValueError, match="only for prediction"):
        slim.partial_fit(X, y)


def test_log_probabilities_are_those_of_the_probabilities(digits):
    X, _, y, _ = digits
    small = NetQuantizer(SparseNetClassifier(max_epochs=1, random_state=0)).fit(X, y)
    for net in (small, small.estimator_):
        found = net.predict_log_proba(1e4 * X)
        assert np.isfinite(found).all()
        assert_allclose(np.exp(found), net.predict_proba(1e4 * X), atol=1e-6)


def test_integers_take_a_quarter_on_disk(digits):
    X = np.random.default_rng(0).standard_normal((500, 784)).astype(np.float32)
    y = np.arange(500) % 10
    net = SparseNetClassifier((512, 512), max_epochs=1, random_state=0).fit(X, y)
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    sizes = [len(pickle.dumps(for_prediction(one))) for one in (net, small)]
    assert sizes[0] / sizes[1] > 3.8
    four = NetQuantizer(FrozenEstimator(net), scheme="weight_only", n_bits=4)
    assert sizes[0] / len(pickle.dumps(for_prediction(four.fit(X, y)))) > 5.5


@pytest.mark.parametrize("n_bits", [8, 4])
def test_zeros_of_pruned_weights_take_a_bit_of_integers_too(net, digits, n_bits):
    X, X_test, y, _ = digits
    pruned = NetPruner(FrozenEstimator(net), amount=0.95).fit(X, y)
    sizes = []
    for one in (net, pruned):
        small = NetQuantizer(FrozenEstimator(one), scheme="weight_only", n_bits=n_bits)
        layers = linear_layers(module_of(small.fit(X, y)))
        sizes.append(sum(len(pickle.dumps(layer)) for layer in layers))
        twin = pickle.loads(pickle.dumps(small))
        assert_array_equal(twin.predict_proba(X_test), small.predict_proba(X_test))
    assert sizes[1] < 0.7 * sizes[0]


@pytest.mark.parametrize("scheme", ["dynamic", "static"])
def test_integers_answer_mnist_as_floats_do(data_dir, scheme):
    with np.load(data_dir / "mnist.npz") as file:
        X, y, X_test = (file[name] for name in ("X_train", "y_train", "X_test"))
    X, X_test = (pixels / np.float32(255) for pixels in (X[:20_000], X_test))
    net = SparseNetClassifier((512, 512), max_epochs=2, random_state=0)
    net.fit(X, y[:20_000])
    small = NetQuantizer(FrozenEstimator(net), scheme=scheme).fit(X, y[:20_000])
    assert np.mean(small.predict(X_test) == net.predict(X_test)) >= 0.99


@pytest.mark.parametrize("scheme", ["dynamic", "static", "weight_only"])
def test_integers_answer_as_floats_do(digits, net, scheme):
    X, X_test, y, _ = digits
    small = NetQuantizer(FrozenEstimator(net), scheme=scheme).fit(X, y)
    layers = linear_layers(module_of(small))
    assert all(isinstance(layer, QuantizedLinear) for layer in layers)
    assert np.mean(small.predict(X_test) == net.predict(X_test)) >= 0.99


def test_factors_that_would_not_pay_are_not_made(digits, net):
    X, _, y, _ = digits
    small = NetFactorizer(FrozenEstimator(net), rank=20).fit(X, y)
    assert small.ranks_ == [20, 20, None]
    assert len(linear_layers(module_of(small))) == 5
    assert NetFactorizer(FrozenEstimator(net), rank=40).fit(X, y).ranks_ == [None] * 3


def test_all_directions_answer_as_the_whole(digits):
    X, X_test, y, _ = digits
    net = SparseNetClassifier((200,), max_epochs=3, random_state=0).fit(X, y)
    with torch.no_grad():
        weight = net.net_.module_[0].weight
        weight.copy_(
            weight[:, :5]
            @ torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
        )
    small = NetFactorizer(FrozenEstimator(net), rank=0.999999).fit(X, y)
    assert small.ranks_[0] == 5
    assert_allclose(
        small.predict_proba(X_test), net.predict_proba(X_test), rtol=1e-3, atol=1e-6
    )


SENSELESS = {
    "pruned integers": lambda net: NetPruner(NetQuantizer(net)),
    "factors of integers": lambda net: NetFactorizer(NetQuantizer(net)),
    "integers of integers": lambda net: NetQuantizer(NetQuantizer(net)),
    "factors of zeros": lambda net: NetFactorizer(NetPruner(net)),
}


@pytest.mark.parametrize("make", SENSELESS.values(), ids=SENSELESS)
def test_senseless_orders_are_refused_with_the_sensible_one(digits, net, make):
    X, _, y, _ = digits
    small = make(FrozenEstimator(net))
    with pytest.raises(ValueError, match=r"Net\w+\(Net\w+\(\.\.\.\)\)"):
        small.fit(X, y)
    assert not hasattr(small, "estimator_")


BAD = {
    "no network": (NetPruner(LogisticRegression()), TypeError, "LogisticRegression"),
    "4 bits of inputs": (
        NetQuantizer(SparseNetClassifier(max_epochs=1), n_bits=4),
        ValueError,
        "weight_only",
    ),
    "no hidden neurons": (
        NetPruner(SparseNetClassifier((), max_epochs=1), structure="neuron"),
        ValueError,
        "hidden layers",
    ),
    "a module of one's own": (
        NetPruner(
            SparseNetClassifier(module=torch.nn.Linear, max_epochs=1),
            structure="neuron",
        ),
        ValueError,
        "module of your own",
    ),
    "all weights": (
        NetPruner(SparseNetClassifier(max_epochs=1), amount=1.0),
        ValueError,
        "amount",
    ),
    "rank of nothing": (
        NetFactorizer(SparseNetClassifier(max_epochs=1), rank=0),
        ValueError,
        "rank",
    ),
}


@pytest.mark.parametrize(("bad", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_said(digits, bad, error, match):
    X, _, y, _ = digits
    with pytest.raises(error, match=match):
        bad.fit(X, y)


@pytest.mark.parametrize("make", [NetPruner, NetQuantizer, NetFactorizer])
def test_modules_of_ones_own_keep_what_has_no_matrix(digits, make):
    def module(n_features, n_outputs):
        return torch.nn.Sequential(
            torch.nn.LayerNorm(n_features),
            torch.nn.Linear(n_features, 64),
            torch.nn.BatchNorm1d(64),
            torch.nn.PReLU(),
            torch.nn.Linear(64, n_outputs),
        )

    X, X_test, y, y_test = digits
    net = SparseNetClassifier(
        module=module, learning_rate=0.01, max_epochs=10, random_state=0
    )
    assert make(net).fit(X, y).score(X_test, y_test) > 0.85


OTHER_MATRICES = {
    "Conv2d": (lambda: torch.nn.Conv2d(1, 4, 3), (1, 8, 8)),
    "ConvTranspose1d": (lambda: torch.nn.ConvTranspose1d(8, 2, 3), (8, 8)),
    "GRU": (lambda: torch.nn.GRU(8, 4), (8, 8)),
    "Bilinear": (lambda: _Twice(torch.nn.Bilinear(64, 64, 3)), (64,)),
}


class _Twice(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, X):
        return self.inner(X, X)


class _Mixed(torch.nn.Module):
    def __init__(self, make, shape, n_outputs):
        super().__init__()
        self.shape, self.odd = shape, make()
        self.head = torch.nn.LazyLinear(n_outputs)

    def forward(self, X):
        Z = self.odd(X.reshape(-1, *self.shape))
        return self.head((Z[0] if isinstance(Z, tuple) else Z).flatten(1))


@pytest.mark.parametrize("name", OTHER_MATRICES)
@pytest.mark.parametrize("compressor", [NetPruner, NetQuantizer, NetFactorizer])
def test_layers_that_would_be_passed_over_are_named(digits, compressor, name):
    X, _, y, _ = digits
    module = _Mixed(*OTHER_MATRICES[name], 10)
    module(torch.zeros(2, 64))
    net = SparseNetClassifier(module=module, max_epochs=1, random_state=0)
    with pytest.raises(TypeError, match=rf"pass over {name} \('odd[.inner]*' of the"):
        compressor(net).fit(X[:50], y[:50])


def test_it_is_searched_through_all_the_frames(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier((16,), learning_rate=0.02, max_epochs=5, random_state=0)
    small = NetQuantizer(NetPruner(make_pipeline(StandardScaler(), net)))
    grid = {
        "estimator__amount": [0.2, 0.9],
        "estimator__estimator__sparsenetclassifier__max_epochs": [1, 10],
    }
    search = GridSearchCV(small, grid, cv=2).fit(X, y)
    assert search.best_params_["estimator__amount"] == 0.2
    assert search.best_score_ > 0.8


def test_kinds_are_those_of_what_is_inside():
    assert is_classifier(NetPruner(SparseNetClassifier()))
    assert is_regressor(NetQuantizer(make_pipeline(SparseNetRegressor())))
    assert not hasattr(NetPruner(SparseNetRegressor()), "predict_proba")


def test_nothing_is_answered_before_a_fit(digits):
    with pytest.raises(NotFittedError):
        NetPruner(SparseNetClassifier()).predict(digits[0])


def test_sample_weights_reach_the_network(digits):
    X, _, y, _ = digits
    weight = (y < 5).astype(float)
    net = SparseNetClassifier((16,), learning_rate=0.02, max_epochs=10, random_state=0)
    for inner in (net, make_pipeline(StandardScaler(), net)):
        small = NetPruner(inner, amount=0.2).fit(X, y, sample_weight=weight)
        assert np.mean(small.predict(X) < 5) > 0.95


# The report


@pytest.mark.parametrize("algorithm", ["omp", "soft_threshold"])
def test_the_work_of_a_coder_is_counted(digits, algorithm):
    X, X_test, y, y_test = digits
    sparsity = {"n_nonzero_coefs": 3} if algorithm == "omp" else {"alpha": 0.1}
    coder = SparseDictionaryCoder(40, algorithm=algorithm, max_epochs=2, **sparsity)
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    pipeline = make_pipeline(coder, net).fit(X, y)
    report = compression_report({"codes": pipeline}, X_test, y_test)
    searched = 40 * 3 * 4 / 2 if algorithm == "omp" else 0
    assert report.multiply_adds["codes"] == 40 * 64 + searched + 40 * 10


@pytest.mark.parametrize("encoder", ["soft_threshold", "triangle", "omp"])
def test_the_work_of_patches_is_counted(digits, encoder):
    X, X_test, y, y_test = digits
    coder = ImagePatchCoder(
        12,
        image_shape=(8, 8),
        patch_size=3,
        algorithm=encoder,
        n_nonzero_coefs=1 if encoder == "omp" else None,
        learner=None,
        random_state=0,
    )
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    pipeline = make_pipeline(coder, net).fit(X, y)
    report = compression_report({"patches": pipeline}, X_test, y_test)
    whitening = 0 if encoder == "soft_threshold" else 81
    searched = 12 if encoder == "omp" else 0
    n_outputs = len(coder.get_feature_names_out())
    found = report.multiply_adds["patches"] - 10 * n_outputs
    assert found == pytest.approx(36 * (12 * 9 + whitening + searched), rel=0.02)


WRAPPED = {
    "pipeline": lambda scaler: make_pipeline(scaler, "passthrough"),
    "columns": lambda scaler: ColumnTransformer([("all", scaler, slice(0, 64))]),
    "union": lambda scaler: FeatureUnion([("one", scaler), ("none", "drop")]),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_report_counts_what_is_inside_transformers(digits, name):
    X, X_test, y, y_test = digits
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    plain, wrapped = (
        compression_report(
            {"it": make_pipeline(step, net).fit(X, y)}, X_test.tolist(), y_test
        )
        for step in (StandardScaler(), WRAPPED[name](StandardScaler()))
    )
    assert plain.parameters["it"] == 64 * 10 + 10 + 3 * 64
    for column in ("parameters", "nonzero", "bytes_memory", "multiply_adds"):
        assert plain[column]["it"] == wrapped[column]["it"]


def test_a_report_fits_clones_if_asked_to(digits):
    X, X_test, y, y_test = digits
    net = SparseNetClassifier((8,), learning_rate=0.02, max_epochs=10, random_state=0)
    estimators = {"float": net, "int8": NetQuantizer(net)}
    report = compression_report(estimators, X_test, y_test, fit_on=(X, y))
    assert (report.fit_time > 0).all()
    assert report.accuracy["float"] == clone(net).fit(X, y).score(X_test, y_test)
    assert not hasattr(net, "net_")


def test_a_report_counts_everything(digits, net):
    X, X_test, y, y_test = digits
    pipeline = make_pipeline(
        TruncatedSVDReducer(20), SparseNetClassifier((8,), max_epochs=3)
    ).fit(X, y)
    estimators = {
        "float": net,
        "pruned": NetPruner(FrozenEstimator(net), amount=0.9).fit(X, y),
        "int8": NetQuantizer(FrozenEstimator(net)).fit(X, y),
        "svd ahead": pipeline,
    }
    report = compression_report(estimators, X_test, y_test)
    assert list(report.index) == list(estimators)
    n_weights = 64 * 64 + 64 * 64 + 64 * 10
    assert report.parameters["float"] == n_weights + 138
    assert report.multiply_adds["float"] == n_weights
    assert report.multiply_adds["pruned"] == pytest.approx(0.1 * n_weights, abs=1)
    n_directions = np.count_nonzero(pipeline[0].components_)
    assert report.multiply_adds["svd ahead"] == n_directions + 20 * 8 + 80
    assert report.bytes_memory["int8"] < 0.3 * report.bytes_memory["float"]
    assert report.smaller["float"] == report.faster["float"] == 1
    assert_allclose(report.accuracy["float"], net.score(X_test, y_test))
    assert (report[["latency_1", "latency_256", "bytes_disk"]] > 0).all(axis=None)


def test_steps_are_stored_without_what_only_fitting_needs(digits):
    X, X_test, y, _ = digits
    net = SparseNetClassifier((8,), max_epochs=2, random_state=0)
    coder = SparseDictionaryCoder(32, max_epochs=1, random_state=0)
    for step in (TruncatedSVDReducer(20), coder):
        pipeline = make_pipeline(step, net).fit(X, y)
        slim = for_prediction(pipeline)
        assert len(pickle.dumps(slim[0])) < 2 * pipeline[0].components_.nbytes
        answers = slim.predict_proba(X_test)
        assert_array_equal(answers, pipeline.predict_proba(X_test))


def test_bytes_are_those_of_the_float_type(digits):
    X, _, y, _ = digits
    nets = {
        str(dtype): SparseNetClassifier((8,), max_epochs=1).fit(X.astype(dtype), y)
        for dtype in (np.float32, np.float64)
    }
    single, double = compression_report(nets, X, y).bytes_memory
    assert double == 2 * single


def test_a_copy_of_a_pruned_layer_shares_nothing(digits, net):
    X, _, y, _ = digits
    layer = linear_layers(module_of(NetPruner(FrozenEstimator(net)).fit(X, y)))[0]
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        twin.bias.fill_(7)
    assert not (layer.bias == 7).any()
    assert layer.bias is not twin.bias


def test_a_report_of_numbers_has_r2():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5)).astype(np.float32)
    y = X @ np.arange(5.0)
    net = SparseNetRegressor((16,), learning_rate=0.01, random_state=0).fit(X, y)
    report = compression_report({"net": net}, X, y)
    assert report.r2["net"] > 0.9


def test_a_report_takes_fitted_networks_only(digits):
    X, _, y, _ = digits
    with pytest.raises(NotFittedError):
        compression_report({"net": SparseNetClassifier()}, X, y)
    model = KNeighborsClassifier().fit(X, y)
    with pytest.raises(TypeError, match="Got KNeighborsClassifier"):
        compression_report({"neighbours": model}, X, y)
