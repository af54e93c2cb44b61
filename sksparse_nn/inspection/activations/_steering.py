"""Change atoms of an activation and compare the predictions of the network."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._typing import MatrixLike
from sksparse_nn.inspection.activations._networks import (
    answers,
    check_network,
    check_positions,
    find_network_and_rows,
    module_of,
)
from sksparse_nn.inspection.atoms._reconstruction import check_coder, reconstruct
from sksparse_nn.modules._hooks import watch_activation


def steer(
    estimator: BaseEstimator,
    coder: BaseEstimator,
    X: MatrixLike,
    *,
    atoms: int | ArrayLike,
    layer: str | int | None = None,
    positions: bool | str = False,
    scale: float = 0.0,
    value: float | None = None,
    keep_error: bool = True,
) -> NDArray:
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

    positions : bool or "channels_last", default=False
        Whether the coder takes a row per position of the layer, as in
        `LayerActivations`.

    scale : float, default=0.0
        Factor of the coefficients of the atoms; 0 removes the atoms.

    value : float or None, default=None
        Value that replaces the coefficients in all samples.

    keep_error : bool, default=True
        Whether to add the reconstruction error back to the activation, so that only
        the atoms change. Otherwise both predictions use the reconstruction alone.

    Returns
    -------
    before, after : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Predictions before and after the change: probabilities for a classifier,
        values for a regressor. With ``scale=1`` they are the same to the last bit.

    Raises
    ------
    TypeError
        If there is no network at the end of the estimator, or the coder has no
        ``inverse_transform``.
    ValueError
        If an atom does not exist.

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
    check_positions(positions)
    network, Z = find_network_and_rows(estimator, X)

    def leave_atoms(rows):
        return None if keep_error else reconstruct(coder, rows)

    def change_atoms(rows):
        codes = coder.transform(rows)
        edited = coder.inverse_transform(_edit(codes, atoms, scale, value))
        return (
            rows + (edited - coder.inverse_transform(codes)) if keep_error else edited
        )

    predictions = []
    for see in (leave_atoms, change_atoms):
        with watch_activation(module_of(network), layer, see, positions):
            predictions.append(answers(network, Z))
    return tuple(predictions)


def _edit(codes, atoms, scale, value):
    """Return codes with some columns scaled, or set if a value is given."""
    atoms = _check_atoms(atoms, codes.shape[1])
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


def _check_atoms(atoms, n_atoms):
    indices = np.atleast_1d(atoms)
    is_integer = np.issubdtype(indices.dtype, np.integer)
    if not is_integer or indices.min() < 0 or indices.max() >= n_atoms:
        raise ValueError(
            f"atoms must be columns of the codes, integers from 0 to {n_atoms - 1}. "
            f"Got {atoms!r}."
        )
    return indices
