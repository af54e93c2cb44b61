"""Fitted estimators as ONNX models, which run without Python."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.onnx._conversion import to_onnx
from sksparse_nn.onnx._registration import register

__all__ = ["register", "to_onnx"]
