"""Layers of patches whose atoms contain the whitening, which is not stored then."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from sksparse_nn.modules._compressed_coding import QuantizedCoding
from sksparse_nn.modules._facts import quantize
from sksparse_nn.modules._patches import PatchLayer

# Ratio of the eigenvalues of a whitening up to which atoms can be read back.
_MAX_CONDITION = 1e4


def fold_whitening(layer):
    """Multiply the atoms of a layer of patches by its whitening.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    layer : torch.nn.Module
        A copy for prediction, without the whitening; the layer itself if it is of
        another kind, needs the whitening, or has one that cannot be undone.
    """
    if not _can_fold(layer):
        return layer
    with torch.no_grad():
        atoms = layer._fold().weight
    folded = deepcopy(layer)
    folded.dictionary = nn.Parameter(atoms, layer.dictionary.requires_grad)
    folded.whitening, folded.normalises_atoms = None, False
    return folded


def unfold_whitening(atoms, whitening):
    """Undo `fold_whitening`.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms, patch_width)
        Atoms of a layer that contain the whitening.

    whitening : ndarray of shape (patch_width, patch_width)
        The whitening.

    Returns
    -------
    atoms : ndarray of float64 of shape (n_atoms, patch_width)
        Atoms of whitened patches.
    """
    return np.linalg.solve(whitening.astype(np.float64), atoms.T).T


def _can_fold(layer):
    if not isinstance(layer, PatchLayer) or layer.whitening is None:
        return False
    if not layer.normalises_atoms:  # distances take whitened patches
        return False
    matrix = layer.whitening.cpu().double().numpy()
    return np.allclose(matrix, matrix.T) and np.linalg.cond(matrix) < _MAX_CONDITION


@quantize.register
def _(layer: PatchLayer, n_bits, input_scale):
    folded = fold_whitening(layer)
    integers = QuantizedCoding(folded, n_bits)
    if folded is not layer:
        found = integers.float_layer().atoms.numpy()
        atoms = unfold_whitening(found, layer.whitening.cpu().numpy())
        # They are of unit norm, as the atoms that they stand for.
        integers.scale_rows(1 / np.linalg.norm(atoms, axis=1))
    return integers
