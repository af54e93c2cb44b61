"""Types of what users hand in and get back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

# Samples or targets: whatever scikit-learn takes.
MatrixLike = ArrayLike | sparse.spmatrix | sparse.sparray

# Codes: CSR or dense, as the estimator's parameters say.
Codes = sparse.csr_matrix | NDArray

Seed = int | np.random.RandomState | None
