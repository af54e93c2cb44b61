"""One code per sample and atom, also if a transformer has several outputs per atom."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._pipelines import last_step
from sksparse_nn._structure import check_structure
from sksparse_nn.feature_extraction import ImagePatchCoder


def find_coder(transformer):
    """Return the transformer, or the last step of a pipeline, if it has atoms.

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
        If it has no atoms.
    """
    coder = last_step(transformer)
    check_is_fitted(coder)
    if not hasattr(coder, "components_"):
        raise TypeError(
            "transformer must be one that has atoms (components_), or a Pipeline that "
            f"ends in one. Got {type(coder).__name__}; leave out the steps behind it."
        )
    return coder


def code_rows(transformer, X):
    """Encode samples, with one column per atom.

    Parameters
    ----------
    transformer : transformer
        Fitted, with ``components_``, or a pipeline of transformers that ends in one.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Rows.

    Returns
    -------
    codes : CSR array of shape (n_samples, n_atoms)
        As from `merge_by_atom`.

    Raises
    ------
    TypeError
        If there are no atoms at the end.
    ValueError
        If the indices of a sparse `X` are not within its shape.
    """
    coder = find_coder(transformer)
    check_structure(X)  # scikit-learn's own steps do not
    return merge_by_atom(coder, transformer.transform(X))


def merge_by_atom(coder, codes):
    """Merge codes into one column per atom.

    Positive and negative parts of split codes are joined. For pooled patches, the
    magnitudes of all regions and signs are summed.

    Parameters
    ----------
    coder : transformer
        With ``components_``.

    codes : {ndarray, sparse matrix} of shape (n_samples, n_outputs)
        Output of the coder.

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


def to_array(rows):
    """Convert rows to a dense array.

    Parameters
    ----------
    rows : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_features)
        In the type of `rows`.
    """
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
