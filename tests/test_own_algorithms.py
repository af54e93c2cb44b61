"""An object stands in place of an algorithm's name: one of ours, or a user's own."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksparse_nn import (
    ImagePatchCoder,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparsitySearchCV,
    TruncatedSVDReducer,
    sparse_encode,
    sparsity_path,
)
from sksparse_nn.inspection import SparsityPathDisplay, attribute, report
from sksparse_nn.solvers.coding import CODERS, OMP, ElasticNet, Lasso
from sksparse_nn.solvers.dictionary import LEARNERS, OnlineLearner
from sksparse_nn.solvers.patches import ENCODERS
from sksparse_nn.solvers.patches import LEARNERS as PATCH_LEARNERS
from sksparse_nn.solvers.simplex import KEYS, MAPPINGS
from sksparse_nn.solvers.simplex import KMeansKeys as KeysOfClusters
from sksparse_nn.solvers.svd import SOLVERS, KrylovSolver
from tests.own_algorithms import (
    Descent,
    FarRows,
    LatestRows,
    Magnitudes,
    Nearest,
    Plain,
    Projection,
    Steps,
)


@pytest.fixture(scope="module", name="digits")
def scaled_digits():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 16, y[:200]


def dictionary(**parameters):
    return SparseDictionaryCoder(
        12, **{"max_epochs": 2, "random_state": 0} | parameters
    )


def attention(**parameters):
    return SparseAttentionCoder(8, random_state=0, **parameters)


def svd(**parameters):
    return TruncatedSVDReducer(4, random_state=0, **parameters)


def patches(**parameters):
    settings = {"image_shape": (8, 8), "patch_size": 4, "random_state": 0}
    return ImagePatchCoder(8, **settings | parameters)


DEFAULTS = [
    (make, registry, name)
    for make, registry in [
        (dictionary, CODERS),
        (attention, MAPPINGS),
        (attention, KEYS),
        (svd, SOLVERS),
        (patches, ENCODERS),
        (patches, PATCH_LEARNERS),
    ]
    for name in registry
]
SET = [
    (dictionary, {"algorithm": "lasso", "alpha": 0.3}, {"algorithm": Lasso(0.3)}),
    (
        dictionary,
        {"algorithm": "elastic_net", "alpha": 0.3, "l1_ratio": 1.0},
        {"algorithm": ElasticNet(alpha=0.3, l1_ratio=1.0)},
    ),
    (
        dictionary,
        {"algorithm": "elastic_net", "alpha": 0.2, "atom_weights": np.arange(1.0, 13)},
        {"algorithm": ElasticNet(alpha=0.2, atom_weights=np.arange(1.0, 13))},
    ),
    (
        dictionary,
        {"algorithm": "omp", "n_nonzero_coefs": 3, "residual_tol": 0.1},
        {"algorithm": OMP(n_nonzero_coefs=3, residual_tol=0.1)},
    ),
    (
        dictionary,
        {"batch_size": 30, "shuffle": False, "forgetting": 1.0, "positive_dict": True},
        {
            "learner": OnlineLearner(
                batch_size=30, shuffle=False, forgetting=1.0, positive_dict=True
            )
        },
    ),
    (
        svd,
        {"solver": "krylov", "tol": 0.1, "max_passes": 2, "center": True},
        {"solver": KrylovSolver(tol=0.1, max_passes=2), "center": True},
    ),
    (attention, {"max_epochs": 2}, {"keys": KeysOfClusters(max_epochs=2)}),
    (patches, {"alpha": 0.1}, {"algorithm": ENCODERS["soft_threshold"](alpha=0.1)}),
    (patches, {"algorithm": "omp", "n_nonzero_coefs": 2}, {"algorithm": OMP(2)}),
]


def dense(codes):
    return codes.toarray() if sparse.issparse(codes) else codes


@pytest.mark.parametrize(
    ("make", "registry", "name"), DEFAULTS, ids=lambda x: getattr(x, "parameter", None)
)
def test_an_object_with_nothing_set_is_the_name(make, registry, name, digits):
    named, own = (
        make(**{registry.parameter: choice}) for choice in (name, registry[name]())
    )
    expected = named.fit_transform(digits[0])
    assert_array_equal(dense(own.fit_transform(digits[0])), dense(expected))


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_with_nothing_set_is_the_name(name, digits):
    named, own = (
        dictionary(algorithm="omp", learner=choice).fit(digits[0]).components_
        for choice in (name, LEARNERS[name]())
    )
    assert_array_equal(own, named)


@pytest.mark.filterwarnings("ignore:After max_passes")
@pytest.mark.parametrize(("make", "flat", "own"), SET)
def test_an_object_has_the_results_of_flat_parameters(make, flat, own, digits):
    before = deepcopy(own)
    expected = dense(make(**flat).fit_transform(digits[0]))
    fitted = make(**own).fit(digits[0])
    assert_array_equal(dense(fitted.transform(digits[0])), expected)
    assert repr(own) == repr(before)
    for again in (clone(fitted).fit(digits[0]), pickle.loads(pickle.dumps(fitted))):
        assert_array_equal(dense(again.transform(digits[0])), expected)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (dictionary(algorithm=Lasso(), alpha=0.1), "alpha is a parameter of the obj"),
        (dictionary(algorithm=Lasso(), residual_tol=0.1), "residual_tol is read by"),
        (dictionary(learner=OnlineLearner(), batch_size=3), "batch_size is a param"),
        (dictionary(learner=OnlineLearner(n_jobs=2)), "n_jobs is a parameter of the e"),
        (dictionary(algorithm=Lasso(alpha=-1.0)), "'alpha' parameter of Lasso must"),
        (dictionary(algorithm=Lasso(alpha=np.inf)), "of Lasso must be a float in the"),
        (dictionary(algorithm=OnlineLearner()), "'algorithm' parameter"),
        (dictionary(learner=PATCH_LEARNERS["kmeans"]()), "must pass over the rows in"),
        (svd(solver=KrylovSolver(), tol=0.1), "tol is a parameter of the object"),
        (svd(solver=KrylovSolver(center=True)), "center is a parameter of the estim"),
        (svd(solver=Plain(), max_passes=3), "max_passes is read by solver"),
        (attention(keys=KeysOfClusters(), max_epochs=3), "max_epochs is a parameter"),
        (attention(keys=FarRows(), max_epochs=3), "max_epochs is read by keys"),
        (patches(algorithm=OMP(), n_nonzero_coefs=3), "n_nonzero_coefs is a parameter"),
        (patches(algorithm=Magnitudes(), alpha=0.1), "alpha is read by algorithm"),
    ],
)
def test_what_an_object_contradicts_is_an_error(estimator, message, digits):
    with pytest.raises(ValueError, match=message):
        estimator.fit(digits[0])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (dictionary(algorithm="omp", learner="ksvd", forgetting=1.0), "forgetting is"),
        (
            dictionary(algorithm="omp", learner="mod", batch_size=9),
            "batch_size is read",
        ),
        (dictionary(algorithm="omp", learner="ksvd", shuffle=False), "shuffle is read"),
        (dictionary(learner=None), "max_epochs is read by learner"),
        (dictionary(learner=None, max_epochs=10, tol=0.1), "tol is read by learner"),
        (
            dictionary(
                learner=None,
                max_epochs=10,
                init=np.eye(12, 64),
                positive_dict=True,
            ),
            "positive_dict is read by learner",
        ),
        (svd(solver="gram", tol=0.1), r"tol is read by solver \['krylov'\] only"),
        (svd(solver="exact", max_passes=3), "max_passes is read by solver"),
        (attention(tol=0.1), "tol is read with iterate=True only"),
        (attention(max_iter=3), "max_iter is read with iterate=True only"),
        (patches(learner="kmeans", max_epochs=3), "max_epochs is read by learner"),
        (patches(learner=None, max_epochs=3), "max_epochs is read by learner"),
        (patches(algorithm="triangle", alpha=0.1), "alpha is read by algorithm"),
    ],
)
def test_what_is_set_in_vain_is_an_error(estimator, message, digits):
    with pytest.raises(ValueError, match=message):
        estimator.fit(digits[0])


def test_a_grid_of_what_is_not_read_is_no_result(digits):
    search = GridSearchCV(
        make_pipeline(dictionary(algorithm="omp"), LogisticRegression()),
        {"sparsedictionarycoder__alpha": [0.1, 0.2]},
        cv=2,
    )
    with pytest.raises(ValueError, match="alpha is read by algorithm"):
        clone(search).set_params(error_score="raise").fit(*digits)
    with pytest.raises(
        ValueError, match=r"(?s)fits failed.*alpha is read by algorithm"
    ):
        search.fit(*digits)


STEP = "sparsedictionarycoder"


@pytest.mark.parametrize("kind", [GridSearchCV, SparsitySearchCV])
def test_parameters_of_an_object_are_searched_as_flat_ones(kind, digits):
    own, head = OMP(n_nonzero_coefs=1), LogisticRegression(max_iter=2000)
    grids = {
        f"{STEP}__n_nonzero_coefs": dictionary(algorithm="omp"),
        f"{STEP}__algorithm__n_nonzero_coefs": dictionary(algorithm=own),
    }
    flat, nested = (
        kind(make_pipeline(coder, head), {name: [2, 6]}, cv=2).fit(*digits)
        for name, coder in grids.items()
    )
    scores = (search.cv_results_["mean_test_score"] for search in (flat, nested))
    assert_array_equal(*scores)
    assert list(flat.best_params_.values()) == list(nested.best_params_.values())
    assert own == OMP(n_nonzero_coefs=1)


def test_objects_on_a_grid_stay_as_they_are(digits):
    own = [OMP(n_nonzero_coefs=1), Nearest()]
    grids = [
        {f"{STEP}__algorithm": own[:1], f"{STEP}__algorithm__n_nonzero_coefs": [2, 3]},
        {f"{STEP}__algorithm": own[1:], f"{STEP}__algorithm__floor": [0.1, 0.5]},
    ]
    model = make_pipeline(dictionary(), LogisticRegression(max_iter=2000))
    search = SparsitySearchCV(model, grids, cv=2, error_score="raise").fit(*digits)
    assert len(search.cv_results_["params"]) == 4
    assert own == [OMP(n_nonzero_coefs=1), Nearest()]


def test_paths_of_an_object_are_those_of_its_name(digits):
    X, D = digits[0], digits[0][:20] + 0.1
    for own, name, values in [(Lasso(9.0), "lasso", [0.1, 1]), (OMP(), "omp", [1, 3])]:
        found = sparsity_path(X, D, values, algorithm=own)
        expected = sparsity_path(X, D, values, algorithm=name)
        for one, other in zip(found, expected, strict=True):
            assert_array_equal(one.toarray(), other.toarray())


def test_an_own_coder_has_codes_and_a_path(digits):
    X, D = digits[0], np.eye(64)
    codes = sparse_encode(X, D, algorithm=Nearest())
    assert_allclose(codes.max(axis=1).toarray()[:, 0], X.max(axis=1))
    few, many = sparsity_path(X, D, [2.0, 0.5], algorithm=Nearest())
    assert few.nnz < many.nnz
    display = SparsityPathDisplay.from_estimator(
        dictionary(algorithm=Nearest(0.5)).fit(X), X
    )
    assert len(display.errors) == 7


def test_rows_in_pieces_reach_an_own_learner(digits):
    X = digits[0]
    pieces = dictionary(learner=Steps(batch_size=40)).partial_fit(X[:90])
    whole = dictionary(learner=Steps(batch_size=40, shuffle=False), max_epochs=1)
    found = pieces.partial_fit(X[90:]).components_
    assert_array_equal(found, whole.fit(X).components_)
    assert not hasattr(dictionary(learner=Descent()), "partial_fit")


def test_rows_in_pieces_reach_own_keys(digits):
    X = digits[0]
    pieces = attention(keys=LatestRows()).partial_fit(X[:90]).partial_fit(X[90:])
    assert_array_equal(pieces.keys_, X[-8:])
    other = attention(keys=LatestRows()).partial_fit(X)
    assert_array_equal(pieces.merge(other).keys_, X[-8:])
    assert not hasattr(attention(keys=FarRows()), "partial_fit")


OWN = {
    "coder": dictionary(algorithm=Nearest()),
    "learner": dictionary(learner=Descent()),
    "stream": dictionary(learner=Steps(batch_size=50)),
    "solver": svd(solver=Plain()),
    "mapping": attention(mapping=Projection(), n_active=3),
    "iterated": attention(mapping=Projection(), iterate=True),
    "keys": attention(keys=FarRows()),
    "encoder": patches(algorithm=Magnitudes()),
    "coder of patches": patches(algorithm=Nearest()),
    "learner of patches": patches(learner=Descent()),
}


@pytest.fixture(scope="module", params=OWN, name="model")
def own_model(request, digits):
    net = SparseNetClassifier((), max_epochs=5, random_state=0)
    return make_pipeline(OWN[request.param], net).fit(*digits)


def test_predictions_are_attributed_through_own_algorithms(model, digits):
    found = attribute(model, digits[0][:5])
    outputs = found.features.sum(axis=2) + found.feature_bias
    assert_allclose(outputs, found.outputs, rtol=1e-4, atol=1e-4)


def test_own_algorithms_are_cloned_saved_and_searched(model, digits):
    X, y = digits
    expected = model.predict_proba(X)
    for again in (clone(model).fit(X, y), pickle.loads(pickle.dumps(model))):
        assert_allclose(again.predict_proba(X), expected, atol=1e-6)
    grid = {f"{model.steps[0][0]}__n_components": [4, 8]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("model", ["coder", "solver", "keys", "encoder"], indirect=True)
def test_a_report_is_written_of_own_algorithms(model, digits, tmp_path):
    path = tmp_path / "page.html"
    report(model, *digits, path, n_atoms=1, n_samples=1)
    assert type(model[0]).__name__ in path.read_text()
