"""The report of a fitted pipeline as one HTML page."""

from sksparse_nn.inspection.pages._report import report

__all__ = [
    "report",
]
