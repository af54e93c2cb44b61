"""What is said of patches in terms of atoms. To add one, write it and its line."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from sksparse_nn._registry import Registry
from sksparse_nn.kernels.patches import (
    pool_nearest,
    pool_soft_thresholds,
    pool_thresholds,
    pool_triangles,
)
from sksparse_nn.solvers._rows import DenseRows
from sksparse_nn.solvers.coding import OMP, AbstractCoder, Lasso
from sksparse_nn.solvers.dictionary import unit_atoms
from sksparse_nn.solvers.patches._whitening import Whitening


@dataclass(frozen=True)
class Folded:
    """Atoms with all that is linear in the map of patches multiplied into them.

    Attributes
    ----------
    columns : ndarray of shape (patch_width, n_atoms)
        Multiply centred patches.

    offsets : ndarray of shape (n_atoms,)
        Taken off the products once those are scaled.

    whitening : Whitening
        The map.

    atoms : object
        What an encoder made of the dictionary.
    """

    columns: np.ndarray
    offsets: np.ndarray
    whitening: Whitening
    atoms: object


class PatchEncoder(ABC):
    """Algorithm that says for each patch how much of each atom there is."""

    signed = True  # whether values below zero can be
    fuses = False  # whether it has `add`
    learns_with = OMP(n_nonzero_coefs=1)  # whose codes the dictionary is learnt with

    @abstractmethod
    def prepare(self, dictionary, whitening):
        """Do the work that needs no patch.

        Parameters
        ----------
        dictionary : ndarray of shape (n_atoms, patch_width)
            Atoms of whitened patches.

        whitening : Whitening
            The map of patches.

        Returns
        -------
        state : object
            What `values` needs.
        """

    @abstractmethod
    def values(self, state, patches):
        """Encode patches.

        Parameters
        ----------
        state : object
            From `prepare`.

        patches : Patches
            The patches.

        Returns
        -------
        values : ndarray of shape (n_patches, n_atoms)
            In the type of the patches.
        """


class _Fused(PatchEncoder):
    """Adds values up by region without storing them."""

    fuses = True

    def add(self, state, patches, places, out, *, raw):
        """Add up by region; signed values apart where they are above and below zero.

        Parameters
        ----------
        state, patches
            As in `values`.

        places, out
            As in `pool_soft_thresholds`, or as in `pool_sums` if no value is signed.

        raw : ndarray of shape (n_patches, n_atoms)
            Overwritten.
        """
        np.matmul(patches.centred, state.columns, out=raw)
        scales = state.whitening.scales(patches)
        self.pool(state, patches, (raw, scales, state.offsets), (places, out))

    @abstractmethod
    def pool(self, state, patches, products, sums):
        """Run the kernel.

        Parameters
        ----------
        state, patches
            As in `values`.

        products : tuple
            The first arguments of the kernel, which are products.

        sums : tuple
            Its last arguments, which are sums.
        """


class _Correlations(_Fused):
    """Looks at the products of whitened patches and unit atoms."""

    def prepare(self, dictionary, whitening):
        return _folded(unit_atoms(dictionary), whitening)

    def values(self, state, patches):
        return self.shrunk(_products(state, patches))

    @abstractmethod
    def shrunk(self, products):
        """Leave out what is small."""


@dataclass(frozen=True)
class SoftThreshold(_Correlations):
    """Correlations shrunk towards zero by a level.

    Parameters
    ----------
    alpha : float, default=0.25
        The level.
    """

    alpha: float = 0.25

    def shrunk(self, products):
        level = products.dtype.type(self.alpha)
        return np.sign(products) * np.maximum(np.abs(products) - level, 0)

    def pool(self, state, patches, products, sums):
        level = products[0].dtype.type(self.alpha)
        pool_soft_thresholds(*products, level, *sums)


@dataclass(frozen=True)
class HardThreshold(_Correlations):
    """Correlations above a level, as they are.

    Parameters
    ----------
    alpha : float, default=0.25
        The level.
    """

    alpha: float = 0.25

    def shrunk(self, products):
        return np.where(np.abs(products) > products.dtype.type(self.alpha), products, 0)

    def pool(self, state, patches, products, sums):
        level = products[0].dtype.type(self.alpha)
        pool_thresholds(*products, level, *sums)


class _Distances(_Fused):
    """Looks at the distances of whitened patches from atoms of any norm."""

    signed = False

    def prepare(self, dictionary, whitening):
        norms = (dictionary.astype(np.float64) ** 2).sum(axis=1)
        return _folded(dictionary, whitening, norms.astype(dictionary.dtype))

    def squared_distances(self, state, patches):
        """Return them, of shape (n_patches, n_atoms), the squares of patches aside."""
        return state.atoms - 2 * _products(state, patches)


@dataclass(frozen=True)
class Triangle(_Distances):
    """By how much each atom is nearer to the patch than atoms are on average."""

    def values(self, state, patches):
        squares = self.squared_distances(state, patches)
        squares += _squared_norms(state, patches)[:, None]
        distances = np.sqrt(np.maximum(squares, 0, out=squares), out=squares)
        return np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)

    def pool(self, state, patches, products, sums):
        squares = _squared_norms(state, patches)
        pool_triangles(*products, state.atoms, squares, *sums)


@dataclass(frozen=True)
class HardAssignment(_Distances):
    """One for the nearest atom."""

    def values(self, state, patches):
        squares = self.squared_distances(state, patches)
        values = np.zeros_like(squares)
        values[np.arange(len(values)), squares.argmin(axis=1)] = 1
        return values

    def pool(self, state, patches, products, sums):
        pool_nearest(*products, state.atoms, *sums)


class _Coder(PatchEncoder):
    """Codes of the package, of whitened patches and unit atoms."""

    coder: AbstractCoder

    @property
    def learns_with(self):
        """The coder itself."""
        return self.coder

    def prepare(self, dictionary, whitening):
        return whitening, self.coder.prepare(unit_atoms(dictionary))

    def values(self, state, patches):
        whitening, atoms = state
        rows = DenseRows(whitening.apply(patches))
        return self.coder.encode(atoms, rows).dense(len(atoms.unit))


@dataclass(frozen=True)
class Pursuit(_Coder):
    """Orthogonal matching pursuit.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Atoms a patch; None for a tenth of its values.
    """

    n_nonzero_coefs: int | None = None

    @property
    def coder(self):
        return OMP(n_nonzero_coefs=self.n_nonzero_coefs)


@dataclass(frozen=True)
class LassoCodes(_Coder):
    """The lasso.

    Parameters
    ----------
    alpha : float, default=0.25
        Its penalty.
    """

    alpha: float = 0.25

    @property
    def coder(self):
        return Lasso(alpha=self.alpha)


def _folded(dictionary, whitening, atoms=None):
    columns = whitening.matrix @ dictionary.T.astype(np.float64)
    dtype = dictionary.dtype
    offsets = (whitening.mean @ columns).astype(dtype)
    return Folded(np.ascontiguousarray(columns, dtype), offsets, whitening, atoms)


def _products(state, patches):
    products = patches.centred @ state.columns
    products *= state.whitening.scales(patches)[:, None]
    products -= state.offsets
    return products


def _squared_norms(state, patches):
    whitened = state.whitening.apply(patches)
    return np.einsum("ij,ij->i", whitened, whitened)


ENCODERS = Registry(
    "encoder",
    soft_threshold=SoftThreshold,
    threshold=HardThreshold,
    triangle=Triangle,
    hard_assignment=HardAssignment,
    omp=Pursuit,
    lasso=LassoCodes,
)
