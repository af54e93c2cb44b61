"""What is said of patches in terms of atoms. To add one, write it and its line."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from sksparse_nn._registry import Registry
from sksparse_nn.kernels.patch_sweep import sum_soft_thresholds
from sksparse_nn.kernels.patch_values import (
    nearest,
    soft_thresholds,
    thresholds,
    triangles,
)
from sksparse_nn.solvers._rows import DenseRows
from sksparse_nn.solvers.coding import (
    OMP,
    AbstractCoder,
    Lasso,
    distance_slopes,
    warn_of_gaps,
)
from sksparse_nn.solvers.dictionary import unit_atoms
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


@dataclass(frozen=True)
class _Coding:
    """What codes of patches are found with, and how well they were.

    Attributes
    ----------
    whitening : Whitening
        The map of patches.

    atoms : Atoms
        The dictionary.

    n_patches : list of int
        Of each block that was encoded.

    wide_gaps : list of ndarray
        Duality gaps, of each block, of the codes that are not at the optimum.
    """

    whitening: Whitening
    atoms: object
    n_patches: list = field(default_factory=list)
    wide_gaps: list = field(default_factory=list)


class PatchEncoder(ABC):
    """Algorithm that says for each patch how much of each atom there is."""

    alpha = None  # the level, where there is one
    signed = True  # whether values below zero can be
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
    def values(self, state, patches, out=None):
        """Encode patches.

        Parameters
        ----------
        state : object
            From `prepare`.

        patches : Patches
            The patches.

        out : ndarray of shape (n_patches, n_atoms), default=None
            Memory that may be used for the values.

        Returns
        -------
        values : ndarray of shape (n_patches, n_atoms)
            In the type of the patches.
        """

    def slopes(self, state, whitened, values, worths):
        """Turn worths of values into worths of centred patches of unit contrast.

        Parameters
        ----------
        state : object
            From `prepare`, in float64.

        whitened : ndarray of shape (n_patches, patch_width)
            Whitened patches.

        values : ndarray of shape (n_patches, n_atoms)
            From `values`.

        worths : ndarray of shape (n_targets, n_patches, n_atoms)
            What a unit of each value adds to each target; of no value, nothing.

        Returns
        -------
        worths : ndarray of shape (n_targets, n_patches, patch_width)
            What a unit of the patches adds.

        Raises
        ------
        TypeError
            If the encoder does not say.
        """
        raise TypeError(
            "Predictions cannot be attributed through the encoder "
            f"{type(self).__name__}, which has no slopes; write its method slopes, or "
            "use features=False."
        )

    def largest_alpha(self, state, patches):
        """Return up to which `alpha` a patch has a nonzero.

        Parameters
        ----------
        state : object
            From `prepare`.

        patches : Patches
            The patches.

        Returns
        -------
        largest : float
            The largest product of a patch and an atom.
        """
        return float(np.abs(self._products(state, patches)).max(initial=0))

    def finish(self, state):
        """Warn of what went wrong, once all patches are encoded.

        Parameters
        ----------
        state : object
            From `prepare`, used on all of them.
        """
        return


class _OfProducts(PatchEncoder):
    """Looks at the products of patches and atoms, and writes values over them."""

    def values(self, state, patches, out=None):
        raw, scales = _products(state, patches, out)
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


class _Correlations(_OfProducts):
    """Looks at the products of whitened patches and unit atoms."""

    def prepare(self, dictionary, whitening):
        return _folded(unit_atoms(dictionary), whitening)

    def slopes(self, state, whitened, values, worths):
        return worths @ state.atoms

    def _products(self, state, patches):
        raw, scales = _products(state, patches, None)
        return raw * scales[:, None] - state.offsets


@dataclass(frozen=True)
class SoftThreshold(_Correlations):
    """Correlations shrunk towards zero by a level.

    Parameters
    ----------
    alpha : float, default=0.25
        The level.
    """

    alpha: float = 0.25

    def overwrite(self, state, patches, raw, scales):
        soft_thresholds(raw, scales, state.offsets, _level(self.alpha, raw.dtype))

    def add_split(self, state, images, layout, sums):
        """Add positive and negative values up by region, in one sweep.

        Parameters
        ----------
        state : Folded
            From `prepare`.

        images : ndarray of shape (n_images, n_features)
            Images, the channels of a pixel side by side.

        layout : Layout
            Of the images.

        sums : ndarray of shape (n_images, n_regions * 2 * n_atoms)
            Added to.
        """
        sum_soft_thresholds(
            images,
            layout.runs,
            layout.corners,
            layout.regions,
            state.atoms,
            state.offsets,
            state.whitening.contrast,
            _level(self.alpha, images.dtype),
            sums,
        )


@dataclass(frozen=True)
class HardThreshold(_Correlations):
    """Correlations above a level, as they are.

    Parameters
    ----------
    alpha : float, default=0.25
        The level.
    """

    alpha: float = 0.25

    def overwrite(self, state, patches, raw, scales):
        thresholds(raw, scales, state.offsets, _level(self.alpha, raw.dtype))


class _Distances(_OfProducts):
    """Looks at the distances of whitened patches from atoms of any norm."""

    signed = False

    def prepare(self, dictionary, whitening):
        norms = (dictionary.astype(np.float64) ** 2).sum(axis=1)
        return _folded(dictionary, whitening, norms.astype(dictionary.dtype))


@dataclass(frozen=True)
class Triangle(_Distances):
    """By how much each atom is nearer to the patch than atoms are on average."""

    def overwrite(self, state, patches, raw, scales):
        whitened = state.whitening.apply(patches)
        squares = np.einsum("ij,ij->i", whitened, whitened)
        triangles(raw, scales, state.offsets, state.norms, squares)

    def slopes(self, state, whitened, values, worths):
        out = [
            worths[:, patch] @ distance_slopes(state.given, row)
            for patch, row in enumerate(whitened)
        ]
        return np.stack(out, axis=1) @ state.whitening.matrix


@dataclass(frozen=True)
class HardAssignment(_Distances):
    """One for the nearest atom."""

    def overwrite(self, state, patches, raw, scales):
        nearest(raw, scales, state.offsets, state.norms)

    def slopes(self, state, whitened, values, worths):
        return np.zeros((*worths.shape[:2], whitened.shape[1]))


class _Coder(PatchEncoder):
    """Codes of the package, of whitened patches and unit atoms."""

    coder: AbstractCoder

    @property
    def learns_with(self):
        """The coder itself."""
        return self.coder

    def prepare(self, dictionary, whitening):
        return _Coding(whitening, self.coder.prepare(unit_atoms(dictionary)))

    def values(self, state, patches, out=None):
        rows = DenseRows(state.whitening.apply(patches))
        codes = self.coder.encode(state.atoms, rows)
        largest = self.coder.largest_gap(codes.values.dtype)
        state.n_patches.append(len(codes.gaps))
        state.wide_gaps.append(codes.gaps[codes.gaps > largest])
        return codes.dense(len(state.atoms.norms))

    def slopes(self, state, whitened, values, worths):
        out = np.zeros((*worths.shape[:2], whitened.shape[1]))
        for patch, row in enumerate(whitened):
            chosen = np.flatnonzero(values[patch])
            if len(chosen):
                slopes = self.coder.slopes(state.atoms, chosen, row)
                out[:, patch] = worths[:, patch, chosen] @ slopes
        return out @ state.whitening.matrix

    def finish(self, state):
        wide = np.concatenate([np.empty(0), *state.wide_gaps])
        largest = self.coder.largest_gap(state.atoms.dtype)
        warn_of_gaps(wide, largest, n=sum(state.n_patches), what="patches")


@dataclass(frozen=True)
class Pursuit(_Coder):
    """Orthogonal matching pursuit.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Atoms a patch; None for a tenth of its values, five at least.
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

    def _products(self, state, patches):
        return state.whitening.apply(patches) @ state.atoms.unit.T


def _folded(dictionary, whitening, norms=None):
    atoms, dtype = dictionary.astype(np.float64) @ whitening.matrix.T, dictionary.dtype
    offsets = (atoms @ whitening.mean).astype(dtype)
    return Folded(atoms.astype(dtype), offsets, whitening, norms, dictionary)


def _level(alpha, dtype):
    """Return a level in a type, the largest number that it has at most."""
    return dtype.type(min(alpha, float(np.finfo(dtype).max)))


def _products(state, patches, out):
    if out is None:
        out = np.empty((len(patches), len(state.atoms)), patches.centred.dtype)
    np.matmul(patches.centred, state.atoms.T, out=out)
    return out, state.whitening.scales(patches)


ENCODERS = Registry(
    "algorithm",
    soft_threshold=SoftThreshold,
    threshold=HardThreshold,
    triangle=Triangle,
    hard_assignment=HardAssignment,
    omp=Pursuit,
    lasso=LassoCodes,
)
