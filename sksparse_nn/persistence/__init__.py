"""Estimators saved so that loading them runs no code, and cards that describe them."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.persistence._card import model_card
from sksparse_nn.persistence._trusted import name_trusted_types

#: Names of types that run no code when they are loaded, for `skops.io.load`.
TRUSTED_TYPES = name_trusted_types()

__all__ = ["TRUSTED_TYPES", "model_card"]
