"""Training of a sparse autoencoder of the k largest latents."""

from time import perf_counter

import torch

from sksparse_nn.modules._topk import TopKModule

# Weight of the loss that revives dead atoms, and the eps of Adam, from Gao et al.
# (2025).
_AUXILIARY = 1 / 32
_ADAM_EPS = 6.25e-10

# An atom is dead once it was not used for as many samples as would use it this often
# if all atoms were used equally.
_PASSED_OVER = 100

# Share of the steps in which the learning rate falls to zero.
_FALLING = 0.2


class Training:
    """Training of a `TopKModule`, epoch by epoch.

    Parameters
    ----------
    module : TopKModule
        Trained in place.

    learning_rate : float
        Step size of Adam.

    n_steps : int or None, default=None
        Number of steps in total, for the fall of the learning rate. None keeps it.
    """

    def __init__(self, module, learning_rate, n_steps=None):
        self.module = module
        self._optimizer = torch.optim.Adam(
            module.parameters(), lr=learning_rate, eps=_ADAM_EPS
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _compute_rate(step, n_steps)
        )
        n_atoms = len(module.decoder)
        self._patience = _PASSED_OVER * n_atoms / module.n_active
        self._waited = torch.zeros(n_atoms, device=module.decoder.device)

    @classmethod
    def from_arrays(cls, arrays, n_active, learning_rate, device):
        """Restore a training, to continue it with a constant learning rate.

        Parameters
        ----------
        arrays : dict
            A result of `arrays`.

        n_active : int
            Nonzero codes per sample, at most.

        learning_rate : float
            Step size of Adam from now on.

        device : torch.device
            Where to train.

        Returns
        -------
        training : Training
            It shares no memory with the arrays.
        """
        module = TopKModule(torch.tensor(arrays["decoder"], device=device), n_active)
        training = cls(module, learning_rate)
        for name, part in module.named_parameters():
            with torch.no_grad():
                part.copy_(torch.tensor(arrays[name]))
            training._optimizer.state[part] = {
                "step": torch.tensor(float(arrays["n_steps"])),
                "exp_avg": torch.tensor(arrays[f"{name}_mean"], device=device),
                "exp_avg_sq": torch.tensor(arrays[f"{name}_square"], device=device),
            }
        training._waited = torch.tensor(arrays["waited"], device=device)
        return training

    def arrays(self, *, copy=True):
        """Return the weights, the state of the optimizer and the waits of the atoms.

        Parameters
        ----------
        copy : bool, default=True
            Whether the arrays are copies; otherwise training ends here.

        Returns
        -------
        arrays : dict
            Arrays and numbers by name.
        """
        read = _copy if copy else _view
        arrays = {"waited": read(self._waited)}
        for name, part in self.module.named_parameters():
            moments = self._optimizer.state[part]
            arrays[name] = read(part)
            arrays[f"{name}_mean"] = read(moments["exp_avg"])
            arrays[f"{name}_square"] = read(moments["exp_avg_sq"])
            arrays["n_steps"] = int(moments["step"])
        return arrays

    def run_epoch(self, batches):
        """Make one step per batch.

        Parameters
        ----------
        batches : iterable of Batch
            Scaled samples.

        Returns
        -------
        record : dict
            ``train_loss``, the mean squared norm of the error; ``n_dead``, the number
            of dead atoms at the end; ``dur`` in seconds.
        """
        start, total, n_rows = perf_counter(), 0.0, 0
        for batch in batches:
            total += self._step(batch) * batch.n_rows
            n_rows += batch.n_rows
        return {
            "train_loss": total / n_rows,
            "n_dead": int(self._dead.sum()),
            "dur": perf_counter() - start,
        }

    def _step(self, batch):
        module = self.module
        loss, used = self._add_gradients(batch)
        module.drop_radial_gradient()
        self._optimizer.step()
        self._optimizer.zero_grad()  # as large as the weights
        self._schedule.step()
        module.normalise()
        self._waited = torch.where(used, 0.0, self._waited + batch.n_rows)
        return loss

    def _add_gradients(self, batch):
        """Add up the gradients of the parts; return the loss, and the used atoms."""
        dead, total, loss, used = self._dead, None, 0.0, False
        if batch.n_parts > 1 and dead.any():
            total = sum(map(self.module.measure_error, batch))
        for X in batch:
            share = len(X) / batch.n_rows
            of_part, auxiliary, is_used = self.module(X, dead, total)
            (share * of_part + _AUXILIARY * auxiliary).backward()
            loss, used = loss + share * of_part.item(), used | is_used
            del X  # before the next one is read
        return loss, used

    @property
    def _dead(self):
        return self._waited > self._patience


def _compute_rate(step, n_steps):
    """Return the share of the learning rate that a step has."""
    if n_steps is None:
        return 1.0
    return min(1.0, (n_steps - step) / (_FALLING * n_steps))


def _view(tensor):
    return tensor.detach().cpu().numpy()


def _copy(tensor):
    return _view(tensor).copy()
