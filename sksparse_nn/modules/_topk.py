"""A sparse autoencoder of the k largest latents."""

import torch
from torch import nn


class TopKModule(nn.Module):
    """Reconstruct samples from the atoms with the largest latents.

    Parameters
    ----------
    components : Tensor of shape (n_components, n_features)
        Atoms of unit norm to start from. The weights of the encoder start from them.

    n_active : int
        Nonzero codes per sample, at most.
    """

    def __init__(self, components, n_active):
        super().__init__()
        self.n_active = n_active
        self.encoder = nn.Parameter(components.clone())
        self.decoder = nn.Parameter(components.clone())
        self.bias = nn.Parameter(torch.zeros_like(components[0]))

    def forward(self, X, dead, total=None):
        """Reconstruct samples, and reconstruct the error from dead atoms.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Samples.

        dead : Tensor of bool of shape (n_components,)
            The dead atoms.

        total : Tensor of shape () or None, default=None
            Squared norm of the error of a mini-batch that the samples are a part of;
            None where they are all of it.

        Returns
        -------
        loss : Tensor of shape ()
            Mean squared norm of the error.

        auxiliary : Tensor of shape ()
            Share of the total squared error that remains after the dead atoms.

        used : Tensor of bool of shape (n_components,)
            The atoms that some sample uses.
        """
        latents, codes, error = self._reconstruct(X)
        loss = error.square().sum(dim=1).mean()
        auxiliary = self._auxiliary(latents, error.detach(), dead, total)
        return loss, auxiliary, (codes > 0).any(dim=0)

    def _reconstruct(self, X):
        latents = torch.relu((X - self.bias) @ self.encoder.T)
        codes = keep_largest(latents, self.n_active)
        return latents, codes, X - self.bias - codes @ self.decoder

    @torch.no_grad()
    def measure_error(self, X):
        """Measure the error of samples.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Samples.

        Returns
        -------
        total : Tensor of shape ()
            Its squared norm.
        """
        return self._reconstruct(X)[2].square().sum()

    def _auxiliary(self, latents, error, dead, total):
        total = error.square().sum() if total is None else total
        n_dead = int(dead.sum())
        if n_dead == 0 or total == 0:
            return torch.zeros_like(total)
        # Not more than are active per sample: each of many would learn a small part
        # and never be among the largest.
        n_active = min(n_dead, self.n_active)
        codes = keep_largest(latents[:, dead], n_active)
        return (error - codes @ self.decoder[dead]).square().sum() / total

    @torch.no_grad()
    def drop_radial_gradient(self):
        """Remove the part of the gradient that would only change norms of atoms."""
        gradient = self.decoder.grad
        along = (gradient * self.decoder).sum(dim=1, keepdim=True)
        gradient -= along * self.decoder

    @torch.no_grad()
    def normalise(self):
        """Give the atoms unit norm."""
        norms = torch.linalg.vector_norm(self.decoder, dim=1, keepdim=True)
        self.decoder /= norms.clamp_min(torch.finfo(norms.dtype).tiny)


def keep_largest(latents, n_active):
    """Set all but the largest latents of each row to zero.

    Parameters
    ----------
    latents : Tensor of shape (n_rows, n_components)
        Not negative.

    n_active : int
        Number to keep per row.

    Returns
    -------
    codes : Tensor of shape (n_rows, n_components)
        The largest latents, in their places.
    """
    values, places = latents.topk(n_active, dim=1, sorted=False)
    return torch.zeros_like(latents).scatter(1, places, values)
