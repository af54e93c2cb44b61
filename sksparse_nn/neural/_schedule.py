"""Schedules of the learning rate over one training."""

from math import cos, pi

from skorch.callbacks import Callback
from torch.optim.lr_scheduler import ReduceLROnPlateau

SCHEDULES = ("cosine",)


def make_schedule(scheduler, n_epochs):
    """Make the callback that changes the learning rate.

    Parameters
    ----------
    scheduler : "cosine" or callable
        A callable takes an optimizer and returns one of torch's schedulers.

    n_epochs : int
        Epochs of the training.

    Returns
    -------
    schedule : Callback
        Restores the rate when the training ends.
    """
    return Cosine(n_epochs) if scheduler == "cosine" else Stepwise(scheduler)


class _Schedule(Callback):
    """A schedule that restores the rates at the end."""

    def on_train_begin(self, net, **kwargs):
        """Remember the rates.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Not used.
        """
        self.rates = [group["lr"] for group in net.optimizer_.param_groups]

    def on_train_end(self, net, **kwargs):
        """Restore the rates, for a training that continues.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Not used.
        """
        self.set_rates(net, 1.0)

    def set_rates(self, net, share):
        """Set the rates.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        share : float
            Share of the initial rates.
        """
        for group, rate in zip(net.optimizer_.param_groups, self.rates, strict=True):
            group["lr"] = share * rate


class Cosine(_Schedule):
    """Let the learning rate fall to zero along half a cosine, step by step.

    Parameters
    ----------
    n_epochs : int
        Epochs of the training.
    """

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_train_begin(self, net, **kwargs):
        """Remember the rates and reset the count of steps.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Passed on.
        """
        super().on_train_begin(net, **kwargs)
        self.n_steps = 0

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Count the steps of the training.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        dataset_train : TrainingSamples
            Training samples.

        **kwargs : dict
            Not used.
        """
        n_batches = len(net.get_iterator(dataset_train, training=True))
        self.n_steps_in_all = self.n_epochs * n_batches

    def on_batch_begin(self, net, training=None, **kwargs):
        """Set the rate of a step.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        training : bool
            Whether the optimizer will make a step.

        **kwargs : dict
            Not used.
        """
        if training:
            self.set_rates(net, (1 + cos(pi * self.n_steps / self.n_steps_in_all)) / 2)
            self.n_steps += 1


class Stepwise(_Schedule):
    """Step one of torch's schedulers after each epoch.

    Parameters
    ----------
    make_scheduler : callable
        Takes an optimizer, returns the scheduler.
    """

    def __init__(self, make_scheduler):
        self.make_scheduler = make_scheduler

    def on_train_begin(self, net, **kwargs):
        """Make the scheduler.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Passed on.
        """
        super().on_train_begin(net, **kwargs)
        self.scheduler = _make_scheduler(self.make_scheduler, net.optimizer_)

    def on_epoch_end(self, net, **kwargs):
        """Change the rate.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        **kwargs : dict
            Not used.
        """
        self.scheduler.step()


def _make_scheduler(make_scheduler, optimizer):
    """Call a function of the user, and check that it returns a usable scheduler."""
    try:
        scheduler = make_scheduler(optimizer)
    except TypeError as error:
        raise ValueError(
            "scheduler must be a function of the optimizer alone, such as "
            "functools.partial(torch.optim.lr_scheduler.StepLR, step_size=10). Got "
            f"{make_scheduler!r}: {error}"
        ) from error
    if isinstance(scheduler, ReduceLROnPlateau) or not hasattr(scheduler, "step"):
        raise ValueError(
            "scheduler(optimizer) must return one of torch's schedulers that step "
            f"per epoch. Got {scheduler!r}; for ReduceLROnPlateau, which needs a loss, "
            "use skorch.callbacks.LRScheduler among the callbacks."
        )
    return scheduler
