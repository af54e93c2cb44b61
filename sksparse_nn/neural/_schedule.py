"""Schedules of the learning rate over one training."""

from math import cos, pi

from skorch.callbacks import Callback
from torch.optim.lr_scheduler import ReduceLROnPlateau

# One cycle: share of the steps in which the rate rises, and share where it starts.
_RISE, _START = 0.25, 0.04


def _cosine(progress):
    return (1 + cos(pi * progress)) / 2


def _one_cycle(progress):
    if progress < _RISE:
        return 1 - (1 - _START) * _cosine(progress / _RISE)
    return _cosine((progress - _RISE) / (1 - _RISE))


# Share of the learning rate, given the share of the training that is done.
SCHEDULES = {"cosine": _cosine, "one_cycle": _one_cycle}


def make_schedule(scheduler, n_epochs):
    """Make the callback that changes the learning rate.

    Parameters
    ----------
    scheduler : {"cosine", "one_cycle"} or callable
        A callable takes an optimizer and returns one of torch's schedulers.

    n_epochs : int
        Epochs of the training.

    Returns
    -------
    schedule : Callback
        Restores the rate when the training ends.
    """
    if isinstance(scheduler, str):
        return Planned(SCHEDULES[scheduler], n_epochs)
    return Stepwise(scheduler)


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


class Planned(_Schedule):
    """Change the learning rate step by step, by the share of the training done.

    Parameters
    ----------
    share_at : callable
        Takes the share of the steps that are done, returns that of the rate.

    n_epochs : int
        Epochs of the training.
    """

    def __init__(self, share_at, n_epochs):
        self.share_at = share_at
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
            self.set_rates(net, self.share_at(self.n_steps / self.n_steps_in_all))
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
