"""The skorch net that an estimator owns."""

import math
from copy import copy, deepcopy

import numpy as np
import torch
from skorch.callbacks import EpochTimer, TrainEndCheckpoint
from skorch.history import History

from sksparse_nn._interrupts import is_raised_on_purpose
from sksparse_nn.modules._outputs import describe_output
from sksparse_nn.modules._run import module_float_type
from sksparse_nn.modules._single_rows import apply_module, use_known_statistics
from sksparse_nn.modules._sparse_input import SparseBatch
from sksparse_nn.modules._threads import limit_threads
from sksparse_nn.neural._callbacks import (
    LossRecord,
    copy_callbacks,
    find_watchers,
)
from sksparse_nn.neural._loop import LeanLoop
from sksparse_nn.neural._sparse_adam import step_first_layer


class Net(LeanLoop):
    """A skorch net over `TrainingSamples`, whose loss takes weights.

    Its module stands in ``module_``, its optimizer in ``optimizer_``. Callbacks work
    during a training and are dropped after it, and so is what is recorded of batches,
    but for the last of each epoch.

    Attributes
    ----------
    targets_ : Targets
        What the outputs stand for.

    lowest_ : dict
        The lowest losses of epochs by name.

    constant : float
        The largest loss that the same answer to all rows had, of all parts so far.

    has_failed : bool
        Whether a warning has said that the network does worse than that.
    """

    lowest_ = {}
    constant = 0.0
    has_failed = False

    @property
    def _default_callbacks(self):
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", LossRecord("train_loss", on_train=True)),
            ("valid_loss", LossRecord("valid_loss")),
        ]

    @property
    def float_type(self):
        """Name the module's float type.

        Returns
        -------
        name : str
            As NumPy knows it.
        """
        return module_float_type(self.module_)

    def __deepcopy__(self, memo):
        """Copy without the detour of a pickle, and the past epochs by reference."""
        twin = memo[id(self)] = type(self).__new__(type(self))
        memo[id(self.history_)] = History(self.history_)
        vars(twin).update(deepcopy(vars(self), memo))
        return twin

    def train(self, samples, held_out, *, epochs, callbacks, keeps=None):
        """Train for some epochs, or until a callback or the user interrupts.

        Parameters
        ----------
        samples : TrainingSamples
            What to learn from.

        held_out : TrainingSamples or None
            What to measure ``valid_loss`` on.

        epochs : int
            At most so many.

        callbacks : list
            Callbacks of skorch, as they are or as (name, callback).

        keeps : callable or None, default=None
            Of `fit`: takes the number of epochs that are done, and says whether to keep
            them when the user interrupts. None is for training on rows as they come: an
            interrupt is raised then, and callbacks that watch held-out rows are left
            out where there are none, which is an error otherwise.

        Raises
        ------
        KeyboardInterrupt
            If the user interrupts and what was learnt is not to be kept.
        ValueError
            If the loss or a weight is not finite, or a callback watches what there is
            not.
        """
        for group in self.optimizer_.param_groups:
            # A new optimizer behind former epochs lacks what schedules go by.
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
        """Leave out, or refuse, callbacks that wait for rows that are not held out."""
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
        """Load what a checkpoint or single files hold.

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
        """Forget batches, other than those of the epoch before.

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
        """Tell whether an epoch was begun and its losses are not recorded.

        Returns
        -------
        is_open : bool
            An interrupt after that may be the stop of a callback.
        """
        last = "train_loss" if self.held_out is None else "valid_loss"
        return bool(self.history) and last not in self.history[-1]

    def check_loss(self, loss):
        """Stop if the loss is lost.

        Parameters
        ----------
        loss : float
            Of a batch.

        Raises
        ------
        ValueError
            If it is not finite.
        """
        if not math.isfinite(loss):
            self._refuse(f"a loss of {loss}")

    def _refuse(self, what):
        rate = self.optimizer_.param_groups[0]["lr"]
        raise ValueError(
            f"Training met {what} in epoch {len(self.history)}. Lower "
            f"learning_rate={rate}, or bring the columns of X to a common scaling, "
            "as StandardScaler does."
        )

    def _set_training(self, training=True):
        # Walking through the modules in each batch is a tenth of a small batch's time.
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
        """Return the two parts, which were split before.

        Parameters
        ----------
        X : TrainingSamples
            What to learn from.

        y : None
            Not used.

        **fit_params : dict
            Not used.

        Returns
        -------
        train, valid : TrainingSamples
            The same, and what is held out, if anything.
        """
        return X, self.held_out

    def infer(self, x, **fit_params):
        """Answer a batch.

        Parameters
        ----------
        x : dict
            The batch, whose dense rows ``"X"`` are cast to the module's float type.

        **fit_params : dict
            Not used.

        Returns
        -------
        output : Tensor of shape (n_rows, n_outputs)
            What the module answers.
        """
        X = x["X"]
        if not isinstance(X, SparseBatch):
            X = X.to(next(self.module_.parameters()))
        return (
            self.module_(X) if self.module_.training else apply_module(self.module_, X)
        )

    def forward_iter(self, X, training=False, device="cpu"):
        """Yield what the module answers to each batch.

        Parameters
        ----------
        X : TrainingSamples, array-like or dict
            Rows, or a batch.

        training : bool, default=False
            Whether the module trains.

        device : str, default="cpu"
            Where answers are to be.

        Yields
        ------
        output : Tensor of shape (n_rows, n_outputs)
            Of the rows in their order.
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
            Rows, or a batch.

        Returns
        -------
        y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers as the user gave them.
        """
        return self.targets_.decode(self.forward(X).detach().numpy())

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the weighted loss of a batch.

        Parameters
        ----------
        y_pred : Tensor of shape (n_rows, n_outputs)
            What the module answered.

        y_true : Tensor of shape (n_rows, ...)
            What was wanted.

        X : dict of Tensor
            The batch, with its ``"weight"``, which may be None.

        training : bool, default=False
            Not used.

        Returns
        -------
        loss : Tensor of shape ()
            The loss.

        Raises
        ------
        ValueError
            If the module answers something else, such as a tuple, in training.
        """
        if not isinstance(y_pred, torch.Tensor):
            raise ValueError(
                "module must answer one tensor in training too. Got "
                f"{describe_output(y_pred)}."
            )
        device, weight = y_pred.device, X["weight"]
        weight = weight if weight is None else weight.to(device)
        return self.criterion_(y_pred, y_true.to(device), weight)


def epoch_records(net, start=0):
    """Return what was recorded of each epoch as plain dicts.

    Parameters
    ----------
    net : Net
        A net.

    start : int, default=0
        The first epoch to return.

    Returns
    -------
    records : list of dict
        ``epoch``, ``train_loss``, ``valid_loss`` if any, ``dur`` in seconds, and what
        callbacks have recorded.
    """
    hidden = ("batches", "_best", "_batch_count")
    return [
        {name: _plain(row[name]) for name in row if not name.endswith(hidden)}
        for row in net.history[start:]
    ]


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _shorten(record):
    """Leave the last of an epoch's batches, which checkpoints ask for."""
    if "batches" in record:
        record["batches"] = record["batches"][-1:]
