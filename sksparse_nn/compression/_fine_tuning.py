"""Fine-tuning of a network that was compressed."""

import torch
from skorch.callbacks import Callback, LRScheduler

from sksparse_nn._progress import silent
from sksparse_nn.compression._samples import spread_samples
from sksparse_nn.modules._linear_layers import has_matrix, select_layers, trained_weight
from sksparse_nn.neural._batches import rows_per_batch
from sksparse_nn.neural._distillation import Teacher
from sksparse_nn.neural._skorch_networks import SkorchNetwork

# Factor of the network's learning rate. The optimizer starts afresh, and its first
# steps are long.
_SLOWER = 0.3


class KeepZeros(Callback):
    """Set pruned weights back to zero after each step.

    Parameters
    ----------
    masks : list of Tensor of bool
        Weights to keep, one matrix per layer that has one.
    """

    def __init__(self, masks):
        self.masks = masks

    def on_batch_end(self, net, training=None, **kwargs):
        """Multiply the weights by the masks.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        training : bool
            Whether the optimizer made a step.

        **kwargs : dict
            Ignored.
        """
        if training:
            keep_zeros(net.module_, self.masks)


@torch.no_grad()
def keep_zeros(module, masks):
    """Set all weights and entries of atoms to zero that are not in the masks.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    masks : list of Tensor of bool
        Weights to keep, one matrix per layer that has one.
    """
    for layer, mask in zip(select_layers(module, has_matrix), masks, strict=True):
        trained_weight(layer).mul_(mask)


class ReportEpochs(Callback):
    """Begin and end a task with each epoch, and print a line.

    Parameters
    ----------
    report : ProgressLines
        Its task is that of all epochs.
    """

    def __init__(self, report):
        self.report = report

    def on_epoch_begin(self, net, **kwargs):
        """Begin a task.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Ignored.
        """
        self.task_ = self.report.task.start("fine-tuning-epoch")

    def on_epoch_end(self, net, **kwargs):
        """End the task, and stop if a callback of scikit-learn asks for it.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Ignored.
        """
        row = net.history[-1]
        losses = [f"train loss {row['train_loss']:.5f}"] * ("train_loss" in row)
        self.report(", ".join([f"epoch {row['epoch']} of fine-tuning", *losses]))
        self.task_.end()
        if self.task_.is_stopped:
            self.report.task.is_stopped = True
            raise KeyboardInterrupt


def fine_tune(network, data, epochs, callbacks=(), *, teacher=None, report=silent):
    """Train a fitted network for some more epochs, in place.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or SkorchNetwork
        A fitted network with an optimizer.

    data : tuple
        Samples, targets, and sample weights or None. A skorch net reads its own.

    epochs : int
        Number of epochs.

    callbacks : sequence of skorch.callbacks.Callback, default=()
        Callbacks besides the network's own. Its schedules of the learning rate are left
        out, as they have ended.

    teacher : torch.nn.Module or None, default=None
        The module whose outputs to train on; None for the targets.

    report : ProgressLines, default=silent
        Prints a line per epoch; its task has the epochs as subtasks.
    """
    callbacks = [*callbacks, ReportEpochs(report)]
    if teacher is not None:
        teacher = Teacher(teacher.to(network.net_.device).eval(), network.net_)
    if isinstance(network, SkorchNetwork):
        network.train(epochs, callbacks, teacher=teacher, slower=_SLOWER)
        return
    n_samples, (X, y, sample_weight) = data[0].shape[0], spread_samples(*data)
    y = network.predict(X) if y is None else y  # says nothing new to a teacher
    own = network.get_params(deep=False)
    network.set_params(
        callbacks=[*filter(_is_still_needed, own["callbacks"] or []), *callbacks],
        learning_rate=_SLOWER * own["learning_rate"],
        batch_size=rows_per_batch(own["batch_size"], n_samples),
    )
    try:
        for _ in range(epochs):
            if not report.task.is_stopped:
                network.net_.teacher = teacher
                network.partial_fit(X, y, sample_weight=sample_weight)
    finally:
        vars(network.net_).pop("teacher", None)
        network.set_params(**own)


def _is_still_needed(callback):
    named = isinstance(callback, (tuple, list))
    return not isinstance(callback[-1] if named else callback, LRScheduler)
