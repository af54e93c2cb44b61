"""Pipelines in onnxruntime against themselves: size, difference and time."""

import pickle
import zlib

import numpy as np
import onnxruntime

from sksparse_nn.onnx import to_onnx
from tests.benchmarks._timing import in_turn
from tests.onnx.pipelines import LABELS, PIPELINES, rows_for
from tests.onnx.sessions import inputs_of

_THREADS, _MANY, _N_ROUNDS = 2, 256, 51


def rows():
    """Yield a row of the table for each pipeline."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    for name, pipeline in PIPELINES.items():
        X = rows_for(name)
        fitted = pipeline.fit(X[:1000], LABELS[:1000])
        model = to_onnx(fitted, X=X[1000:]).SerializeToString()
        session = onnxruntime.InferenceSession(model, options)
        difference = session.run(None, inputs_of(X))[1] - fitted.predict_proba(X)
        yield {
            "pipeline": name,
            "kB in ONNX": f"{len(model) / 1000:.0f}",
            "kB as pickle": f"{len(zlib.compress(pickle.dumps(fitted))) / 1000:.0f}",
            "difference": f"{np.abs(difference).max():.0e}",
            **_time(session, fitted, X[:1], "one sample"),
            **_time(session, fitted, X[:_MANY], f"{_MANY} samples"),
        }


def _time(session, fitted, X, what):
    inputs = inputs_of(X)
    contest = in_turn(
        lambda: session.run(None, inputs), lambda: fitted.predict_proba(X), _N_ROUNDS
    )
    found = contest.row()
    return {
        f"{what}, ONNX ms": found["ours ms"],
        f"{what}, pipeline ms": found["peer ms"],
        f"{what}, ratio": found["ratio"],
    }
