"""Models of ONNX, run as a service would run them."""

import onnxruntime


def run(model, X, name="X"):
    """Return the outputs for samples under the default settings of onnxruntime."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {name: X})
