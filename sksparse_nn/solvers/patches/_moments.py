"""Weight, mean and scatter of patches: statistics that add up exactly."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._state import State, check_alike
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.patches._whitening import Whitening

# Patches whose products are computed at a time, in double precision.
_ROWS = 4096


@dataclass(frozen=True)
class PatchMoments(State):
    """Moments of patches of normalised contrast.

    Attributes
    ----------
    weight : float
        Sum of the weights of the patches.

    variance : float
        Mean of their variances before the contrast was normalised.

    mean : ndarray of shape (patch_width,)
        Their mean.

    scatter : ndarray of shape (patch_width, patch_width)
        Weighted sum of the products of their deviations from the mean.

    whitening : Whitening or None, default=None
        Normalises the contrast of patches. The context; None suffices for reading.
    """

    weight: float
    variance: float
    mean: np.ndarray
    scatter: np.ndarray
    whitening: Whitening | None = None

    @classmethod
    def empty(cls, width, whitening):
        """Return the moments of no patches.

        Parameters
        ----------
        width : int
            Number of values per patch.

        whitening : Whitening
            Normalises the contrast of those to come.

        Returns
        -------
        moments : PatchMoments
            Of weight zero.
        """
        nothing = np.zeros(width), np.zeros((width, width))
        return cls(0.0, 0.0, *nothing, whitening)

    @property
    def context(self):
        """The whitening."""  # numpydoc ignore=RT01
        return self.whitening

    @property
    def shape(self):
        """Number of values per patch."""  # numpydoc ignore=RT01
        return self.mean.shape

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore moments with a whitening from a result of `arrays`."""
        return cls(**arrays, whitening=context)

    def arrays(self):
        """Return all but the whitening, without copies."""
        return {
            name: value for name, value in vars(self).items() if name != "whitening"
        }

    def add(self, patches, weights, n_jobs=None):
        """Return the moments of these and further patches.

        Parameters
        ----------
        patches : Patches
            The patches.

        weights : ndarray of shape (n_patches,)
            Their weights.

        n_jobs : int or None, default=None
            Number of threads. The result does not depend on it.

        Returns
        -------
        moments : PatchMoments
            New.
        """

        def read(which):
            return _read_moments(patches[which], self.whitening, weights[which])

        moments, blocks = self, block_slices(len(patches), _ROWS)
        with single_threaded_blas():
            for part in map_in_order(read, blocks, n_jobs):
                moments = moments.merge(part)
        return moments

    def merge(self, other):
        """Return the moments of both sets of patches.

        Parameters
        ----------
        other : PatchMoments
            Of as many values per patch.

        Returns
        -------
        moments : PatchMoments
            New.
        """
        check_alike(self, other)
        total = self.weight + other.weight
        if total == 0:
            return self
        share, apart = other.weight / total, other.mean - self.mean
        between = np.outer(apart, apart) * (self.weight * share)
        return PatchMoments(
            total,
            self.variance + share * (other.variance - self.variance),
            self.mean + share * apart,
            self.scatter + other.scatter + between,
            self.whitening,
        )


def _read_moments(patches, whitening, weights):
    """Return the moments of a block, whose own mean is taken off first."""
    rows, weight = whitening.normalise(patches).astype(np.float64), weights.sum()
    mean = weights @ rows / weight
    deviations = np.sqrt(weights)[:, None] * (rows - mean)
    variance = float(weights @ patches.variances / weight)
    return PatchMoments(float(weight), variance, mean, deviations.T @ deviations)
