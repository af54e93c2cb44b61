"""What the layers of a network lose with each rank, on samples."""

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import torch

from sksparse_nn.compression._samples import choose_samples
from sksparse_nn.modules._facts import is_convolution
from sksparse_nn.modules._linear_layers import multiplies_by_weights, select_layers
from sksparse_nn.modules._moments import channel_moments, product_moments
from sksparse_nn.solvers.layers import (
    find_input_channels,
    find_output_directions,
    list_options,
    project_outputs,
    split_kernel,
)


@dataclass(frozen=True)
class Spectrum:
    """The kernel of a layer, and what of its outputs each rank loses.

    Attributes
    ----------
    kernel : ndarray of shape (n_outputs, n_inputs, n_positions)
        Of a linear layer with one position.

    n_whole : int
        Numbers that the layer holds.

    mean : ndarray of shape (n_outputs,)
        Of its products.

    outputs : Directions
        Of its products.

    inputs : Channels or None
        Combinations of its input channels. None for factors of two matrices.
    """

    kernel: np.ndarray
    n_whole: int
    mean: np.ndarray
    outputs: object
    inputs: object = None

    @property
    def n_directions(self):
        """Count the directions of each side that is combined.

        Returns
        -------
        n_directions : list of int
            As many numbers as a rank has.
        """
        return [len(side.lost) - 1 for side in self._sides]

    @property
    def _sides(self):
        return [side for side in (self.inputs, self.outputs) if side is not None]

    def list_options(self):
        """List the ranks that make the layer smaller.

        Returns
        -------
        options : RankOptions
            Ranks are ``(rank,)``, or with input channels ``(input_rank, rank)``.
        """
        ranks = list(product(*(range(1, n + 1) for n in self.n_directions)))
        lost = {
            rank: sum(side.lost[r] for side, r in zip(self._sides, rank, strict=True))
            for rank in ranks
        }
        n_weights = {rank: self._count(rank) for rank in ranks}
        return list_options(lost, n_weights, self.n_whole)

    def split(self, rank):
        """Split the kernel.

        Parameters
        ----------
        rank : tuple of int
            One of the options.

        Returns
        -------
        factors : LowRank or Tucker
            Factors of this rank.
        """
        basis = self.outputs.basis[:, : rank[-1]]
        if self.inputs is None:
            matrix = self.kernel.reshape(len(self.kernel), -1)
            return project_outputs(matrix, basis, self.mean)
        return split_kernel(self.kernel, self.inputs, rank[0], basis, self.mean)

    def _count(self, rank):
        n_outputs, n_inputs, n_positions = self.kernel.shape
        n_ends = n_outputs * (rank[-1] + 1)  # with a bias
        if self.inputs is None:
            return n_ends + rank[0] * n_inputs * n_positions
        return n_ends + rank[0] * (n_inputs + n_positions * rank[1])


def find_spectra(module, X, sample_weight, *, splits_inputs):
    """Find what the outputs of each layer lose with each rank.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network, of which up to 5000 samples are read.

    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples.

    splits_inputs : bool
        Whether input channels of convolutions are combined too, where the kernel has
        more than one position.

    Returns
    -------
    spectra : dict of torch.nn.Module to Spectrum
        One per linear layer and convolution of one group.
    """
    X, sample_weight = choose_samples(X, sample_weight)
    moments = product_moments(module, X, sample_weight)
    channels = channel_moments(module, X, sample_weight) if splits_inputs else {}
    return {
        layer: _find_spectrum(layer, moments[layer], channels.get(layer))
        for layer in select_layers(module, multiplies_by_weights)
        if not is_convolution(layer) or layer.groups == 1
    }


@torch.no_grad()
def _find_spectrum(layer, moments, channels):
    weight = layer.weight.cpu()
    kernel = weight.reshape(*weight.shape[:2], prod(weight.shape[2:])).numpy()
    n_whole = weight.numel() + (0 if layer.bias is None else len(layer.bias))
    matrix = kernel.reshape(len(kernel), -1)
    outputs = find_output_directions(matrix, moments.covariance)
    inputs = None
    if channels is not None and kernel.shape[2] > 1:
        squares = channels.covariance + np.outer(channels.mean, channels.mean)
        inputs = find_input_channels(kernel, squares)
    return Spectrum(kernel, n_whole, moments.mean, outputs, inputs)
