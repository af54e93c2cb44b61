"""Layers and networks in torch alone, as estimators hold them in ``net_.module_``."""

from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear

__all__ = ["Perceptron", "PrunedLinear", "QuantizedLinear"]
