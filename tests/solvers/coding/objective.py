"""What codes cost, as coders that approximate rows define it."""

import numpy as np


def objectives(X, D, C, coder):
    """Return the objective of each row, in float64 for codes of any float type."""
    C = np.asarray(C, dtype=np.float64)
    errors = 0.5 * ((X - C @ D) ** 2).sum(axis=1)
    if not coder.penalised:
        return errors
    share = coder.l1_ratio * np.abs(C) + 0.5 * (1 - coder.l1_ratio) * C**2
    return errors + coder.alpha * share.sum(axis=1)
