"""Training of a sparse autoencoder of the k largest latents."""

from time import perf_counter

import torch

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

    n_steps : int
        Number of steps in total, for the fall of the learning rate.

    learning_rate : float
        Step size of Adam.
    """

    def __init__(self, module, n_steps, learning_rate):
        self._module = module
        self._optimizer = torch.optim.Adam(
            module.parameters(), lr=learning_rate, eps=_ADAM_EPS
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer,
            lambda step: min(1.0, (n_steps - step) / (_FALLING * n_steps)),
        )
        n_atoms = len(module.decoder)
        self._patience = _PASSED_OVER * n_atoms / module.n_active
        self._waited = torch.zeros(n_atoms, device=module.decoder.device)

    def run_epoch(self, batches):
        """Make one step per batch.

        Parameters
        ----------
        batches : iterable of Tensor of shape (n_rows, n_features)
            Scaled samples.

        Returns
        -------
        record : dict
            ``train_loss``, the mean squared norm of the error; ``n_dead``, the number
            of dead atoms at the end; ``dur`` in seconds.
        """
        start, total, n_rows = perf_counter(), 0.0, 0
        for X in batches:
            total += self._step(X) * len(X)
            n_rows += len(X)
        return {
            "train_loss": total / n_rows,
            "n_dead": int(self._dead.sum()),
            "dur": perf_counter() - start,
        }

    def _step(self, X):
        module = self._module
        loss, auxiliary, used = module(X, self._dead)
        self._optimizer.zero_grad()
        (loss + _AUXILIARY * auxiliary).backward()
        module.drop_radial_gradient()
        self._optimizer.step()
        self._schedule.step()
        module.normalise()
        self._waited = torch.where(used, 0.0, self._waited + len(X))
        return loss.item()

    @property
    def _dead(self):
        return self._waited > self._patience
