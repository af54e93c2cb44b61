"""Models of ONNX, run as a service would run them."""

import onnxruntime


def run(model, X, name="X"):
    """Return the outputs for samples under the default settings of onnxruntime."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {name: X})


def inputs_of(X):
    """Return samples as a model takes them: the columns of a table one by one."""
    if not hasattr(X, "columns"):
        return {"X": X}
    return {name: X[[name]].to_numpy() for name in X}
