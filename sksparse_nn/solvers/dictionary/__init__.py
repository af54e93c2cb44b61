"""Dictionary learners. To add one, write its file and its line in `LEARNERS`."""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers.dictionary._base import (
    AbstractLearner,
    Progress,
    code_rows,
    compute_mean_objective,
)
from sksparse_nn.solvers.dictionary._coded_sums import CodedSums
from sksparse_nn.solvers.dictionary._distinct import count_directions
from sksparse_nn.solvers.dictionary._epochs import History
from sksparse_nn.solvers.dictionary._initial import (
    INITS,
    init_dictionary,
    normalise_atoms,
)
from sksparse_nn.solvers.dictionary._ksvd import KSVD, ExactKSVD
from sksparse_nn.solvers.dictionary._last_epoch import LastEpoch
from sksparse_nn.solvers.dictionary._mod import MOD
from sksparse_nn.solvers.dictionary._online import OnlineLearner
from sksparse_nn.solvers.dictionary._samples import Samples
from sksparse_nn.solvers.dictionary._state import DictionaryState, Plan
from sksparse_nn.solvers.dictionary._statistics import Statistics, measure_usage
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
    "CodedSums",
    "DictionaryState",
    "ExactKSVD",
    "History",
    "LastEpoch",
    "OnlineLearner",
    "Plan",
    "Progress",
    "Samples",
    "Statistics",
    "StreamingLearner",
    "code_rows",
    "compute_mean_objective",
    "count_directions",
    "init_dictionary",
    "measure_usage",
    "normalise_atoms",
    "update_dictionary",
]
