"""Change atoms of an activation and see what the network answers."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sksparse_nn.inspection.activations._networks import (
    answers,
    check_network,
    module_of,
    network_and_rows,
)
from sksparse_nn.inspection.atoms._reconstruction import check_coder, reconstruction
from sksparse_nn.modules._hooks import shown


def steer(
    estimator, coder, X, *, atoms, layer=None, scale=0.0, value=None, keep_error=True
):
    """Predict with some atoms of an activation removed, scaled or set.

    Parameters
    ----------
    estimator : estimator
        A fitted network, pipeline or compressor, as `LayerActivations` takes it.

    coder : estimator
        A `SparseDictionaryCoder`, a `TopKAutoencoder` or any transformer with an
        ``inverse_transform``, fitted to the activations of the layer.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples that the estimator takes.

    atoms : int or array-like of int
        Columns of the codes to change.

    layer : str, int or None, default=None
        The layer, as in `LayerActivations`.

    scale : float, default=0.0
        What the coefficients of the atoms are multiplied by; 0 removes the atoms.

    value : float or None, default=None
        What the coefficients are set to instead, in all rows.

    keep_error : bool, default=True
        Whether what the codes do not have of an activation stays part of it, so that
        nothing but the atoms changes. Otherwise both predictions are those with the
        reconstruction alone.

    Returns
    -------
    before, after : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Predictions, without and with the change: probabilities of a classifier, numbers
        of others. With ``scale=1`` they are the same to the last bit.

    Raises
    ------
    TypeError
        If there is no network at the end of the estimator, or the coder has no
        ``inverse_transform``.
    ValueError
        If there is no such atom.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sksparse_nn import (
    ...     LayerActivations, SparseDictionaryCoder, SparseNetClassifier
    ... )
    >>> from sksparse_nn.inspection import steer
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((32,), learning_rate=0.01, random_state=0)
    >>> net = net.fit(X / 16, y)
    >>> A = LayerActivations(FrozenEstimator(net)).fit_transform(X / 16)
    >>> coder = SparseDictionaryCoder(
    ...     64, algorithm="omp", n_nonzero_coefs=8, random_state=0
    ... ).fit(A)
    >>> before, after = steer(net, coder, X / 16, atoms=3)
    >>> before.shape == after.shape == (1797, 10)
    True
    """
    check_network(estimator, "steer")
    check_coder(coder)
    check_is_fitted(estimator)
    network, Z = network_and_rows(estimator, X)

    def unchanged(rows):
        return None if keep_error else reconstruction(coder, rows)

    def changed(rows):
        codes = coder.transform(rows)
        edited = coder.inverse_transform(_edited(codes, atoms, scale, value))
        return (
            rows + (edited - coder.inverse_transform(codes)) if keep_error else edited
        )

    predictions = []
    for see in (unchanged, changed):
        with shown(module_of(network), layer, see):
            predictions.append(answers(network, Z))
    return tuple(predictions)


def _edited(codes, atoms, scale, value):
    """Return codes in which some columns are scaled, or set where there is a value."""
    atoms = _checked(atoms, codes.shape[1])
    codes = codes if sparse.issparse(codes) else np.asarray(codes)
    codes = codes.astype(np.result_type(codes.dtype, np.float32), copy=False)
    if value is None:
        factors = np.ones(codes.shape[1], codes.dtype)
        factors[atoms] = scale
        if sparse.issparse(codes):
            return codes.multiply(factors).tocsr()
        return codes * factors
    codes = codes.tolil() if sparse.issparse(codes) else np.array(codes)
    codes[:, atoms] = value
    return codes.tocsr() if sparse.issparse(codes) else codes


def _checked(atoms, n_atoms):
    indices = np.atleast_1d(atoms)
    is_integer = np.issubdtype(indices.dtype, np.integer)
    if not is_integer or indices.min() < 0 or indices.max() >= n_atoms:
        raise ValueError(
            f"atoms must be columns of the codes, integers from 0 to {n_atoms - 1}. "
            f"Got {atoms!r}."
        )
    return indices
