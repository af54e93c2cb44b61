"""One line of progress per epoch."""

from skorch.callbacks import Callback

from sksparse_nn._progress import ProgressLines


class ProgressLine(Callback):
    """Print the losses of each epoch.

    Parameters
    ----------
    name : str
        Name of the estimator.
    """

    def __init__(self, name):
        self.name = name

    def on_train_begin(self, net, **kwargs):
        """Start to count the seconds.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Not used.
        """
        self.report_ = ProgressLines(self.name, verbose=1)

    def on_epoch_end(self, net, **kwargs):
        """Print a line.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Not used.
        """
        row = net.history[-1]
        parts = [f"epoch {row['epoch']}: train loss {row['train_loss']:.5f}"]
        if "valid_loss" in row:
            parts.append(f"valid loss {row['valid_loss']:.5f}")
        self.report_(", ".join(parts))
