"""One line of progress per epoch."""

import sys

from skorch.callbacks import Callback


class ProgressLine(Callback):
    """Write the losses and the seconds of each epoch to standard output."""

    def on_epoch_end(self, net, **kwargs):
        """Write a line.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Not used.
        """
        row = net.history[-1]
        parts = [f"epoch {row['epoch']:>4}", f"train loss {row['train_loss']:.5f}"]
        if "valid_loss" in row:
            parts.append(f"valid loss {row['valid_loss']:.5f}")
        parts.append(f"{row['dur']:.2f} s")
        sys.stdout.write("  ".join(parts) + "\n")
        sys.stdout.flush()
