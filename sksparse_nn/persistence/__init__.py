"""Estimators saved so that loading them runs no code, and cards that describe them."""

from sksparse_nn.persistence._card import model_card
from sksparse_nn.persistence._trusted import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "model_card"]
