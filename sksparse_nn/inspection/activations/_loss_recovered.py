"""Loss of a network when a reconstruction replaces an activation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._warnings import warn
from sksparse_nn.inspection.activations._networks import (
    activations,
    check_network,
    check_positions,
    find_network_and_rows,
    module_of,
)
from sksparse_nn.inspection.atoms._reconstruction import check_coder, reconstruct
from sksparse_nn.modules._hooks import watch_activation
from sksparse_nn.neural._evaluation import mean_loss

_BATCH_SIZE = 1024


def loss_recovered(
    estimator: BaseEstimator,
    coder: BaseEstimator,
    X: MatrixLike,
    y: ArrayLike,
    *,
    layer: str | int | None = None,
    positions: bool | str = False,
) -> Bunch:
    """Measure the loss of a network when a reconstruction replaces an activation.

    The loss with the reconstruction is placed on a scale on which 1 is the loss of the
    unchanged network and 0 is the loss without the activation.

    Parameters
    ----------
    estimator : estimator
        A fitted network, pipeline or compressor, as `LayerActivations` takes it.

    coder : estimator
        A `SparseDictionaryCoder`, a `TopKAutoencoder` or any transformer with an
        ``inverse_transform``, fitted to the activations of the layer.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples that the estimator takes.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    layer : str, int or None, default=None
        The layer, as in `LayerActivations`.

    positions : bool or "channels_last", default=False
        Whether the coder takes a row per position of the layer, as in
        `LayerActivations`.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Losses are those that the network was trained on, without penalties:

        loss : float
            Of the unchanged network.
        loss_reconstructed : float
            With the reconstruction in place of the activation.
        loss_zero, loss_mean : float
            With zeros, and with the mean activation of all the samples.
        recovered_zero, recovered_mean : float
            Share of the loss that the reconstruction recovers, relative to each of
            these. NaN, with a warning, if the replacement does not raise the loss.

    Raises
    ------
    TypeError
        If there is no network at the end of the estimator, or the coder has no
        ``inverse_transform``.

    See Also
    --------
    explained_variance : Error of the activation itself.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sksparse_nn import (
    ...     LayerActivations, SparseDictionaryCoder, SparseNetClassifier
    ... )
    >>> from sksparse_nn.inspection import loss_recovered
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((32,), learning_rate=0.01, random_state=0)
    >>> net = net.fit(X / 16, y)
    >>> A = LayerActivations(FrozenEstimator(net)).fit_transform(X / 16)
    >>> coder = SparseDictionaryCoder(
    ...     64, algorithm="omp", n_nonzero_coefs=8, random_state=0
    ... ).fit(A)
    >>> loss_recovered(net, coder, X / 16, y).recovered_mean > 0.95
    True
    """
    check_network(estimator, "loss_recovered")
    check_coder(coder)
    check_is_fitted(estimator)
    check_structure(y, "y")
    check_positions(positions)
    network, Z = find_network_and_rows(estimator, X)
    rows = activations(network, Z, layer, _BATCH_SIZE, positions)
    mean = rows.mean(axis=0, dtype=np.float64)
    replace = {
        "loss": lambda rows: None,
        "loss_reconstructed": lambda rows: reconstruct(coder, rows),
        "loss_zero": np.zeros_like,
        "loss_mean": lambda rows: np.broadcast_to(mean, rows.shape),
    }
    result = Bunch()
    for name, other in replace.items():
        with watch_activation(module_of(network), layer, other, positions):
            result[name] = mean_loss(network, Z, y)
    for name in ("zero", "mean"):
        result[f"recovered_{name}"] = _share(result, name)
    return result


def _share(result, name):
    ablated = result[f"loss_{name}"]
    cost = ablated - result["loss"]
    # Losses of batches are sums in float32: what is below its rounding counts as zero.
    rounding = 4 * np.finfo(np.float32).eps * max(abs(ablated), abs(result["loss"]))
    if not abs(cost) > rounding:
        warn(
            f"recovered_{name} is NaN: without the activation (loss_{name}) the loss "
            f"is {ablated:.6g} as it is with it.",
        )
        return float("nan")
    return (ablated - result["loss_reconstructed"]) / cost
