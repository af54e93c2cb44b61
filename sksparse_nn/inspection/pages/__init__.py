"""The report of a fitted pipeline as one HTML page."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.inspection.pages._report import report

__all__ = [
    "report",
]
