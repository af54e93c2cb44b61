"""Coders of rows as encoders of patches, with kernels for some coders."""

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
    compute_distance_slopes,
    warn_of_gaps,
)
from sksparse_nn.solvers.dictionary import normalise_atoms
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._products import (
    DistanceEncoder,
    ProductEncoder,
    fold_whitening,
    multiply_patches,
)
from sksparse_nn.solvers.patches._whitening import Whitening


def make_encoder(algorithm):
    """Make the encoder of patches for an algorithm.

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
    """Base class of encoders that wrap a coder.

    Parameters
    ----------
    coder : AbstractCoder
        The coder.
    """

    coder: AbstractCoder

    @staticmethod
    def can_adapt(coder):
        """Return whether the encoder supports all settings of a coder."""
        return True

    @property
    def approximates(self):
        """Whether values times unit atoms approximate the whitened patches."""
        return self.coder.approximates

    @property
    def signed(self):
        """Whether values can be negative."""
        return self.coder.signed

    @property
    def alpha(self):
        """Threshold or penalty, or None."""
        return getattr(self.coder, "alpha", None)

    def learning_coder(self):
        return self.coder.learning_coder()


@dataclass(frozen=True)
class _CodingState:
    """Prepared atoms, and the duality gaps of the codes so far.

    Attributes
    ----------
    whitening : Whitening
        The map of patches.

    atoms : Atoms
        The dictionary.

    n_patches : list of int
        Number of patches per encoded block.

    wide_gaps : list of ndarray
        Duality gaps of the codes that are not at the optimum, per block.
    """

    whitening: Whitening
    atoms: object
    n_patches: list = field(default_factory=list)
    wide_gaps: list = field(default_factory=list)


class CoderEncoder(_Adapter):
    """Any coder, applied to whitened patches and unit atoms."""

    def prepare(self, dictionary, whitening):
        if self.coder.weights_atoms:
            dictionary = normalise_atoms(dictionary)
        return _CodingState(whitening, self.coder.prepare(dictionary))

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


class _Correlations(_Adapter, ProductEncoder):
    """Base class of encoders by products of whitened patches and unit atoms."""

    @staticmethod
    def can_adapt(coder):
        """Return whether all atoms have one threshold, on both sides of zero."""
        return coder.signed and coder.atom_weights is None

    def prepare(self, dictionary, whitening):
        return fold_whitening(normalise_atoms(dictionary), whitening)

    def slopes(self, state, whitened, values, attributions):
        return attributions @ state.atoms

    def largest_alpha(self, state, patches):
        raw, scales = multiply_patches(state, patches, None)
        found = raw * scales[:, None] - state.offsets
        return float(np.abs(found).max(initial=0))


class _SoftThresholds(_Correlations):
    """Products shrunk towards zero by a threshold."""

    sweeps = True

    def overwrite(self, state, patches, raw, scales):
        soft_thresholds(raw, scales, state.offsets, _round_level(self.alpha, raw.dtype))

    def add_split(self, state, images, layout, sums):
        """Sum positive and negative values per region, in one sweep over images."""
        sum_soft_thresholds(
            images,
            layout.runs,
            layout.corners,
            layout.regions,
            state.atoms,
            state.offsets,
            state.whitening.contrast,
            _round_level(self.alpha, images.dtype),
            sums,
        )


class _HardThresholds(_Correlations):
    """Products whose magnitude exceeds a threshold."""

    def overwrite(self, state, patches, raw, scales):
        thresholds(raw, scales, state.offsets, _round_level(self.alpha, raw.dtype))


class _Triangles(_Adapter, DistanceEncoder):
    """Mean distance of the patch from all atoms minus that from each, if positive."""

    def overwrite(self, state, patches, raw, scales):
        whitened = state.whitening.apply(patches)
        squares = np.einsum("ij,ij->i", whitened, whitened)
        triangles(raw, scales, state.offsets, state.norms, squares)

    def slopes(self, state, whitened, values, attributions):
        out = [
            attributions[:, patch] @ compute_distance_slopes(state.given, row)
            for patch, row in enumerate(whitened)
        ]
        return np.stack(out, axis=1) @ state.whitening.matrix

    def work(self, n_atoms, patch_width, n_nonzero):
        return patch_width**2 + n_atoms * patch_width


def _round_level(alpha, dtype):
    """Convert a threshold to a type, limited to the largest number of the type."""
    return dtype.type(min(alpha, float(np.finfo(dtype).max)))


# Exact classes, since a subclass may encode differently.
_KERNELS = {
    SoftThreshold: _SoftThresholds,
    HardThreshold: _HardThresholds,
    Triangle: _Triangles,
}
