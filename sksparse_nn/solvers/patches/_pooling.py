"""Images in, pooled values out: one sweep over blocks of images on threads."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn._progress import silent
from sksparse_nn.kernels.patches import (
    gather_patches,
    pool_maxima,
    pool_signed_maxima,
    pool_signed_sums,
    pool_sums,
)
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._layout import Layout
from sksparse_nn.solvers.patches._whitening import Patches

# Patches that a thread takes at once, and those gathered together: they stay in cache.
_TASK = 2**12
_GATHERED = 2**10

# Numbers that images taken at once have at most, if they are several.
_PIXELS = 2**18

# Numbers of a block of products, and its rows at least: it stays in cache too.
_PRODUCTS = 2**19
_ROWS = 64

POOLINGS = ("sum", "mean", "max")
# By whether the largest values are kept, and whether signs are pooled apart.
_POOLS = {
    (False, False): pool_sums,
    (False, True): pool_signed_sums,
    (True, False): pool_maxima,
    (True, True): pool_signed_maxima,
}


@dataclass(frozen=True)
class Pooling:
    """How the values of an image's patches become a row.

    Parameters
    ----------
    layout : Layout
        Of the images.

    encoder : PatchEncoder
        Makes the values.

    kind : {"sum", "mean", "max"}
        What is kept of a region.

    split_sign : bool
        Whether positive and negative values are pooled apart.

    n_atoms : int
        Values of a patch.
    """

    layout: Layout
    encoder: PatchEncoder
    kind: str
    split_sign: bool
    n_atoms: int

    @property
    def is_split(self):
        """Whether a region has two values an atom."""
        return self.split_sign and self.encoder.signed

    @property
    def n_outputs(self):
        """How many values an image gets."""
        return self.layout.n_regions * self.n_atoms * (1 + self.is_split)

    def encode(self, X, state, n_jobs=None, report=silent):
        """Encode images.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_images, n_features)
            Images.

        state : object
            What the encoder prepared.

        n_jobs : int or None, default=None
            Number of threads.

        report : ProgressLines, default=silent
            Told how far it is.

        Returns
        -------
        out : ndarray of shape (n_images, n_outputs)
            Of the float type that images of this type have.
        """
        dtype = float_type(X)
        at_first = -np.inf if self.kind == "max" and not self._is_positive else 0
        out = np.full((X.shape[0], self.n_outputs), at_first, dtype)

        def work(where):
            self._encode_block(float_images(X, where, self.layout), state, out[where])

        blocks = self.blocks(X)
        done = map_in_order(work, blocks, n_jobs)
        for _ in report.through(done, len(blocks), "encoding images"):
            pass
        self.encoder.finish(state)
        if self.kind == "mean":
            out /= np.repeat(self._region_sizes(), self.n_outputs // self._n_regions)
        return out

    @property
    def _n_regions(self):
        return self.layout.n_regions

    @property
    def _is_positive(self):
        return self.is_split or not self.encoder.signed

    def _region_sizes(self):
        return np.bincount(self.layout.regions).astype(np.float64)

    def blocks(self, X):
        """Cut images into as many as a thread takes at once.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_images, n_features)
            Images.

        Returns
        -------
        blocks : list of slice
            In order.
        """
        return block_slices(X.shape[0], _images_at_once(_TASK, self.layout))

    def _encode_block(self, images, state, out):
        if self._is_swept:
            self.encoder.add_split(state, images, self.layout, out)
            return
        pool = _POOLS[self.kind == "max", self.is_split]
        reader = PatchReader(self.layout, images.dtype)
        n_rows = max(_ROWS, _PRODUCTS // self.n_atoms)
        raw = np.empty((n_rows, self.n_atoms), images.dtype)
        for some in block_slices(len(images), reader.n_images):
            patches = reader.read(images[some])
            places = self._places(some.stop - some.start)
            target = out[some].reshape(-1)
            n_tiles = -(-len(patches) // n_rows)
            for rows in block_slices(len(patches), -(-len(patches) // n_tiles)):
                tile = raw[: rows.stop - rows.start]
                values = self.encoder.values(state, patches[rows], tile)
                pool(values, places[rows], target)

    @property
    def _is_swept(self):
        """Whether a kernel goes from images to sums by itself."""
        is_sum = self.kind != "max" and self.is_split
        return is_sum and self.encoder.sweeps

    def _places(self, n_images):
        starts = self.n_outputs * np.arange(n_images)
        width = self.n_outputs // self._n_regions
        return (starts[:, None] + width * self.layout.regions).ravel()


class PatchReader:
    """Reads patches of a few images at a time into the same memory.

    Parameters
    ----------
    layout : Layout
        Of the images.

    dtype : dtype
        Of the patches.

    Attributes
    ----------
    n_images : int
        How many images are read at once, at most.
    """

    def __init__(self, layout, dtype):
        self._layout = layout
        self.n_images = _images_at_once(_GATHERED, layout)
        n_patches = self.n_images * layout.n_positions
        self._centred = np.empty((n_patches, layout.patch_width), dtype)
        self._variances = np.empty(n_patches)

    def read(self, images):
        """Read the patches of some images.

        Parameters
        ----------
        images : ndarray of shape (n_some, n_features)
            Images.

        Returns
        -------
        patches : Patches
            By image, then position. Overwritten by the next call.
        """
        n_patches = len(images) * self._layout.n_positions
        centred, variances = self._centred[:n_patches], self._variances[:n_patches]
        runs, corners = self._layout.runs, self._layout.corners
        gather_patches(images, runs, corners, centred, variances)
        return Patches(centred, variances)


def _images_at_once(n_patches, layout):
    """Return how many images have so many patches, and are not too large themselves."""
    by_size = _PIXELS // layout.n_features
    return max(1, min(n_patches // layout.n_positions, by_size))


def float_type(X):
    """Return the type that images are worked on in.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Images.

    Returns
    -------
    dtype : dtype
        Double for images of float64, single for all others.
    """
    return np.dtype(np.float64 if X.dtype == np.float64 else np.float32)


def float_images(X, where, layout):
    """Copy some images, the channels of a pixel side by side.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_images, n_features)
        Images.

    where : slice or ndarray of int
        Which.

    layout : Layout
        Of the images.

    Returns
    -------
    images : ndarray of shape (n_some, n_features)
        Of `float_type`, C-contiguous and writable.
    """
    some = X[where]
    some = some.toarray() if sparse.issparse(some) else some
    return layout.by_pixel(np.array(some, float_type(X), order="C"))


def draw_patches(X, layout, n_patches, rng):
    """Draw patches at random places of random images, no place twice.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_images, n_features)
        Images.

    layout : Layout
        Of the images.

    n_patches : int
        How many, if there are as many.

    rng : RandomState instance
        Source of the draw.

    Returns
    -------
    patches : Patches
        In the order of the images.
    """
    n_images, n_positions = X.shape[0], layout.n_positions
    n_patches = min(n_patches, n_images * n_positions)
    an_image = np.full(n_images, n_patches // n_images)
    an_image[rng.permutation(n_images)[: n_patches % n_images]] += 1
    reader, drawn = PatchReader(layout, float_type(X)), []
    for some in block_slices(n_images, reader.n_images):
        counts = an_image[some]
        if counts.any():
            picked = [
                i * n_positions + rng.permutation(n_positions)[:count]
                for i, count in enumerate(counts)
            ]
            drawn.append(
                reader.read(float_images(X, some, layout))[np.concatenate(picked)]
            )
    return Patches(
        np.concatenate([patches.centred for patches in drawn]),
        np.concatenate([patches.variances for patches in drawn]),
    )


def prepared(encoder, dictionary, whitening, dtype):
    """Let an encoder prepare, on one thread of BLAS.

    Parameters
    ----------
    encoder : PatchEncoder
        The encoder.

    dictionary : ndarray of shape (n_atoms, patch_width)
        Atoms.

    whitening : Whitening
        The map of patches.

    dtype : dtype
        Of the patches that are to come.

    Returns
    -------
    state : object
        What it prepared.
    """
    with single_threaded_blas():
        return encoder.prepare(dictionary.astype(dtype, copy=False), whitening)
