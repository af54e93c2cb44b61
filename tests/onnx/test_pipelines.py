"""Pipelines in a process that has neither scikit-learn nor torch."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.onnx import to_onnx
from tests.onnx.pipelines import LABELS, PIPELINES, rows_for
from tests.onnx.sessions import inputs_of

pytestmark = pytest.mark.filterwarnings("ignore")

SERVICE = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sklearn", "torch", "skorch", "sksparse_nn"}:
            raise ImportError(name)


sys.meta_path.insert(0, Absent())
from pathlib import Path

import numpy as np
import onnxruntime

for folder in sorted(Path(sys.argv[1]).iterdir()):
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    X = np.load(folder / "X.npz")
    inputs = {one.name: X[one.name] for one in session.get_inputs()}
    labels, probabilities = session.run(None, inputs)
    found = {"labels": labels.astype(str), "probabilities": probabilities}
    np.savez(folder / "found.npz", **found)
"""

TOLERANCES = {"pruned, 8 bits": 1e-3, "convolutions, 4 bits": 1e-4}


def store(folder, X):
    """Write samples in types that need no pickles."""
    inputs = inputs_of(X).items()
    texts = {k: x.astype(str) if x.dtype == object else x for k, x in inputs}
    np.savez(folder / "X.npz", **texts)


def test_a_service_gives_the_same_labels_and_probabilities(tmp_path):
    wanted = {}
    for name, pipeline in PIPELINES.items():
        X, folder = rows_for(name), tmp_path / name
        fitted, unseen = pipeline.fit(X[:700], LABELS[:700]), X[-1000:]
        folder.mkdir()
        to_onnx(fitted, folder / "model.onnx", X=unseen)
        onnx.checker.check_model(folder / "model.onnx")
        store(folder, unseen)
        wanted[name] = fitted.predict(unseen), fitted.predict_proba(unseen)
    subprocess.run([sys.executable, "-c", SERVICE, str(tmp_path)], check=True)
    for name, (labels, probabilities) in wanted.items():
        found = np.load(tmp_path / name / "found.npz")
        assert_array_equal(found["labels"], labels, err_msg=name)
        atol = TOLERANCES.get(name, 1e-5)
        assert_allclose(found["probabilities"], probabilities, atol=atol, err_msg=name)
