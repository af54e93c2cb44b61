"""Kinds of targets: classes, indicators of several labels, numbers."""

from sksparse_nn.neural._targets._base import Targets
from sksparse_nn.neural._targets._classes import Classes
from sksparse_nn.neural._targets._indicators import Indicators
from sksparse_nn.neural._targets._number_losses import (
    LOSSES,
    OwnRegressionLoss,
    make_loss,
)
from sksparse_nn.neural._targets._numbers import Numbers

__all__ = [
    "LOSSES",
    "Classes",
    "Indicators",
    "Numbers",
    "OwnRegressionLoss",
    "Targets",
    "make_loss",
]
