"""One table of all public estimators, in every algorithm and setting that matters."""

from functools import cache

import pytest

pytest.importorskip("torch", reason="networks are in the table")

from tests.compression.instances import COMPRESSORS
from tests.decomposition.attention_coders import ATTENTION_CODERS
from tests.decomposition.coders import SPARSE_CODERS
from tests.decomposition.reducers import REDUCERS
from tests.feature_extraction.patch_coders import PATCH_CODERS
from tests.inspection.instances import ACTIVATIONS
from tests.model_selection.searches import SEARCHES
from tests.neural.instances import AUTOENCODERS, NETS
from tests.screening.instances import SCREENED, SCREENERS

TRANSFORMERS = [*REDUCERS, *SPARSE_CODERS, *ATTENTION_CODERS, *PATCH_CODERS]
SEEDED = [*TRANSFORMERS, *NETS, *AUTOENCODERS]
ESTIMATORS = [
    *SEEDED,
    *SEARCHES,
    *COMPRESSORS,
    *ACTIVATIONS,
    *SCREENERS,
    *SCREENED,
]


@cache
def name_of(estimator):
    """Name a test after the parameters that are not defaults."""
    return repr(estimator).replace(" ", "").replace("\n", "")
