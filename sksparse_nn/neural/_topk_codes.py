"""Codes of a sparse autoencoder from its latents."""

import math

import numpy as np
import torch
from scipy import sparse


def compute_latents(rows, weights, bias):
    """Return the latents, without overflow in intermediate results.

    Parameters
    ----------
    rows : Tensor of shape (n_rows, n_features)
        Samples.

    weights : Tensor of shape (n_components, n_features)
        Weights of the encoder.

    bias : Tensor of shape (n_features,)
        Subtracted from the samples.

    Returns
    -------
    latents : Tensor of shape (n_rows, n_components)
        Not negative.

    Raises
    ------
    ValueError
        If the float type cannot hold them.
    """
    most = torch.finfo(rows.dtype).max
    peak = max(_peak(rows), _peak(bias))
    if peak * 4 * rows.shape[1] < most:
        return torch.relu((rows - bias) @ weights.T)
    unit = 2.0 ** (math.frexp(peak)[1] - 1)
    latents = unit * torch.relu((rows / unit - bias / unit) @ weights.T)
    if not latents.isfinite().all():
        raise ValueError(
            f"X must have codes of at most {most:.4g}, as {rows.dtype} can hold. Got "
            f"larger ones, of rows up to {peak:.4g}; divide X by some number."
        )
    return latents


def _peak(tensor):
    return float(torch.linalg.vector_norm(tensor, torch.inf))


def sparsify_latents(values, places, n_atoms):
    """Return the positive latents as a CSR matrix.

    Parameters
    ----------
    values, places : Tensor of shape (n_rows, n_active)
        Latents and their atoms, in any order.

    n_atoms : int
        Number of columns.

    Returns
    -------
    codes : CSR matrix of shape (n_rows, n_atoms)
        Indices in ascending order.
    """
    values, places = values.cpu().numpy(), places.cpu().numpy()
    order = places.argsort(axis=1)
    values, places = (np.take_along_axis(a, order, axis=1) for a in (values, places))
    positive = values > 0
    indptr = np.concatenate([[0], np.cumsum(positive.sum(axis=1))])
    shape = len(values), n_atoms
    return sparse.csr_matrix((values[positive], places[positive], indptr), shape=shape)
