"""Attributions of codes, passed back to features with the chosen atoms held fixed."""

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.coding import Atoms


def pull_codes_back(coder, X, codes, attributions):
    """Pass attributions of codes back to features.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        Fitted.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Rows.

    codes : {ndarray, CSR matrix} of shape (n_samples, n_outputs)
        Their codes.

    attributions : ndarray of shape (n_samples, n_targets, n_outputs)
        Contribution of each code to each target, per unit.

    Returns
    -------
    attributions : ndarray of shape (n_samples, n_targets, n_features)
        Contribution of each feature, per unit.
    """
    atoms = Atoms.of(coder.components_.astype(np.float64), gram=False)
    algorithm, codes = coder._coder(len(atoms.norms)), sparse.csr_array(codes)
    out = np.zeros((*attributions.shape[:2], atoms.shape[1]))
    for i in range(codes.shape[0]):
        columns = codes[[i]].indices
        is_negative, chosen = np.divmod(columns, len(atoms.norms))
        attribution = attributions[i][:, columns] * np.where(is_negative, -1.0, 1.0)
        row = X[[i]].toarray()[0] if sparse.issparse(X) else X[i]
        if len(chosen):
            out[i] = attribution @ algorithm.slopes(atoms, chosen, row)
    return out
