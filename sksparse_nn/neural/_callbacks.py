"""Callbacks of the user, prepared for one training."""

from copy import copy
from functools import partial

import torch
from skorch.callbacks import InputShapeSetter, LoadInitState, PassthroughScoring
from skorch.callbacks.scoring import ScoringBase


class LossRecord(PassthroughScoring):
    """Record a loss per epoch, and whether it is the lowest of all trainings."""

    def on_train_begin(self, net, **kwargs):
        """Continue from the lowest loss of former trainings.

        Parameters
        ----------
        net : Net
            The net in training.

        **kwargs : dict
            Not used.
        """
        self.best_score_ = net.lowest_.get(self.name, self.best_score_)

    def on_epoch_end(self, net, **kwargs):
        """Record the loss.

        Parameters
        ----------
        net : Net
            The net in training.

        **kwargs : dict
            Passed on.
        """
        super().on_epoch_end(net, **kwargs)
        net.lowest_ = net.lowest_ | {self.name: self.best_score_}


def copy_callbacks(callbacks, targets, *, goes_on):
    """Copy callbacks, so that the originals keep no state of a training.

    Parameters
    ----------
    callbacks : list
        Callbacks of skorch, or pairs (name, callback). A copy refers to the copies of
        others, not to the originals.

    targets : Targets
        Convert targets for scores to the form that the user gave.

    goes_on : bool
        Whether the net was trained before. Its initial state is then not loaded again.

    Returns
    -------
    callbacks : list
        The copies.
    """
    left_out = (InputShapeSetter, LoadInitState) if goes_on else InputShapeSetter
    kept = [item for item in callbacks if not isinstance(_callback(item), left_out)]
    twins = {id(_callback(item)): copy(_callback(item)) for item in kept}
    for twin in twins.values():
        _make_ready(twin, twins, targets)
    return [
        (item[0], twins[id(item[1])])
        if isinstance(item, tuple | list)
        else twins[id(item)]
        for item in kept
    ]


def _callback(item):
    return item[-1] if isinstance(item, tuple | list) else item


def _make_ready(callback, twins, targets):
    if isinstance(callback, type):
        return
    for name, value in list(vars(callback).items()):
        if id(value) in twins:
            setattr(callback, name, twins[id(value)])
    if isinstance(callback, ScoringBase):
        callback.target_extractor = partial(
            _extract, callback.target_extractor, targets
        )


def _extract(extractor, targets, y):
    """Call a target extractor with targets in the form that the user gave."""
    is_tensor = isinstance(y, torch.Tensor)
    given = targets.restore(y.detach().cpu().numpy() if is_tensor else y)
    if is_tensor and given.dtype.kind in "biuf":
        given = torch.from_numpy(given)
    return extractor(given)


def find_watchers(callbacks):
    """Find the callbacks that monitor a quantity of held-out samples.

    Parameters
    ----------
    callbacks : list of tuple
        Names and initialized callbacks.

    Returns
    -------
    watchers : dict
        The monitored quantities by name of the callback.
    """
    scores = (c for _, c in callbacks if isinstance(c, ScoringBase | LossRecord))
    held_out = {getattr(c, "name_", c.name) for c in scores if not c.on_train}
    held_out |= {f"{name}_best" for name in held_out}
    watched = {name: getattr(c, "monitor", None) for name, c in callbacks}
    return {
        name: monitor
        for name, monitor in watched.items()
        if isinstance(monitor, str) and monitor in held_out
    }


def find_input_widths(callbacks, X):
    """Return the widths that `InputShapeSetter` passes to a module.

    Parameters
    ----------
    callbacks : list or None
        The user's callbacks.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Input.

    Returns
    -------
    widths : dict
        Widths of the input by argument name of the module.
    """
    setters = (_callback(item) for item in callbacks or [])
    return {
        setter.param_name: setter.get_input_dim(X)
        for setter in setters
        if isinstance(setter, InputShapeSetter) and setter.module_name == "module"
    }
