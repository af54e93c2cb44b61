"""Coders of rows as encoders of patches: by kernels where there are some for them."""

from dataclasses import dataclass, field

import numpy as np

from sksparse_nn.kernels.patch_sweep import sum_soft_thresholds
from sksparse_nn.kernels.patch_values import soft_thresholds, thresholds, triangles
from sksparse_nn.solvers._rows import DenseRows
from sksparse_nn.solvers.coding import (
    AbstractCoder,
    HardThreshold,
    SoftThreshold,
    Triangle,
    distance_slopes,
    warn_of_gaps,
)
from sksparse_nn.solvers.dictionary import normalise_atoms
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._products import (
    OfDistances,
    OfProducts,
    fold,
    products,
)
from sksparse_nn.solvers.patches._whitening import Whitening


def encoder_of(algorithm):
    """Return what encodes patches with an algorithm.

    Parameters
    ----------
    algorithm : PatchEncoder or AbstractCoder
        An encoder, or a coder of rows.

    Returns
    -------
    encoder : PatchEncoder
        The encoder itself, or the coder on whitened patches and unit atoms.
    """
    if isinstance(algorithm, PatchEncoder):
        return algorithm
    kernel = _KERNELS.get(type(algorithm), CoderEncoder)
    return (kernel if kernel.can_adapt(algorithm) else CoderEncoder)(algorithm)


@dataclass
class _Adapter(PatchEncoder):
    """What encoders tell of the coders that they stand for.

    Parameters
    ----------
    coder : AbstractCoder
        The coder.
    """

    coder: AbstractCoder

    @staticmethod
    def can_adapt(coder):
        """Tell whether a coder of the class has no setting that is not heeded."""
        return True

    @property
    def approximates(self):
        """Whether values times unit atoms are near the whitened patches."""
        return self.coder.approximates

    @property
    def signed(self):
        """Whether values can be below zero."""
        return self.coder.signed

    @property
    def alpha(self):
        """The level, where there is one."""
        return getattr(self.coder, "alpha", None)

    def learning_coder(self):
        return self.coder.learning_coder()


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


class CoderEncoder(_Adapter):
    """Any coder, of whitened patches and unit atoms."""

    def prepare(self, dictionary, whitening):
        if self.coder.weights_atoms:
            dictionary = normalise_atoms(dictionary)
        return _Coding(whitening, self.coder.prepare(dictionary))

    def values(self, state, patches, out=None):
        rows = DenseRows(state.whitening.apply(patches))
        codes = self.coder.encode(state.atoms, rows)
        largest = self.coder.largest_gap(codes.values.dtype)
        state.n_patches.append(len(codes.gaps))
        state.wide_gaps.append(codes.gaps[codes.gaps > largest])
        return codes.dense(len(state.atoms.norms))

    def slopes(self, state, whitened, values, attributions):
        out = np.zeros((*attributions.shape[:2], whitened.shape[1]))
        for patch, row in enumerate(whitened):
            chosen = np.flatnonzero(values[patch])
            if len(chosen):
                slopes = self.coder.slopes(state.atoms, chosen, row)
                out[:, patch] = attributions[:, patch, chosen] @ slopes
        return out @ state.whitening.matrix

    def largest_alpha(self, state, patches):
        levels = self.coder.levels(state.atoms)
        if levels is None or not self.alpha > 0:
            return None
        found = state.whitening.apply(patches) @ state.atoms.unit.T
        found = np.abs(found) if self.signed else found
        return float(self.alpha * (found / levels).max(initial=0))

    def work(self, n_atoms, patch_width, n_nonzero):
        return patch_width**2 + self.coder.work(n_atoms, patch_width, n_nonzero)

    def finish(self, state):
        wide = np.concatenate([np.empty(0), *state.wide_gaps])
        largest = self.coder.largest_gap(state.atoms.dtype)
        warn_of_gaps(wide, largest, n=sum(state.n_patches), what="patches")


class _Correlations(_Adapter, OfProducts):
    """Looks at the products of whitened patches and unit atoms."""

    @staticmethod
    def can_adapt(coder):
        """Tell whether all atoms have one level, on both sides of zero."""
        return coder.signed and coder.atom_weights is None

    def prepare(self, dictionary, whitening):
        return fold(normalise_atoms(dictionary), whitening)

    def slopes(self, state, whitened, values, attributions):
        return attributions @ state.atoms

    def largest_alpha(self, state, patches):
        raw, scales = products(state, patches, None)
        found = raw * scales[:, None] - state.offsets
        return float(np.abs(found).max(initial=0))


class _SoftThresholds(_Correlations):
    """Correlations shrunk towards zero by a level."""

    sweeps = True

    def overwrite(self, state, patches, raw, scales):
        soft_thresholds(raw, scales, state.offsets, _level(self.alpha, raw.dtype))

    def add_split(self, state, images, layout, sums):
        """Add positive and negative values up by region, in one sweep over images."""
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


class _HardThresholds(_Correlations):
    """Correlations above a level, as they are."""

    def overwrite(self, state, patches, raw, scales):
        thresholds(raw, scales, state.offsets, _level(self.alpha, raw.dtype))


class _Triangles(_Adapter, OfDistances):
    """By how much each atom is nearer to the patch than atoms are on average."""

    def overwrite(self, state, patches, raw, scales):
        whitened = state.whitening.apply(patches)
        squares = np.einsum("ij,ij->i", whitened, whitened)
        triangles(raw, scales, state.offsets, state.norms, squares)

    def slopes(self, state, whitened, values, attributions):
        out = [
            attributions[:, patch] @ distance_slopes(state.given, row)
            for patch, row in enumerate(whitened)
        ]
        return np.stack(out, axis=1) @ state.whitening.matrix

    def work(self, n_atoms, patch_width, n_nonzero):
        return patch_width**2 + n_atoms * patch_width


def _level(alpha, dtype):
    """Return a level in a type, the largest number that it has at most."""
    return dtype.type(min(alpha, float(np.finfo(dtype).max)))


# Coders themselves, as one derived from them may say something else.
_KERNELS = {
    SoftThreshold: _SoftThresholds,
    HardThreshold: _HardThresholds,
    Triangle: _Triangles,
}
