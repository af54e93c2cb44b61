"""Sums of soft thresholds of the patches of images, and their gradients, on threads."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels.patch_sweep import (
    differentiate_soft_thresholds,
    sum_soft_thresholds,
)
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.patches._layout import Layout
from sksparse_nn.solvers.patches._pooling import cut_images


@dataclass(frozen=True)
class SoftSums:
    """Map from images to sums of soft thresholds over regions, one for each sign.

    Parameters
    ----------
    layout : Layout
        Layout of the images.

    atoms : ndarray of shape (n_atoms, patch_width)
        Folded atoms, which multiply centred patches.

    offsets : ndarray of shape (n_atoms,)
        To subtract from the scaled products.

    contrast : float
        Added to the variance of a patch before the patch is divided by its root.

    alpha : float
        The level.

    n_jobs : int or None
        Number of threads, on which nothing depends.
    """

    layout: Layout
    atoms: np.ndarray
    offsets: np.ndarray
    contrast: float
    alpha: float
    n_jobs: int | None

    def sum(self, images):
        """Sum the soft thresholds of patches by region.

        Parameters
        ----------
        images : ndarray of shape (n_images, n_features)
            Images in pixel order, of the type of the atoms.

        Returns
        -------
        sums : ndarray of shape (n_images, n_regions * 2 * n_atoms)
            For each region, first of positive values, then of negative ones.
        """
        n_sums = self.layout.n_regions * 2 * len(self.atoms)
        sums = np.zeros((len(images), n_sums), images.dtype)

        def work(some):
            sum_soft_thresholds(*self._read(images[some]), sums[some])

        for _ in map_in_order(work, self._cut(images), self.n_jobs):
            pass
        return sums

    def differentiate(self, images, gradients):
        """Pull gradients by the sums back to the atoms, the offsets and the level.

        Parameters
        ----------
        images : ndarray of shape (n_images, n_features)
            Images in pixel order, of the type of the atoms.

        gradients : ndarray of shape (n_images, n_regions * 2 * n_atoms)
            Of some number, by what `sum` returns.

        Returns
        -------
        of_atoms : ndarray of shape (n_atoms, patch_width)
            Gradients by the folded atoms.

        of_offsets : ndarray of shape (n_atoms,)
            Gradients by the offsets.

        of_alpha : float
            Gradient by the level.
        """

        def work(some):
            found = np.zeros_like(self.atoms), *np.zeros((2, *self.offsets.shape))
            differentiate_soft_thresholds(
                *self._read(images[some]), gradients[some], *found
            )
            return found

        of_atoms, of_offsets, of_levels = np.zeros_like(self.atoms), 0.0, 0.0
        for found in map_in_order(work, self._cut(images), self.n_jobs):
            of_atoms += found[0]
            of_offsets = of_offsets + found[1]
            of_levels = of_levels + found[2]
        return of_atoms, of_offsets.astype(self.atoms.dtype), float(of_levels.sum())

    def _cut(self, images):
        return cut_images(len(images), self.layout)

    def _read(self, images):
        layout = self.layout
        return (
            images,
            layout.runs,
            layout.corners,
            layout.regions,
            self.atoms,
            self.offsets,
            self.contrast,
            images.dtype.type(self.alpha),
        )
