"""Encoders by kernels that overwrite products of patches and atoms with values."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels.patch_values import nearest
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._whitening import Whitening


@dataclass(frozen=True)
class FoldedAtoms:
    """Atoms multiplied by the whitening matrix.

    Attributes
    ----------
    atoms : ndarray of shape (n_atoms, patch_width)
        Folded atoms, which multiply centred patches.

    offsets : ndarray of shape (n_atoms,)
        To subtract from the scaled products.

    whitening : Whitening
        The map of patches.

    norms : ndarray of shape (n_atoms,) or None
        Squared norms of the atoms of whitened patches, if the encoder needs them.

    given : ndarray of shape (n_atoms, patch_width)
        Atoms of whitened patches.
    """

    atoms: np.ndarray
    offsets: np.ndarray
    whitening: Whitening
    norms: np.ndarray | None
    given: np.ndarray


class ProductEncoder(PatchEncoder):
    """Encoder that overwrites products of patches and atoms with values."""

    def values(self, state, patches, out=None):
        raw, scales = multiply_patches(state, patches, out)
        self.overwrite(state, patches, raw, scales)
        return raw

    @abstractmethod
    def overwrite(self, state, patches, raw, scales):
        """Overwrite products with values.

        Parameters
        ----------
        state, patches
            Arguments of `values`.

        raw, scales : ndarray
            Products from `multiply_patches`, overwritten, and their scales.
        """


class DistanceEncoder(ProductEncoder):
    """Encoder by the distances of whitened patches from atoms of any norm."""

    signed = False

    def prepare(self, dictionary, whitening):
        norms = (dictionary.astype(np.float64) ** 2).sum(axis=1)
        return fold_whitening(dictionary, whitening, norms.astype(dictionary.dtype))


@dataclass
class HardAssignment(DistanceEncoder):
    """Codes that are one for the nearest atom."""

    def overwrite(self, state, patches, raw, scales):
        nearest(raw, scales, state.offsets, state.norms)

    def slopes(self, state, whitened, values, attributions):
        return np.zeros((*attributions.shape[:2], whitened.shape[1]))


def fold_whitening(dictionary, whitening, norms=None):
    """Multiply atoms by the whitening matrix, so that it need not multiply patches.

    Parameters
    ----------
    dictionary : ndarray of shape (n_atoms, patch_width)
        Atoms of whitened patches.

    whitening : Whitening
        The map of patches.

    norms : ndarray of shape (n_atoms,) or None, default=None
        Squared norms of the atoms.

    Returns
    -------
    folded : FoldedAtoms
        Atoms for centred patches.
    """
    atoms, dtype = dictionary.astype(np.float64) @ whitening.matrix.T, dictionary.dtype
    offsets = (atoms @ whitening.mean).astype(dtype)
    return FoldedAtoms(atoms.astype(dtype), offsets, whitening, norms, dictionary)


def multiply_patches(state, patches, out):
    """Multiply centred patches and folded atoms.

    Parameters
    ----------
    state : FoldedAtoms
        The atoms.

    patches : Patches
        The patches.

    out : ndarray of shape (n_patches, n_atoms) or None
        Buffer for the products.

    Returns
    -------
    raw : ndarray of shape (n_patches, n_atoms)
        The products.

    scales : ndarray of shape (n_patches,)
        Factors by which to multiply the products.
    """
    if out is None:
        out = np.empty((len(patches), len(state.atoms)), patches.centred.dtype)
    np.matmul(patches.centred, state.atoms.T, out=out)
    return out, state.whitening.scales(patches)
