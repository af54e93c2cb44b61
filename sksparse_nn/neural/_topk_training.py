"""The training of a sparse autoencoder of the k largest latents."""

from time import perf_counter

import torch

# Weight of the loss that revives dead atoms, and the eps of Adam, as Gao et al. (2025)
# have them.
_AUXILIARY = 1 / 32
_ADAM_EPS = 6.25e-10

# An atom is dead once so many rows have passed as would have used it this often, did
# all atoms serve equally many.
_PASSED_OVER = 100

# Share of the steps in which the learning rate falls to zero.
_FALLING = 0.2


class Training:
    """The training of a `TopKModule`, an epoch after the other.

    Parameters
    ----------
    module : TopKModule
        Trained in place.

    n_steps : int
        Steps in all, by which the learning rate falls at the end.

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
        """Make a step a batch.

        Parameters
        ----------
        batches : iterable of Tensor of shape (n_rows, n_features)
            Scaled rows.

        Returns
        -------
        record : dict
            ``train_loss``, the mean squared norm of what was lost; ``n_dead``, the dead
            atoms at the end; ``dur`` in seconds.
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
