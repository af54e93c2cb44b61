"""The loop of skorch over mini-batches, without events that no callback listens to.

For a small network, walking through callbacks, parameters and the history takes a fifth
of the training time.
"""

from contextlib import nullcontext

from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.utils import TeeGenerator
from torch.optim import LBFGS

from sksparse_nn.neural._manual_steps import has_manual_steps, make_steps


class LeanLoop(NeuralNet):
    """A skorch net that notifies only those callbacks that listen to an event.

    Attributes
    ----------
    average : WeightAverage or None
        Average of the weights, which the module has between epochs.

    teacher : Teacher or None
        Gives the outputs to train on, in place of targets.

    path : float
        Sum of the learning rates over all steps.
    """

    average = None
    teacher = None
    path = 0.0

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Train on all batches, or measure the loss on them.

        Parameters
        ----------
        iterator : BatchIterator or None
            The batches; None for none.

        training : bool
            Whether the batches are used for training.

        prefix : {"train", "valid"}
            Prefix of the recorded losses.

        step_fn : callable
            Takes a batch, returns a dict of its ``"loss"`` and ``"y_pred"``.

        **fit_params : dict
            Passed on.
        """
        if iterator is None:
            return
        if training and self._steps_by_hand(iterator.samples):
            self._set_training(True)
            step_fn = make_steps(self).step
        average = self.average if training else None
        averaging = average.training(self.module_) if average else nullcontext()
        with averaging as update:
            self._run_batches(iterator, prefix, step_fn, update, **fit_params)

    def _run_batches(self, iterator, prefix, step_fn, update, **fit_params):
        training = prefix == "train"
        before, after = map(self.listeners, ("on_batch_begin", "on_batch_end"))
        batches = self.history[-1]["batches"]
        n_before = len(batches)
        for batch in iterator:
            record = {}
            batches.append(record)
            for listen in before:
                listen(self, batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            if training:
                self.path += self.optimizer_.param_groups[-1]["lr"]
            record[f"{prefix}_loss"] = loss = step["loss"].item()
            record[f"{prefix}_batch_size"] = len(batch[1])
            self.check_loss(loss)
            for listen in after:
                listen(self, batch=batch, training=training, **step)
            if update is not None:
                update()
        self.history.record(f"{prefix}_batch_count", len(batches) - n_before)

    def train_step(self, batch, **fit_params):
        """Make a step of the optimizer.

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
        if not is_closure_free(self.optimizer_):
            return super().train_step(batch, **fit_params)
        self.optimizer_.zero_grad()
        step = self.train_step_single(batch, **fit_params)
        for listen in self.listeners("on_grad_computed"):
            parameters = TeeGenerator(self.get_all_learnable_params())
            listen(self, named_parameters=parameters, batch=batch, training=True)
        self.optimizer_.step()
        return step

    def _steps_by_hand(self, samples):
        return (
            not (self.is_watched or self.is_lowered)
            and self.teacher is None
            and is_closure_free(self.optimizer_)
            and has_manual_steps(self.module_, samples)
        )

    @property
    def is_watched(self):
        """Return whether a callback may read gradients.

        Returns
        -------
        is_watched : bool
            Callbacks of this package and of skorch do not.
        """
        events = "on_batch_begin", "on_batch_end"
        listeners = [listener for name in events for listener in self.listeners(name)]
        return bool(self.listeners("on_grad_computed")) or not all(
            map(_is_known, listeners)
        )

    def listeners(self, name):
        """Find the callbacks that listen to an event of the training.

        Parameters
        ----------
        name : str
            A method of callbacks, such as ``"on_batch_end"``.

        Returns
        -------
        methods : list of callable
            That method of all callbacks that override it.
        """
        methods = (getattr(callback, name) for _, callback in self.callbacks_)
        nothing = getattr(Callback, name)
        return [m for m in methods if getattr(m, "__func__", m) is not nothing]


def is_closure_free(optimizer):
    """Return whether an optimizer is known not to evaluate the loss itself.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Any optimizer.

    Returns
    -------
    is_closure_free : bool
        Whether it is one of torch's, other than L-BFGS.
    """
    kind = type(optimizer)
    return kind.__module__.startswith("torch.optim.") and kind is not LBFGS


def _is_known(listener):
    """Return whether a listener is known not to read gradients."""
    home = getattr(listener, "__module__", None) or ""
    return home.split(".")[0] in {"sksparse_nn", "skorch"}
