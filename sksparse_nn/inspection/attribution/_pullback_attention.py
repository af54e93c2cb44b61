"""Attributions of shares of keys, passed back to features with the keys held fixed."""

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.simplex import make_coding


def pull_shares_back(coder, codes, attributions):
    """Pass attributions of shares back to features.

    Parameters
    ----------
    coder : SparseAttentionCoder
        Fitted.

    codes : {ndarray, CSR matrix} of shape (n_samples, n_keys)
        Codes of the rows.

    attributions : ndarray of shape (n_samples, n_targets, n_keys)
        Contribution of each share to each target, per unit.

    Returns
    -------
    attributions : ndarray of shape (n_samples, n_targets, n_features)
        Contribution of each feature, per unit.
    """
    keys, codes = coder.keys_.astype(np.float64), sparse.csr_array(codes)
    coding = make_coding(coder._mapping(), coder.temperature_, coder._converged())
    out = np.zeros((*attributions.shape[:2], keys.shape[1]))
    for i in range(codes.shape[0]):
        row = codes[[i]]
        slopes = coding.slopes(keys[row.indices], row.data.astype(np.float64))
        out[i] = attributions[i][:, row.indices] @ slopes
    return out
