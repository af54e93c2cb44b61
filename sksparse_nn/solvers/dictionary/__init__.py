"""Dictionary learners. To add one, write its file and its line in `LEARNERS`."""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers.dictionary._base import (
    AbstractLearner,
    Progress,
    code_rows,
    mean_objective,
)
from sksparse_nn.solvers.dictionary._distinct import n_directions
from sksparse_nn.solvers.dictionary._epochs import History
from sksparse_nn.solvers.dictionary._initial import (
    INITS,
    initial_dictionary,
    unit_atoms,
)
from sksparse_nn.solvers.dictionary._ksvd import KSVD, ExactKSVD
from sksparse_nn.solvers.dictionary._last_epoch import LastEpoch
from sksparse_nn.solvers.dictionary._merge import merged
from sksparse_nn.solvers.dictionary._mod import MOD
from sksparse_nn.solvers.dictionary._online import OnlineLearner
from sksparse_nn.solvers.dictionary._samples import Samples
from sksparse_nn.solvers.dictionary._statistics import Statistics, usage
from sksparse_nn.solvers.dictionary._stream import Stream
from sksparse_nn.solvers.dictionary._streaming import StreamingLearner
from sksparse_nn.solvers.dictionary._update import update_dictionary

LEARNERS = Registry(
    "learner",
    online=OnlineLearner,
    ksvd=KSVD,
    exact_ksvd=ExactKSVD,
    mod=MOD,
)

__all__ = [
    "INITS",
    "KSVD",
    "LEARNERS",
    "MOD",
    "AbstractLearner",
    "ExactKSVD",
    "History",
    "LastEpoch",
    "OnlineLearner",
    "Progress",
    "Samples",
    "Statistics",
    "Stream",
    "StreamingLearner",
    "code_rows",
    "initial_dictionary",
    "mean_objective",
    "merged",
    "n_directions",
    "unit_atoms",
    "update_dictionary",
    "usage",
]
