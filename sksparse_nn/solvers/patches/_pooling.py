"""Encoding and pooling of images, in one sweep over blocks on threads."""

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

# Patches per task of a thread, and patches gathered at a time, which stay in cache.
_TASK = 2**12
_GATHERED = 2**10

# Largest number of values of several images that are read at a time.
_PIXELS = 2**18

# Values of a block of products, which stays in cache, and its least number of rows.
_PRODUCTS = 2**19
_ROWS = 64

POOLINGS = ("sum", "mean", "max")
# Kernels by whether to pool maxima, and whether to pool signs separately.
_POOLS = {
    (False, False): pool_sums,
    (False, True): pool_signed_sums,
    (True, False): pool_maxima,
    (True, True): pool_signed_maxima,
}


@dataclass(frozen=True)
class Pooling:
    """Map from images to the pooled values of their patches.

    Parameters
    ----------
    layout : Layout
        Layout of the images.

    encoder : PatchEncoder
        Encoder of the patches.

    kind : {"sum", "mean", "max"}
        Statistic of the values of a region.

    split_sign : bool
        Whether positive and negative values are pooled separately.

    n_atoms : int
        Number of values per patch.
    """

    layout: Layout
    encoder: PatchEncoder
    kind: str
    split_sign: bool
    n_atoms: int

    @property
    def is_split(self):
        """Whether a region has two values per atom."""
        return self.split_sign and self.encoder.signed

    @property
    def n_outputs(self):
        """Number of pooled values per image."""
        return self.layout.n_regions * self.n_atoms * (1 + self.is_split)

    def encode(self, X, state, n_jobs=None, report=silent):
        """Encode images.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_images, n_features)
            Images.

        state : object
            From `prepare_encoder`.

        n_jobs : int or None, default=None
            Number of threads.

        report : ProgressLines, default=silent
            Prints lines about the progress.

        Returns
        -------
        out : ndarray of shape (n_images, n_outputs)
            Pooled values, of the type that `float_type` returns.
        """
        dtype = float_type(X)
        at_first = -np.inf if self.kind == "max" and not self._is_positive else 0
        out = np.full((X.shape[0], self.n_outputs), at_first, dtype)

        def work(where):
            self._encode_block(
                read_float_images(X, where, self.layout), state, out[where]
            )

        blocks = cut_images(X.shape[0], self.layout)
        done = map_in_order(work, blocks, n_jobs)
        for _ in report.through(done, len(blocks), "encoding images"):
            pass
        self.encoder.finish(state)
        if self.kind == "mean":
            sizes = self.layout.region_sizes.astype(np.float64)
            out /= np.repeat(sizes, self.n_outputs // self._n_regions)
        return out

    @property
    def _n_regions(self):
        return self.layout.n_regions

    @property
    def _is_positive(self):
        return self.is_split or not self.encoder.signed

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
            places = self._find_places(some.stop - some.start)
            target = out[some].reshape(-1)
            n_tiles = -(-len(patches) // n_rows)
            for rows in block_slices(len(patches), -(-len(patches) // n_tiles)):
                tile = raw[: rows.stop - rows.start]
                values = self.encoder.values(state, patches[rows], tile)
                pool(values, places[rows], target)

    @property
    def _is_swept(self):
        """Whether one kernel computes sums from images."""
        is_sum = self.kind != "max" and self.is_split
        return is_sum and self.encoder.sweeps

    def _find_places(self, n_images):
        starts = self.n_outputs * np.arange(n_images)
        width = self.n_outputs // self._n_regions
        return (starts[:, None] + width * self.layout.regions).ravel()


class PatchReader:
    """Reader of the patches of a few images at a time, into one buffer.

    Parameters
    ----------
    layout : Layout
        Layout of the images.

    dtype : dtype
        Type of the patches.

    Attributes
    ----------
    n_images : int
        Maximum number of images to read at a time.
    """

    def __init__(self, layout, dtype):
        self._layout = layout
        self.n_images = _count_images_at_once(_GATHERED, layout)
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
            Patches by image, then position. The next call overwrites them.
        """
        n_patches = len(images) * self._layout.n_positions
        centred, variances = self._centred[:n_patches], self._variances[:n_patches]
        runs, corners = self._layout.runs, self._layout.corners
        gather_patches(images, runs, corners, centred, variances)
        return Patches(centred, variances)


def cut_images(n_images, layout):
    """Cut images into blocks, each the task of a thread.

    Parameters
    ----------
    n_images : int
        Number of images.

    layout : Layout
        Their layout.

    Returns
    -------
    blocks : list of slice
        Slices of the images, in order.
    """
    return block_slices(n_images, _count_images_at_once(_TASK, layout))


def _count_images_at_once(n_patches, layout):
    """Count the images that have at most `n_patches` patches and `_PIXELS` values."""
    by_size = _PIXELS // layout.n_features
    return max(1, min(n_patches // layout.n_positions, by_size))


def float_type(X):
    """Return the float type in which images are processed.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Images.

    Returns
    -------
    dtype : dtype
        Double for images in float64, single for all others.
    """
    return np.dtype(np.float64 if X.dtype == np.float64 else np.float32)


def read_float_images(X, where, layout):
    """Read some images as floats in pixel order.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_images, n_features)
        Images.

    where : slice or ndarray of int
        Indices of the images to read.

    layout : Layout
        Layout of the images.

    Returns
    -------
    images : ndarray of shape (n_some, n_features)
        A C-contiguous copy, of the type that `float_type` returns.
    """
    some = X[where]
    some = some.toarray() if sparse.issparse(some) else some
    return layout.to_pixel_order(np.array(some, float_type(X), order="C"))


def draw_patches(X, layout, n_patches, rng):
    """Draw patches at random positions in random images, without replacement.

    Parameters
    ----------
    X, layout, n_patches, rng
        Arguments of `draw_weighted_patches`.

    Returns
    -------
    patches : Patches
        Patches in the order of the images.
    """
    return draw_weighted_patches(X, np.ones(X.shape[0]), layout, n_patches, rng)[0]


def draw_weighted_patches(X, weights, layout, n_patches, rng):
    """Draw patches, each with the weight of its image.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_images, n_features)
        Images.

    weights : ndarray of shape (n_images,)
        Their weights, which do not change what is drawn.

    layout : Layout
        Layout of the images.

    n_patches : int
        Maximum number of patches.

    rng : RandomState instance
        Source of randomness.

    Returns
    -------
    patches : Patches
        Patches in the order of the images, at random positions, without replacement.

    weights : ndarray of shape (n_patches,)
        Their weights.
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
                reader.read(read_float_images(X, some, layout))[np.concatenate(picked)]
            )
    patches = Patches(
        np.concatenate([patches.centred for patches in drawn]),
        np.concatenate([patches.variances for patches in drawn]),
    )
    return patches, np.repeat(weights, an_image)


def prepare_encoder(encoder, dictionary, whitening, dtype):
    """Prepare an encoder, with BLAS on one thread.

    Parameters
    ----------
    encoder : PatchEncoder
        The encoder.

    dictionary : ndarray of shape (n_atoms, patch_width)
        Atoms of whitened patches.

    whitening : Whitening
        The map of patches.

    dtype : dtype
        Type of the patches to encode.

    Returns
    -------
    state : object
        Argument of the encoder's `values`.
    """
    with single_threaded_blas():
        return encoder.prepare(dictionary.astype(dtype, copy=False), whitening)
