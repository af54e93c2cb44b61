"""Layers and networks in torch alone, as estimators hold them in ``net_.module_``."""

from sksparse_nn.modules._attention import AttentionLayer
from sksparse_nn.modules._compressed_coding import PrunedCoding, QuantizedCoding
from sksparse_nn.modules._compressed_convolution import (
    PrunedConvolution,
    QuantizedConvolution,
)
from sksparse_nn.modules._patches import PatchLayer
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._projection import ProjectionLayer
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear
from sksparse_nn.modules._sparse_coding import SparseCodingLayer
from sksparse_nn.modules._thresholds import SoftThresholdLayer, TriangleLayer

__all__ = [
    "AttentionLayer",
    "PatchLayer",
    "Perceptron",
    "ProjectionLayer",
    "PrunedCoding",
    "PrunedConvolution",
    "PrunedLinear",
    "QuantizedCoding",
    "QuantizedConvolution",
    "QuantizedLinear",
    "SoftThresholdLayer",
    "SparseCodingLayer",
    "TriangleLayer",
]
