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
    slopes, codes = _SLOPES[coder.algorithm], sparse.csr_array(codes)
    out = np.zeros((*worths.shape[:2], atoms.unit.shape[1]))
    for i in range(codes.shape[0]):
        columns = codes[[i]].indices
        is_negative, chosen = np.divmod(columns, len(atoms.unit))
        worth = worths[i][:, columns] * np.where(is_negative, -1.0, 1.0)
        row = X[[i]].toarray()[0] if sparse.issparse(X) else X[i]
        if len(chosen):
            out[i] = worth @ slopes(coder, atoms, chosen, row)
    return out


def _of_least_squares(coder, atoms, chosen, row):
    D = atoms.unit[chosen]
    return np.linalg.pinv(D.T) / _norms(atoms, chosen)


def _of_elastic_net(coder, atoms, chosen, row):
    D = atoms.unit[chosen]
    _, ridges = coder._coder(len(atoms.unit)).penalties(atoms.norms)
    if not ridges.any():
        return _of_least_squares(coder, atoms, chosen, row)
    gram = D @ D.T + np.diag(ridges[chosen])
    return np.linalg.solve(gram, D) / _norms(atoms, chosen)


def _of_products(coder, atoms, chosen, row):
    return atoms.unit[chosen] / _norms(atoms, chosen)


def _of_distances(coder, atoms, chosen, row):
    away = row - atoms.given
    lengths = np.linalg.norm(away, axis=1, keepdims=True)
    directions = away / np.where(lengths > 0, lengths, np.inf)
    return directions.mean(axis=0) - directions[chosen]


def _norms(atoms, chosen):
    norms = atoms.norms[chosen]
    return np.where(norms > 0, norms, 1)[:, None]


_SLOPES = {
    "omp": _of_least_squares,
    "ols": _of_least_squares,
    "lasso": _of_least_squares,
    "elastic_net": _of_elastic_net,
    "threshold": _of_products,
    "soft_threshold": _of_products,
    "top_k": _of_products,
    "triangle": _of_distances,
}
