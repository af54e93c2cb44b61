"""Epochs of a training as tasks of a fit, for the callbacks of scikit-learn."""

from copy import deepcopy
from functools import partial

from skorch.callbacks import Callback


class EpochTasks(Callback):
    """Begin and end a task with each epoch.

    It comes ahead of the callback for early stopping, which ends the training at once.

    Parameters
    ----------
    task : Task
        The task of the fit.

    fitted : callable
        Takes the net, and returns the attributes, by name, of an estimator whose
        training stops there.

    Attributes
    ----------
    is_stopped : bool
        Whether a callback of scikit-learn has asked to stop.
    """

    def __init__(self, task, fitted):
        self.task, self.fitted = task, fitted
        self._epoch, self.is_stopped = None, False

    def on_epoch_begin(self, net, **kwargs):
        """Begin a task.

        Parameters
        ----------
        net : Net
            The net in training.

        **kwargs : dict
            Not used.
        """
        self._epoch = self.task.start("epoch")

    def on_epoch_end(self, net, **kwargs):
        """End the task, with a copy of the net for those who ask for it.

        Parameters
        ----------
        net : Net
            The net in training.

        **kwargs : dict
            Not used.
        """
        self._epoch.end(partial(self.fitted, net))
        self._epoch, self.is_stopped = None, self._epoch.is_stopped

    def on_train_end(self, net, **kwargs):
        """End the task of an epoch that was interrupted.

        Parameters
        ----------
        net : Net
            The net in training.

        **kwargs : dict
            Not used.
        """
        if self._epoch is not None:
            is_done = not net.epoch_is_open
            self._epoch.end(partial(self.fitted, net) if is_done else None)
            self._epoch = None


class StopWhenAsked(Callback):
    """Stop the training once a callback of scikit-learn has asked for it.

    Parameters
    ----------
    tasks : EpochTasks
        Comes earlier among the callbacks.
    """

    def __init__(self, tasks):
        self.tasks = tasks

    def on_epoch_end(self, net, **kwargs):
        """Stop if asked to.

        Parameters
        ----------
        net : Net
            The net in training.

        **kwargs : dict
            Not used.
        """
        if self.tasks.is_stopped:
            raise KeyboardInterrupt


def copy_for_prediction(net):
    """Copy a net in training.

    Parameters
    ----------
    net : Net
        It does not change.

    Returns
    -------
    twin : Net
        Without an optimizer, callbacks and held-out samples; in evaluation mode.
    """
    twin = type(net).__new__(type(net))
    vars(twin).update(vars(net))
    vars(twin).update(callbacks=None, callbacks_=[], held_out=None, optimizer_=None)
    twin = deepcopy(twin, {id(net.module): net.module})
    twin.module_.eval()
    return twin
