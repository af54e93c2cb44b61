"""Layers and networks in torch alone, as estimators hold them in ``net_.module_``."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.modules import _folded_patches  # noqa: F401 (registers)
from sksparse_nn.modules._attention import AttentionLayer
from sksparse_nn.modules._compressed_coding import PrunedCoding, QuantizedCoding
from sksparse_nn.modules._compressed_convolution import (
    PrunedConvolution,
    QuantizedConvolution,
)
from sksparse_nn.modules._patch_convolution import PatchConvolution
from sksparse_nn.modules._patch_net import PatchNet
from sksparse_nn.modules._patches import PatchLayer
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._plain_conv_net import PlainConvNet
from sksparse_nn.modules._projection import ProjectionLayer
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear
from sksparse_nn.modules._resnet import ResNet8
from sksparse_nn.modules._sparse_coding import SparseCodingLayer
from sksparse_nn.modules._thresholds import SoftThresholdLayer, TriangleLayer

__all__ = [
    "AttentionLayer",
    "PatchConvolution",
    "PatchLayer",
    "PatchNet",
    "Perceptron",
    "PlainConvNet",
    "ProjectionLayer",
    "PrunedCoding",
    "PrunedConvolution",
    "PrunedLinear",
    "QuantizedCoding",
    "QuantizedConvolution",
    "QuantizedLinear",
    "ResNet8",
    "SoftThresholdLayer",
    "SparseCodingLayer",
    "TriangleLayer",
]
