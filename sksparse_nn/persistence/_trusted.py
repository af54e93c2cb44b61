"""Which types of a file of skops are safe to load.

skops checks the types in a file, not what they hold. So a type is on the list only if
no state of it, and no call of it with plain arguments, runs code, reads a file or holds
bytes. That leaves out nets of skorch, which keep pickles, its callbacks, which read
files, and everything of the user.
"""

import scipy.sparse
import torch
from sklearn.model_selection import KFold, StratifiedKFold

import sksparse_nn
from sksparse_nn.compression._for_prediction import LeftOut
from sksparse_nn.neural._targets import (
    LOSSES,
    Classes,
    Indicators,
    Numbers,
    OwnRegressionLoss,
)
from sksparse_nn.neural.augmentation import AUGMENTATIONS
from sksparse_nn.screening._reconstruction import ReconstructionDetector
from sksparse_nn.solvers import coding, dictionary, patches, simplex, svd

_REGISTRIES = [
    coding.CODERS,
    dictionary.LEARNERS,
    patches.ENCODERS,
    patches.LEARNERS,
    simplex.KEYS,
    simplex.MAPPINGS,
    svd.SOLVERS,
    AUGMENTATIONS,
    LOSSES,
]

# What estimators hold besides algorithms. Searches of scikit-learn hold their folds and
# a scorer, CSR matrices are read by NumPy without pickles.
_PARTS = [
    *(Classes, Indicators, Numbers, OwnRegressionLoss, LeftOut),
    ReconstructionDetector,
    *(scipy.sparse.csr_array, scipy.sparse.csr_matrix, torch.device),
    *(KFold, StratifiedKFold),
]

# Of scikit-learn, too; the last two are in searches that 1.7 has saved.
_PRIVATE = [
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
]


def name_trusted_types():
    """Return the names of all types that are safe.

    Returns
    -------
    names : list of str
        In alphabetical order.
    """
    public = (getattr(sksparse_nn, name) for name in sksparse_nn.__all__)
    algorithms = (kind for entries in _REGISTRIES for kind in entries.values())
    kinds = [*(kind for kind in public if isinstance(kind, type)), *algorithms, *_PARTS]
    return sorted(
        {f"{kind.__module__}.{kind.__name__}" for kind in kinds}.union(_PRIVATE)
    )
