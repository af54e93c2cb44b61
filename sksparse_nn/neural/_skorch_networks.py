"""A skorch net of the user, with the data that it is trained on."""

from contextlib import contextmanager
from inspect import signature

import torch
from skorch.callbacks import (
    BatchScoring,
    EpochScoring,
    LRScheduler,
    PassthroughScoring,
)
from skorch.dataset import unpack_data
from skorch.history import History

# Callbacks that know the best score so far.
_SCORES = BatchScoring, EpochScoring, PassthroughScoring


class SkorchNetwork:
    """A fitted skorch net of the user, with the data that it is trained on.

    Parameters
    ----------
    net : skorch.NeuralNet
        Changed in place.

    X : {ndarray, CSR matrix, Tensor} of shape (n_samples, ...)
        Input of the net.

    y : array-like of shape (n_samples, ...) or None
        Targets.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The net.
    """

    def __init__(self, net, X, y):
        self.net_ = net
        self.X = X
        self.y = y

    def losses(self):
        """Yield the loss of each batch, with gradients, in evaluation mode.

        Yields
        ------
        loss : Tensor of shape ()
            Loss of the batch.

        share : float
            Share of the batch in the samples.
        """
        net = self.net_
        dataset = net.get_dataset(self.X, self.y)
        net._set_training(False)
        for batch in net.get_iterator(dataset, training=False):
            inputs, target = unpack_data(batch)
            loss = net.get_loss(net.infer(inputs), target, X=inputs, training=False)
            yield loss, len(target) / len(dataset)

    def train(self, epochs, callbacks, *, slower, teacher=None):
        """Train for some more epochs by the net's own ``partial_fit``.

        Its history goes on, but its callbacks see only the new epochs, so that none of
        them loads weights of an earlier one. Its schedules of the learning rate are
        left out, as they have ended.

        Parameters
        ----------
        epochs : int
            Number of epochs.

        callbacks : sequence of skorch.callbacks.Callback
            Callbacks besides those of the net, which run after them.

        slower : float
            Factor of the learning rates.

        teacher : Teacher or None, default=None
            Gives the outputs to train on; None for the loss of the net.
        """
        if not epochs:
            return
        module = self.net_.module_
        with self._lent(epochs, callbacks, slower) as net, _taught(net, teacher):
            if self.y is not None:
                net.partial_fit(self.X, self.y)
            else:
                with _having(net, train_split=None):  # which may need targets
                    net.partial_fit(self.X, net.predict(self.X))
        if net.module_ is not module:
            raise ValueError(
                f"Callbacks of {type(net).__name__} must leave its module_ in place in "
                "fine-tuning. Got another module; set fine_tune_epochs=0, or leave out "
                "the callback that sets parameters of the module."
            )
        # A callback that ends a training may come before the last of these.
        for callback in callbacks:
            callback.on_batch_end(net, training=True)
        net._set_training(False)

    def drop_optimizers(self):
        """Drop the state of training, which belongs to another module."""
        for name in self.net_._optimizers:
            setattr(self.net_, f"{name}_", DroppedOptimizer())

    @contextmanager
    def _lent(self, epochs, callbacks, slower):
        """Set up the net for fine-tuning, and restore its settings afterwards."""
        net = self.net_
        names = ("callbacks_", "max_epochs", "history_")
        own = {name: getattr(net, name) for name in names}
        groups = [g for name in net._optimizers for g in _groups(net, name)]
        rates = [group["lr"] for group in groups]
        still_needed = [
            pair for pair in own["callbacks_"] if not isinstance(pair[1], LRScheduler)
        ]
        added = [(f"compression_{i}", callback) for i, callback in enumerate(callbacks)]
        net.callbacks_, net.max_epochs = [*still_needed, *added], epochs
        net.history_ = History()
        for _, callback in still_needed:
            if isinstance(callback, _SCORES):
                callback.initialize()  # the new module has another best score
        for group in groups:
            group["lr"] *= slower
        try:
            yield net
        finally:
            own["history_"] = _join(own["history_"], net.history_)
            for name, value in own.items():
                setattr(net, name, value)
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate


class DroppedOptimizer:
    """Stands for the optimizer of a net that was compressed."""

    def zero_grad(self, *args, **kwargs):
        """Raise, as there is nothing to train with.

        Parameters
        ----------
        *args, **kwargs : object
            Not used.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "partial_fit continues from the optimizer's state. Got a net that was "
            "compressed, which has none; train the original net."
        )

    step = state_dict = load_state_dict = zero_grad


@contextmanager
def _taught(net, teacher):
    """Let a net train on the outputs of a teacher, if there is one."""
    if teacher is None:
        yield
        return

    def get_loss(y_pred, y_true, X=None, training=False):
        with torch.no_grad(), _having(net, module_=teacher.module):
            wanted = net.infer(X)
        return teacher.loss(y_pred, wanted)

    with _having(net, get_loss=get_loss):
        yield


@contextmanager
def _having(net, **attributes):
    """Set attributes of a net past its setter, and restore them afterwards."""
    own = {name: vars(net)[name] for name in attributes if name in vars(net)}
    vars(net).update(attributes)
    try:
        yield
    finally:
        for name in attributes:
            del vars(net)[name]
        vars(net).update(own)


def check_single(net, name):
    """Raise if a net has several modules, of which one would be made smaller.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted one.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    TypeError
        If it has other modules than ``module_``.
    """
    others = [part for part in net._modules if part != "module"]
    if others:
        raise TypeError(
            f"{name} takes a skorch net of one module. Got {type(net).__name__}, which "
            f"has {', '.join(f'{part}_' for part in others)} besides module_; put them "
            "into one module."
        )


def read_module_inputs(net, X, name):
    """Return what the module of a net gets for samples.

    The net's own dataset and iterator may change them on the way.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted one.

    X : {ndarray, CSR matrix, Tensor} of shape (n_samples, ...)
        Input of the net.

    name : str
        Name of the caller, for the message.

    Returns
    -------
    inputs : ndarray of shape (n_samples, ...)
        Input of the module.

    Raises
    ------
    TypeError
        If the module takes several inputs, or no tensor.
    ValueError
        If inputs of different batches differ in shape.
    """
    seen = []

    def see(module, given, named):
        seen.append(_only_tensor(module, given, named, name).detach().cpu().clone())

    handle = net.module_.register_forward_pre_hook(see, with_kwargs=True)
    try:
        for _ in net.forward_iter(X, training=False):
            pass
    finally:
        handle.remove()
    shapes = {part.shape[1:] for part in seen}
    if len(shapes) != 1:
        raise ValueError(
            f"{name} takes networks whose input has one shape. Got the shapes "
            f"{sorted(map(tuple, shapes))} in different batches for "
            f"{type(net.module_).__name__}; pad all samples alike."
        )
    return torch.cat(seen).numpy()


def _only_tensor(module, given, named, name):
    given = [*given, *named.values()]
    if len(given) == 1 and not named and isinstance(given[0], torch.Tensor):
        return given[0]
    kinds = ", ".join(named) or ", ".join(type(part).__name__ for part in given)
    takes = list(signature(module.forward).parameters)
    raise TypeError(
        f"{name} takes modules of one tensor. Got {type(module).__name__}, whose "
        f"forward takes {takes} and was given {kinds}; join them to one array, and "
        "take it apart in the module."
    )


def _groups(net, name):
    return getattr(net, f"{name}_").param_groups


def _join(before, after):
    """Return the epochs of two histories, counted through."""
    for i, row in enumerate(after, start=len(before) + 1):
        if "epoch" in row:
            row["epoch"] = i
    return History([*before, *after])
