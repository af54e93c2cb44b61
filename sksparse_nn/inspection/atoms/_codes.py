"""One code a row and atom, of transformers that say more than one thing of an atom."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._pipelines import last_step
from sksparse_nn._structure import check_structure
from sksparse_nn.feature_extraction import ImagePatchCoder


def coder_of(transformer):
    """Return the last step, if this is a pipeline, and check that it has atoms.

    Parameters
    ----------
    transformer : transformer
        Fitted, or a pipeline of transformers.

    Returns
    -------
    coder : transformer
        With ``components_``.

    Raises
    ------
    TypeError
        If it has none.
    """
    coder = last_step(transformer)
    check_is_fitted(coder)
    if not hasattr(coder, "components_"):
        raise TypeError(
            "transformer must be one that has atoms (components_), or a Pipeline that "
            f"ends in one. Got {type(coder).__name__}; leave out what stands behind it."
        )
    return coder


def codes_of_rows(transformer, X):
    """Code rows, with one column an atom.

    Parameters
    ----------
    transformer : transformer
        Fitted, with ``components_``, or a pipeline of transformers that ends in one.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Rows.

    Returns
    -------
    codes : CSR array of shape (n_samples, n_atoms)
        As from `codes_of_atoms`.

    Raises
    ------
    TypeError
        If there are no atoms at the end.
    ValueError
        If the indices of a sparse `X` are not within its shape.
    """
    coder = coder_of(transformer)
    check_structure(X)  # scikit-learn's own steps do not
    return codes_of_atoms(coder, transformer.transform(X))


def codes_of_atoms(coder, codes):
    """Bring codes to one column an atom.

    Parts of split sign are taken together again. Of pooled patches the magnitudes of
    all regions and signs are added up.

    Parameters
    ----------
    coder : transformer
        With ``components_``.

    codes : {ndarray, sparse matrix} of shape (n_samples, n_outputs)
        Its output.

    Returns
    -------
    codes : CSR array of shape (n_samples, n_atoms)
        In float64.
    """
    codes = sparse.csr_array(codes, dtype=np.float64)
    n_atoms = coder.components_.shape[0]
    if codes.shape[1] == n_atoms:
        return codes
    parts = [
        codes[:, start : start + n_atoms] for start in range(0, codes.shape[1], n_atoms)
    ]
    if isinstance(coder, ImagePatchCoder):
        return sparse.csr_array(sum(abs(part) for part in parts))
    return sparse.csr_array(parts[0] - parts[1])


def dense(rows):
    """Return rows as an array.

    Parameters
    ----------
    rows : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_features)
        Of their type.
    """
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
