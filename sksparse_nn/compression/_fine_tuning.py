"""Train a network on after it lost a part of its weights."""

import torch
from skorch.callbacks import Callback, LRScheduler

from sksparse_nn.modules._linear_layers import linear_layers
from sksparse_nn.neural._batches import rows_per_batch

# Learning rate of fine-tuning, of the network's own: the optimizer begins anew, and its
# first steps are long.
_SLOWER = 0.3


class KeepZeros(Callback):
    """Set the weights that were pruned to zero again after each step.

    Parameters
    ----------
    masks : list of Tensor of bool
        Weights that stay, a matrix a linear layer.
    """

    def __init__(self, masks):
        self.masks = masks

    def on_batch_end(self, net, training=None, **kwargs):
        """Multiply by the masks.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        training : bool
            Whether the optimizer made a step.

        **kwargs : dict
            Not used.
        """
        if training:
            keep_zeros(net.module_, self.masks)


@torch.no_grad()
def keep_zeros(module, masks):
    """Set all weights of the linear layers outside masks to zero.

    Parameters
    ----------
    module : torch.nn.Module
        Its layers are plain.

    masks : list of Tensor of bool
        Weights that stay.
    """
    for layer, mask in zip(linear_layers(module), masks, strict=True):
        layer.weight.mul_(mask)


def fine_tune(network, data, epochs, callbacks=()):
    """Train a fitted network on for some epochs, in place.

    Parameters
    ----------
    network : SparseNetClassifier or SparseNetRegressor
        Fitted, its net ready to train.

    data : tuple
        Rows, targets and sample weights or None.

    epochs : int
        How many.

    callbacks : sequence of skorch.callbacks.Callback, default=()
        Work beside the network's own. Schedules of the learning rate among these do
        not: they have come to their end.
    """
    X, y, sample_weight = data
    own = network.get_params(deep=False)
    network.set_params(
        callbacks=[*filter(_goes_on, own["callbacks"] or []), *callbacks],
        learning_rate=_SLOWER * own["learning_rate"],
        batch_size=rows_per_batch(own["batch_size"], X.shape[0]),
    )
    try:
        for _ in range(epochs):
            network.partial_fit(X, y, sample_weight=sample_weight)
    finally:
        network.set_params(**own)


def _goes_on(callback):
    named = isinstance(callback, (tuple, list))
    return not isinstance(callback[-1] if named else callback, LRScheduler)
