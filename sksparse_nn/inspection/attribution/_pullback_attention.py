"""How shares of keys move with the row, the keys that have any being given."""

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.simplex import coding_at


def shares_to_rows(coder, codes, worths):
    """Turn worths of shares into worths of the features of the rows.

    Parameters
    ----------
    coder : SparseAttentionCoder
        Fitted.

    codes : {ndarray, CSR matrix} of shape (n_samples, n_keys)
        Codes of the rows.

    worths : ndarray of shape (n_samples, n_targets, n_keys)
        What a unit of each share adds to each target.

    Returns
    -------
    worths : ndarray of shape (n_samples, n_targets, n_features)
        What a unit of each feature adds.
    """
    keys, codes = coder.keys_.astype(np.float64), sparse.csr_array(codes)
    coding = coding_at(coder._mapping(), coder.temperature_, coder._converged())
    out = np.zeros((*worths.shape[:2], keys.shape[1]))
    for i in range(codes.shape[0]):
        row = codes[[i]]
        slopes = coding.slopes(keys[row.indices], row.data.astype(np.float64))
        out[i] = worths[i][:, row.indices] @ slopes
    return out
