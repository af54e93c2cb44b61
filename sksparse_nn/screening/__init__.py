"""Screening: rows that break rules are excluded, and listed with the reason."""

from sksparse_nn.screening._row_screener import RowScreener

__all__ = ["RowScreener"]
