"""How the codes of a dictionary move with the row, its atoms being chosen."""

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.coding import Atoms


def codes_to_rows(coder, X, codes, worths):
    """Turn worths of codes into worths of the features of the rows.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        Fitted.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Rows.

    codes : {ndarray, CSR matrix} of shape (n_samples, n_outputs)
        Their codes.

    worths : ndarray of shape (n_samples, n_targets, n_outputs)
        What a unit of each code adds to each target.

    Returns
    -------
    worths : ndarray of shape (n_samples, n_targets, n_features)
        What a unit of each feature adds.
    """
    atoms = Atoms.of(coder.components_.astype(np.float64), gram=False)
    algorithm, codes = coder._coder(len(atoms.norms)), sparse.csr_array(codes)
    out = np.zeros((*worths.shape[:2], atoms.shape[1]))
    for i in range(codes.shape[0]):
        columns = codes[[i]].indices
        is_negative, chosen = np.divmod(columns, len(atoms.norms))
        worth = worths[i][:, columns] * np.where(is_negative, -1.0, 1.0)
        row = X[[i]].toarray()[0] if sparse.issparse(X) else X[i]
        if len(chosen):
            out[i] = worth @ algorithm.slopes(atoms, chosen, row)
    return out
