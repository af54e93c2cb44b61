"""Early stopping at the lowest loss."""

from skorch.callbacks import EarlyStopping
from skorch.utils import noop


class LowestLoss(EarlyStopping):
    """Stop once a loss no longer falls, and restore the weights of its lowest value.

    Parameters
    ----------
    monitor : {"valid_loss", "train_loss"}
        The loss.

    patience : Patience
        Rule for when it no longer falls.
    """

    def __init__(self, monitor, patience):
        super().__init__(monitor, patience=None, threshold=0, load_best=True, sink=noop)
        self.rule = patience

    def on_train_begin(self, net, **kwargs):
        """Forget the losses of a previous training.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Passed on to skorch.
        """
        super().on_train_begin(net, **kwargs)
        self.losses_ = []

    def on_epoch_end(self, net, **kwargs):
        """Keep the weights of the lowest loss; stop if it no longer falls.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Passed on to skorch.
        """
        super().on_epoch_end(net, **kwargs)
        self.losses_.append(net.history[-1, self.monitor])
        if self.rule.is_over(self.losses_):
            raise KeyboardInterrupt
