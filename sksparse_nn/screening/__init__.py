"""Screening: rows that break rules are excluded, and listed with the reason."""

from sksparse_nn.screening._row_screener import RowScreener
from sksparse_nn.screening._screened_estimator import ScreenedEstimator

__all__ = ["RowScreener", "ScreenedEstimator"]
