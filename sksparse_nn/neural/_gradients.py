"""Gradient of the loss of a trained network."""

from contextlib import contextmanager
from functools import partial

import torch

from sksparse_nn.modules._modes import own_modes
from sksparse_nn.neural._batches import BatchIterator
from sksparse_nn.neural._evaluation import loss_samples
from sksparse_nn.neural._skorch_networks import SkorchNetwork


def loss_gradients(estimator, X, y, sample_weight, parameters):
    """Return the mean gradient of the loss, one array per parameter.

    Parameters
    ----------
    estimator : SparseNetClassifier, SparseNetRegressor or SkorchNetwork
        Fitted. It does not change. A skorch net reads its own samples.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    sample_weight : array-like of shape (n_samples,) or None
        Their weights.

    parameters : list of Parameter
        Parameters of the module of the estimator, also those that are not trained.

    Returns
    -------
    gradients : list of ndarray
        Shaped as the parameters.
    """
    losses = partial(_losses, estimator, X, y, sample_weight)
    if isinstance(estimator, SkorchNetwork):
        losses = estimator.losses
    modes, unfrozen = own_modes(), _unfrozen(parameters)
    with modes, torch.inference_mode(False), torch.enable_grad(), unfrozen:
        totals = [torch.zeros_like(parameter) for parameter in parameters]
        for loss, share in losses():
            parts = torch.autograd.grad(loss, parameters, allow_unused=True)
            for total, part in zip(totals, parts, strict=True):
                if part is not None:  # a layer that never runs
                    total += share * part
    return [total.cpu().numpy() for total in totals]


def _losses(estimator, X, y, sample_weight):
    """Yield the loss of each batch, and its share in the samples."""
    net = estimator.net_
    samples = loss_samples(estimator, X, y, sample_weight)
    for inputs, target in BatchIterator(samples, net.batch_size):
        loss = net.get_loss(net.infer(inputs), target, X=inputs)
        yield loss, len(target) / len(samples)


@contextmanager
def _unfrozen(parameters):
    """Let gradients flow to all parameters."""
    frozen = [parameter for parameter in parameters if not parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
