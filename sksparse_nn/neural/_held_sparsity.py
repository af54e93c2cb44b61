"""Hold the number of nonzero codes while a coder is tuned."""

from skorch.callbacks import Callback

# Share of the way, in logarithms, that a batch moves the penalty, and bounds of a move.
_RATE = 0.1
_LEAST, _MOST = 0.5, 2.0


class HoldSparsity(Callback):
    """Move the penalty of a layer of codes after each batch.

    Parameters
    ----------
    n_active : float
        Mean number of nonzero codes per sample to hold.
    """

    def __init__(self, n_active):
        self.n_active = n_active

    def on_batch_end(self, net, training=None, **kwargs):
        """Raise the penalty if there are too many nonzeros, or lower it.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        training : bool
            Whether the batch was trained on.

        **kwargs : dict
            Not used.
        """
        if training:
            layer = net.module_.coding
            ratio = min(max(layer.n_active / self.n_active, _LEAST), _MOST)
            layer.sparsify(ratio**_RATE)
