"""What targets can be: classes, indicators of several labels, numbers."""

from sksparse_nn.neural._targets._base import Targets
from sksparse_nn.neural._targets._classes import Classes
from sksparse_nn.neural._targets._indicators import Indicators
from sksparse_nn.neural._targets._numbers import Numbers

__all__ = ["Classes", "Indicators", "Numbers", "Targets"]
