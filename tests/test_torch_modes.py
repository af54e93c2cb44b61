"""What a caller sets in torch changes nothing: gradients, precision, device."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline

from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer
from sksparse_nn.inspection import attribute
from tests.estimators import ACTIVATIONS, AUTOENCODERS, COMPRESSORS, NETS, name_of

NETWORKS = [*NETS, *AUTOENCODERS, *COMPRESSORS, *ACTIVATIONS]
MODES = [
    torch.no_grad,
    torch.inference_mode,
    partial(torch.autocast, "cpu", torch.bfloat16),
    partial(torch.device, "meta"),  # stands for a default device that is not the CPU
]


@pytest.fixture(scope="module", name="rows")
def some_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    return X, (X[:, 0] > 0).astype(int)


def answers(estimator, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = clone(estimator)
        for end, value in {"random_state": 0, "max_epochs": 2}.items():
            names = [name for name in estimator.get_params() if name.endswith(end)]
            estimator.set_params(**dict.fromkeys(names, value))
        estimator.fit(X, y)
        if hasattr(estimator, "predict"):
            ask = "predict_proba" if is_classifier(estimator) else "predict"
        else:
            ask = "transform"
        found = getattr(estimator, ask)(X)
    return found.toarray() if hasattr(found, "toarray") else np.asarray(found)


@pytest.mark.parametrize("estimator", NETWORKS, ids=name_of)
def test_estimators_work_whatever_mode_torch_is_in(rows, estimator):
    wanted = answers(estimator, *rows)
    for mode in MODES:
        with mode():
            assert_allclose(answers(estimator, *rows), wanted, rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_attributions_work_whatever_mode_torch_is_in(rows, mode, activation):
    net = SparseNetClassifier((6,), activation=activation, max_epochs=2, random_state=0)
    model = make_pipeline(TruncatedSVDReducer(3), net).fit(*rows)
    wanted = attribute(model, rows[0][:4])
    with mode():
        found = attribute(model, rows[0][:4])
    assert_allclose(found.features, wanted.features, rtol=1e-12)
