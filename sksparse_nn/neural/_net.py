"""The skorch net that an estimator owns."""

import math
from contextlib import nullcontext
from copy import copy, deepcopy

import numpy as np
import torch
from skorch.callbacks import EpochTimer, TrainEndCheckpoint
from skorch.history import History

from sksparse_nn._interrupts import is_raised_on_purpose
from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.modules._outputs import cast_output, describe_output
from sksparse_nn.modules._run import module_float_type
from sksparse_nn.modules._single_rows import apply_module, use_known_statistics
from sksparse_nn.modules._sparse_input import SparseBatch
from sksparse_nn.modules._threads import limit_threads
from sksparse_nn.neural._augmenting import mix_losses
from sksparse_nn.neural._callbacks import (
    LossRecord,
    copy_callbacks,
    find_watchers,
)
from sksparse_nn.neural._loop import LeanLoop
from sksparse_nn.neural._sparse_adam import step_first_layer


class Net(LeanLoop):
    """A skorch net over `TrainingSamples`, whose loss takes weights.

    Its module is ``module_``, its optimizer ``optimizer_``. Callbacks and records of
    batches are dropped after a training, except the last batch of each epoch.

    Attributes
    ----------
    targets_ : Targets
        Kind of targets, which gives the outputs their meaning.

    lowest_ : dict
        The lowest losses so far, by name.

    constant : float
        The largest loss of a constant prediction on any part so far.

    has_failed : bool
        Whether there was a warning that the network does worse than that.

    is_lowered : bool
        Whether training multiplies in bfloat16.
    """

    lowest_ = {}
    constant = 0.0
    has_failed = False
    is_lowered = False

    @property
    def _default_callbacks(self):
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", LossRecord("train_loss", on_train=True)),
            ("valid_loss", LossRecord("valid_loss")),
        ]

    @property
    def float_type(self):
        """Return the float type of the module.

        Returns
        -------
        name : str
            In the words of NumPy.
        """
        return module_float_type(self.module_)

    def __reduce__(self):
        return _unpickle, (type(self), self.__getstate__())

    def __setstate__(self, state):
        """Refuse a state that does not come from a pickle, as it holds one."""
        raise ValueError(
            f"{type(self).__name__} holds a pickle, which may run code when it is "
            "read. Got it from a file that is to be safe; save the estimator instead, "
            "or load the net by pickle."
        )

    def __deepcopy__(self, memo):
        """Copy without pickling, and share the records of past epochs."""
        twin = memo[id(self)] = type(self).__new__(type(self))
        memo[id(self.history_)] = History(self.history_)
        vars(twin).update(deepcopy(vars(self), memo))
        return twin

    def train(self, samples, held_out, *, epochs, callbacks, keeps=None):
        """Train for some epochs, or until a callback or the user interrupts.

        Parameters
        ----------
        samples : TrainingSamples
            Training samples.

        held_out : TrainingSamples or None
            Samples for the ``valid_loss``.

        epochs : int
            Number of epochs, at most.

        callbacks : list
            Callbacks of skorch, or pairs (name, callback).

        keeps : callable or None, default=None
            For `fit`: takes the number of epochs done, and returns whether to keep them
            if the user interrupts. None for streamed samples: interrupts are raised,
            and callbacks that monitor held-out samples are left out if there are none,
            which is an error otherwise.

        Raises
        ------
        KeyboardInterrupt
            If the user interrupts and the epochs are not kept.
        ValueError
            If the loss or a weight is not finite, or a callback monitors a quantity
            that is not measured.
        """
        for group in self.optimizer_.param_groups:
            # Schedules need this after past epochs, and a new optimizer lacks it.
            group.setdefault("initial_lr", group["lr"])
        goes_on = bool(self.history)
        self.callbacks = copy_callbacks(callbacks, self.targets_, goes_on=goes_on)
        self._initialize_callbacks()
        if held_out is None:
            self._leave_out_watchers(is_streamed=keeps is None)
        self.held_out = held_out
        n_rows = min(self.batch_size, len(samples))
        is_sparse = samples.sparse_dtype is not None
        layers = self.module_[1:] if is_sparse else self.module_
        with (
            step_first_layer(self, samples),
            limit_threads(layers.parameters(), n_rows),
        ):
            self._run_epochs(samples, epochs, keeps)
        if not all(weight.isfinite().all() for weight in self.module_.parameters()):
            self._refuse("a weight that is not finite")
        self._tidy_up()

    def _run_epochs(self, samples, epochs, keeps):
        self.notify("on_train_begin", X=samples, y=None)
        n_before = len(self.history)
        try:
            self.fit_loop(samples, epochs=epochs)
        except KeyboardInterrupt as error:
            is_users = self.epoch_is_open or not is_raised_on_purpose(error)
            n_done = len(self.history) - n_before - self.epoch_is_open
            if is_users and not (keeps and keeps(n_done)):
                raise
        self.notify("on_train_end", X=samples, y=None)
        if self.epoch_is_open:
            del self.history[-1]

    def _leave_out_watchers(self, *, is_streamed):
        """Leave out, or reject, callbacks that need held-out samples."""
        watchers = find_watchers(self.callbacks_)
        if watchers and not is_streamed:
            raise ValueError(
                "callbacks must watch what is measured. Got "
                + ", ".join(f"{name} for {what!r}" for name, what in watchers.items())
                + ", without held-out rows; set early_stopping=True, give X_val and "
                "y_val to fit, or watch 'train_loss'."
            )
        self.callbacks_ = [item for item in self.callbacks_ if item[0] not in watchers]

    def _tidy_up(self):
        self.callbacks, self.callbacks_, self.held_out = None, [], None
        self.optimizer_.zero_grad(set_to_none=True)
        for row in self.history[-2:]:
            _shorten(row)
        self._set_training(False)

    def load_params(self, *args, checkpoint=None, **options):
        """Load parameters from a checkpoint or from files.

        Parameters
        ----------
        *args : tuple
            Passed on.

        checkpoint : Checkpoint or TrainEndCheckpoint or None, default=None
            A callback that has saved parameters.

        **options : dict
            Passed on.
        """
        if isinstance(checkpoint, TrainEndCheckpoint):
            checkpoint = copy(checkpoint).initialize().checkpoint_
        super().load_params(*args, checkpoint=checkpoint, **options)

    def on_epoch_begin(self, net, **kwargs):
        """Drop the records of batches, other than those of the previous epoch.

        Parameters
        ----------
        net : Net
            This net.

        **kwargs : dict
            Passed on.
        """
        for row in self.history[-2:-1]:
            _shorten(row)
        super().on_epoch_begin(net, **kwargs)

    @property
    def epoch_is_open(self):
        """Return whether an epoch has begun whose losses are not recorded yet.

        Returns
        -------
        is_open : bool
            If False, an interrupt may come from a callback that stops the training.
        """
        last = "train_loss" if self.held_out is None else "valid_loss"
        return bool(self.history) and last not in self.history[-1]

    def check_loss(self, loss):
        """Raise if the loss is not finite.

        Parameters
        ----------
        loss : float
            Loss of a batch.

        Raises
        ------
        ValueError
            If it is not finite.
        """
        if not math.isfinite(loss):
            self._refuse(f"a loss of {loss}")

    def _refuse(self, what):
        rate = self.optimizer_.param_groups[-1]["lr"]
        raise ValueError(
            f"Training met {what} in epoch {len(self.history)}. Lower "
            f"learning_rate={rate}, or bring the columns of X to a common scaling, "
            "as StandardScaler does."
        )

    def _set_training(self, training=True):
        # Walking through the modules takes a tenth of the time of a small batch.
        if self.module_.training != training:
            super()._set_training(training)

    def train_step_single(self, batch, **fit_params):
        """Compute the loss of a batch and its gradients.

        Parameters
        ----------
        batch : tuple
            The batch.

        **fit_params : dict
            Passed on.

        Returns
        -------
        step : dict
            Its ``"loss"`` and ``"y_pred"``.
        """
        if len(batch[1]) > 1:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        with use_known_statistics(self.module_):
            return super().train_step_single(batch, **fit_params)

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return training and held-out samples, which are split already.

        Parameters
        ----------
        X : TrainingSamples
            Training samples.

        y : None
            Not used.

        **fit_params : dict
            Not used.

        Returns
        -------
        train, valid : TrainingSamples
            The samples as given, and the held-out ones, if any.
        """
        return X, self.held_out

    def infer(self, x, **fit_params):
        """Compute the outputs for a batch.

        Parameters
        ----------
        x : dict
            The batch. Dense ``"X"`` is cast to the float type of the module.

        **fit_params : dict
            Not used.

        Returns
        -------
        output : Tensor of shape (n_rows, n_outputs)
            Output of the module.
        """
        if not self.module_.training:
            return self._evaluate(self.module_, x["X"])
        inputs = [self._cast(x["X"])]
        if isinstance(self.module_, CodedNetwork):
            inputs.append(torch.from_numpy(x["row_weight"]))
        with self._lower_products() if self.is_lowered else nullcontext():
            output = self.module_(*inputs)
        return cast_output(self.module_, output)

    def _lower_products(self):
        return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)

    def _evaluate(self, module, X):
        return apply_module(module, self._cast(X))

    def _cast(self, X):
        return (
            X if isinstance(X, SparseBatch) else X.to(next(self.module_.parameters()))
        )

    def forward_iter(self, X, training=False, device="cpu"):
        """Yield the outputs of the module, one batch at a time.

        Parameters
        ----------
        X : TrainingSamples, array-like or dict
            Samples, or a batch.

        training : bool, default=False
            Whether the module trains.

        device : str, default="cpu"
            Device of the outputs.

        Yields
        ------
        output : Tensor of shape (n_rows, n_outputs)
            Outputs, in the order of the samples.
        """
        if isinstance(X, dict):
            yield self.evaluation_step((X, None), training=training).to(device)
        else:
            yield from super().forward_iter(X, training=training, device=device)

    def predict(self, X):
        """Return what the estimator would predict.

        Parameters
        ----------
        X : TrainingSamples, array-like or dict
            Samples, or a batch.

        Returns
        -------
        y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers, in the form that the user gave.
        """
        return self.targets_.decode(self.forward(X).detach().numpy())

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the weighted loss of a batch.

        Parameters
        ----------
        y_pred : Tensor of shape (n_rows, n_outputs)
            Output of the module.

        y_true : Tensor of shape (n_rows, ...)
            Targets.

        X : dict of Tensor
            The batch, with its ``"weight"``, which may be None.

        training : bool, default=False
            Whether a `teacher`, if there is one, stands for the targets.

        Returns
        -------
        loss : Tensor of shape ()
            The loss.

        Raises
        ------
        ValueError
            If the output is not a tensor but, for instance, a tuple.
        """
        if not isinstance(y_pred, torch.Tensor):
            raise ValueError(
                "module must return one tensor in training too. Got "
                f"{describe_output(y_pred)}."
            )
        if training and self.teacher is not None:
            with torch.no_grad():
                wanted = self._evaluate(self.teacher.module, X["X"])
            return self.teacher.loss(y_pred, wanted, X["weight"])
        device = y_pred.device

        def measure(target, weight):
            weight = weight if weight is None else weight.to(device)
            return self.criterion_(y_pred, target.to(device), weight)

        return mix_losses(measure, y_true, X)


def _unpickle(kind, state):
    net = kind.__new__(kind)
    super(Net, net).__setstate__(state)
    return net


def list_epoch_records(net, start=0):
    """Return the records of epochs as plain dicts.

    Parameters
    ----------
    net : Net
        A net.

    start : int, default=0
        The first epoch to return.

    Returns
    -------
    records : list of dict
        ``epoch``, ``train_loss``, ``valid_loss`` if any, ``dur`` in seconds, and
        records of callbacks.
    """
    hidden = ("batches", "_best", "_batch_count")
    return [
        {name: _plain(row[name]) for name in row if not name.endswith(hidden)}
        for row in net.history[start:]
    ]


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _shorten(record):
    """Keep only the last batch of an epoch, which checkpoints need."""
    if "batches" in record:
        record["batches"] = record["batches"][-1:]
