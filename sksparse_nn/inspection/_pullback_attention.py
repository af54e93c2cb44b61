"""How shares of keys move with the row, the keys that have any being given."""

import numpy as np
from scipy import sparse


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
    out = np.zeros((*worths.shape[:2], keys.shape[1]))
    for i in range(codes.shape[0]):
        row = codes[[i]]
        slopes = _slopes(coder, keys[row.indices], row.data.astype(np.float64))
        out[i] = worths[i][:, row.indices] @ slopes
    return out


def _slopes(coder, keys, shares):
    """Differentiate shares by the row; they always sum to zero, as shares sum to one.

    Sparsemax moves by the keys less their mean, entmax by each times the root of its
    share, and a converged code by least squares.
    """
    if coder.iterate:
        return np.linalg.pinv(keys - keys.mean(axis=0)).T
    rates = np.sqrt(shares) if coder.mapping == "entmax15" else np.ones(len(shares))
    mean = rates @ keys / rates.sum()
    return rates[:, None] * (keys - mean) / coder.temperature_
