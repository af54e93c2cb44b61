"""Every estimator gives in onnxruntime what it gives here, or is refused by name."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn.onnx import to_onnx
from tests.estimators import ESTIMATORS, NETS, SEEDED, name_of
from tests.onnx.sessions import run

pytestmark = pytest.mark.filterwarnings("ignore")

rng = np.random.default_rng(0)
X = np.abs(rng.standard_normal((60, 12))).astype(np.float32)
y = (X[:, 0] > X[:, 1]).astype(int)
UNSEEN = np.abs(rng.standard_normal((1000, 12))).astype(np.float32)

# What says of itself in the text of an estimator that it is not exported.
REFUSED = {
    "iterate=True": r"SparseAttentionCoder\(iterate=True\)",
    "allow_nan=True": r"SparseDictionaryCoder\(allow_nan=True\)",
    "RBFSampler": "RBFSampler",
    "ScreenedEstimator": "ScreenedEstimator",
    "RowScreener": "RowScreener",
}


def reason(estimator):
    text = repr(estimator)
    return next((said for part, said in REFUSED.items() if part in text), None)


EXPORTED = [estimator for estimator in ESTIMATORS if reason(estimator) is None]
FITTED = {}


def fitted(estimator):
    if id(estimator) not in FITTED:
        ours = clone(estimator)
        if "random_state" in ours.get_params():
            ours.set_params(random_state=0)
        FITTED[id(estimator)] = ours.fit(X, y)
    return FITTED[id(estimator)]


def outputs(estimator, rows):
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(estimator, method):
            found = getattr(estimator, method)(rows)
            return found.toarray() if sparse.issparse(found) else found
    return None


def tolerance(estimator):
    """Return the largest difference, as a share of the largest output."""
    text = repr(estimator)
    if "NetQuantizer" in text:  # a value near the middle of two integers may move
        return 1e-3
    if any(part in text for part in ("Dictionary", "Attention", "Search", "Patch")):
        return 1e-4
    return 1e-5


def check(estimator, rows, found):
    wanted = outputs(estimator, rows)
    wanted = wanted.reshape(found[-1].shape)
    atol = tolerance(estimator) * np.abs(wanted).max()
    assert_allclose(found[-1], wanted, rtol=0, atol=atol)
    if len(found) == 2:
        assert_array_equal(found[0], estimator.predict(rows))


@pytest.mark.parametrize("estimator", EXPORTED, ids=name_of)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_are_those_of_the_estimator(estimator, dtype):
    estimator, rows = fitted(estimator), UNSEEN.astype(dtype)
    model = to_onnx(estimator, X=rows[:20])
    check(estimator, rows, run(model, rows))
    one = run(model, rows[:1])
    assert len(one[-1]) == 1
    check(estimator, rows[:1], one)


@pytest.mark.parametrize(
    "estimator", [e for e in ESTIMATORS if reason(e) is not None], ids=name_of
)
def test_what_is_not_exported_is_refused_by_name(estimator):
    with pytest.raises(TypeError, match=reason(estimator)):
        to_onnx(fitted(estimator), X=UNSEEN)


@pytest.mark.parametrize(
    "estimator", [e for e in [*SEEDED[::6], *NETS[::4]] if not reason(e)], ids=name_of
)
def test_pipelines_give_the_same(estimator):
    pipeline = make_pipeline(StandardScaler(), clone(estimator)).fit(X, y)
    check(pipeline, UNSEEN, run(to_onnx(pipeline, X=UNSEEN[:20]), UNSEEN))
