"""A sparse autoencoder of the k largest latents, and its training."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import nn

from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._unit import unit_of

# Weight of the loss that revives dead atoms, and the eps of Adam, as Gao et al. (2025)
# have them.
_AUXILIARY = 1 / 32
_ADAM_EPS = 6.25e-10

# An atom is dead once so many rows have passed as would have used it this often, did
# all atoms serve equally many.
_PASSED_OVER = 100

# Share of the steps in which the learning rate falls to zero.
_FALLING = 0.2

# Rows that are measured at a time, and numbers where rows are wide.
_BLOCK = 4096
_NUMBERS = 2**20


@dataclass(frozen=True)
class Scaling:
    """What brings rows to mean zero and a mean squared norm of one.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        Taken off each row.

    scale : float
        What rows are divided by then: one where they are all equal.

    unit : float
        What rows, mean and scale are divided by before anything else.
    """

    mean: np.ndarray
    scale: float
    unit: float

    @classmethod
    def of(cls, X):
        """Measure rows.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scaling : Scaling
            In float64.
        """
        n_samples, unit = X.shape[0], unit_of(max(abs(X.max()), abs(X.min())))
        block = max(1, min(_BLOCK, _NUMBERS // X.shape[1]))

        def blocks():
            for start in range(0, n_samples, block):
                rows = np.arange(start, min(start + block, n_samples))
                rows = dense_rows(X, rows).astype(np.float64)
                rows /= unit
                yield rows

        mean = sum(rows.sum(axis=0) for rows in blocks()) / n_samples
        norm = np.sqrt(sum(np.square(rows - mean).sum() for rows in blocks()))
        # Of equal rows, rounding is all the deviation there is.
        rounding = n_samples * np.finfo(np.float64).eps * np.linalg.norm(mean)
        root = np.sqrt(n_samples)
        scale = float(norm / root) if norm > rounding * root else 1.0
        return cls(mean, scale, unit)

    def apply(self, rows):
        """Scale rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        rows : ndarray of shape (n_rows, n_features)
            Scaled, in their own float type.
        """
        scaled, unit = np.empty_like(rows), rows.dtype.type(self.unit)
        for row, out in zip(rows, scaled, strict=True):  # little is in float64 at once
            out[:] = (row / unit - self.mean) / self.scale
        return scaled

    def undo(self, bias):
        """Return a row in the unit of the rows.

        Parameters
        ----------
        bias : ndarray of shape (n_features,)
            A scaled row.

        Returns
        -------
        row : ndarray of shape (n_features,)
            What `apply` makes that of.
        """
        return self.unit * (self.mean + self.scale * bias)


class TopK(nn.Module):
    """Rows as sums of the atoms whose latents are the largest.

    Parameters
    ----------
    components : Tensor of shape (n_components, n_features)
        Atoms of unit norm to start from. The weights of the encoder start from them.

    n_active : int
        Atoms a row at most.
    """

    def __init__(self, components, n_active):
        super().__init__()
        self.n_active = n_active
        self.encoder = nn.Parameter(components.clone())
        self.decoder = nn.Parameter(components.clone())
        self.bias = nn.Parameter(torch.zeros_like(components[0]))

    def forward(self, X, dead):
        """Rebuild rows, and from dead atoms what was lost of them.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Rows.

        dead : Tensor of bool of shape (n_components,)
            The dead atoms.

        Returns
        -------
        loss : Tensor of shape ()
            Mean squared norm of what is lost.

        auxiliary : Tensor of shape ()
            Share of that which the dead atoms leave.

        used : Tensor of bool of shape (n_components,)
            The atoms that serve a row.
        """
        latents = torch.relu((X - self.bias) @ self.encoder.T)
        codes = largest(latents, self.n_active)
        error = X - self.bias - codes @ self.decoder
        loss = error.square().sum(dim=1).mean()
        auxiliary = self._auxiliary(latents, error.detach(), dead)
        return loss, auxiliary, (codes > 0).any(dim=0)

    def _auxiliary(self, latents, error, dead):
        n_dead, total = int(dead.sum()), error.square().sum()
        if n_dead == 0 or total == 0:
            return torch.zeros_like(total)
        # As few as are active in a row: of many, each would learn a small part only,
        # and never be among the largest.
        n_active = min(n_dead, self.n_active)
        codes = largest(latents[:, dead], n_active)
        return (error - codes @ self.decoder[dead]).square().sum() / total

    @torch.no_grad()
    def drop_radial_gradient(self):
        """Take off the gradient what would only change norms of atoms."""
        gradient = self.decoder.grad
        along = (gradient * self.decoder).sum(dim=1, keepdim=True)
        gradient -= along * self.decoder

    @torch.no_grad()
    def normalise(self):
        """Give the atoms unit norm."""
        norms = torch.linalg.vector_norm(self.decoder, dim=1, keepdim=True)
        self.decoder /= norms.clamp_min(torch.finfo(norms.dtype).tiny)


def largest(latents, n_active):
    """Set all but the largest latents of each row to zero.

    Parameters
    ----------
    latents : Tensor of shape (n_rows, n_components)
        None below zero.

    n_active : int
        How many to keep.

    Returns
    -------
    codes : Tensor of shape (n_rows, n_components)
        The largest in their places.
    """
    values, places = latents.topk(n_active, dim=1, sorted=False)
    return torch.zeros_like(latents).scatter(1, places, values)


class Training:
    """The training of a `TopK`, an epoch after the other.

    Parameters
    ----------
    module : TopK
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

    def epoch(self, batches):
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
