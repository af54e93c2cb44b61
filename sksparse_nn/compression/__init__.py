"""Compression of networks: estimators that wrap one and make its network smaller."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.compression._factorizer import NetFactorizer
from sksparse_nn.compression._for_prediction import for_prediction
from sksparse_nn.compression._pruner import NetPruner
from sksparse_nn.compression._quantizer import NetQuantizer
from sksparse_nn.compression._report import compression_report

__all__ = [
    "NetFactorizer",
    "NetPruner",
    "NetQuantizer",
    "compression_report",
    "for_prediction",
]
