"""Encoders that write values over products of patches and atoms, by kernels."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels.patch_values import nearest
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._whitening import Whitening


@dataclass(frozen=True)
class Folded:
    """Atoms with all that is linear in the map of patches multiplied into them.

    Attributes
    ----------
    atoms : ndarray of shape (n_atoms, patch_width)
        Multiply centred patches.

    offsets : ndarray of shape (n_atoms,)
        Taken off the products once those are scaled.

    whitening : Whitening
        The map.

    norms : ndarray of shape (n_atoms,) or None
        Squared norms of the atoms of whitened patches, where an encoder needs them.

    given : ndarray of shape (n_atoms, patch_width)
        The atoms of whitened patches.
    """

    atoms: np.ndarray
    offsets: np.ndarray
    whitening: Whitening
    norms: np.ndarray | None
    given: np.ndarray


class OfProducts(PatchEncoder):
    """Looks at the products of patches and atoms, and writes values over them."""

    def values(self, state, patches, out=None):
        raw, scales = products(state, patches, out)
        self.overwrite(state, patches, raw, scales)
        return raw

    @abstractmethod
    def overwrite(self, state, patches, raw, scales):
        """Write values over products.

        Parameters
        ----------
        state, patches
            As in `values`.

        raw, scales : ndarray
            As in the kernels.
        """


class OfDistances(OfProducts):
    """Looks at the distances of whitened patches from atoms of any norm."""

    signed = False

    def prepare(self, dictionary, whitening):
        norms = (dictionary.astype(np.float64) ** 2).sum(axis=1)
        return fold(dictionary, whitening, norms.astype(dictionary.dtype))


@dataclass
class HardAssignment(OfDistances):
    """One for the nearest atom."""

    def overwrite(self, state, patches, raw, scales):
        nearest(raw, scales, state.offsets, state.norms)

    def slopes(self, state, whitened, values, attributions):
        return np.zeros((*attributions.shape[:2], whitened.shape[1]))


def fold(dictionary, whitening, norms=None):
    """Multiply what is linear in the map of patches into the atoms.

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
    folded : Folded
        Atoms of centred patches.
    """
    atoms, dtype = dictionary.astype(np.float64) @ whitening.matrix.T, dictionary.dtype
    offsets = (atoms @ whitening.mean).astype(dtype)
    return Folded(atoms.astype(dtype), offsets, whitening, norms, dictionary)


def products(state, patches, out):
    """Multiply centred patches and folded atoms.

    Parameters
    ----------
    state : Folded
        The atoms.

    patches : Patches
        The patches.

    out : ndarray of shape (n_patches, n_atoms) or None
        Memory for the products.

    Returns
    -------
    raw : ndarray of shape (n_patches, n_atoms)
        The products.

    scales : ndarray of shape (n_patches,)
        What they are to be multiplied by.
    """
    if out is None:
        out = np.empty((len(patches), len(state.atoms)), patches.centred.dtype)
    np.matmul(patches.centred, state.atoms.T, out=out)
    return out, state.whitening.scales(patches)
