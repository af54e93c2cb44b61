"""What the layers of a network lose with each rank, on samples."""

from dataclasses import dataclass
from math import prod

import numpy as np
import torch

from sksparse_nn.compression._layer_sums import (
    count_calls,
    sum_channels,
    sum_outputs,
)
from sksparse_nn.modules._layer_rows import n_groups
from sksparse_nn.modules._linear_layers import multiplies_by_weights
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
        grid = np.indices(self.n_directions).reshape(len(self._sides), -1)
        ranks = grid + 1
        lost = sum(side.lost[r] for side, r in zip(self._sides, ranks, strict=True))
        return list_options(ranks.T, lost, self._count(ranks), self.n_whole)

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


def find_spectra(module, samples, *, splits_inputs):
    """Find what the outputs of each layer lose with each rank.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    samples : tuple
        Input of the network, read where `choose_samples` says, and weights or None.

    splits_inputs : bool
        Whether input channels of convolutions are combined too, where the kernel has
        more than one position.

    Returns
    -------
    spectra : dict of str to Spectrum
        One per linear layer and convolution of one group, by name.
    """
    n_calls = count_calls(module, samples)
    _check_called(module, n_calls)
    layers = {name: module.get_submodule(name) for name in n_calls}
    n_calls = {name: n for name, n in n_calls.items() if n_groups(layers[name]) == 1}
    outputs = sum_outputs(module, n_calls, samples)
    wide = {
        name: n
        for name, n in n_calls.items()
        if splits_inputs and layers[name].weight[0, 0].numel() > 1
    }
    inputs = sum_channels(module, wide, samples) if wide else {}
    return {
        name: _find_spectrum(layers[name], outputs[name], inputs.get(name))
        for name in n_calls
    }


def _check_called(module, n_calls):
    for name, layer in module.named_modules():
        if multiplies_by_weights(layer) and name not in n_calls:
            raise ValueError(
                f"Layer {name!r} of the network is never called, so its outputs are "
                "not known."
            )


@torch.no_grad()
def _find_spectrum(layer, outputs, inputs):
    weight = layer.weight.cpu()
    kernel = weight.reshape(*weight.shape[:2], prod(weight.shape[2:])).numpy()
    n_whole = weight.numel() + (0 if layer.bias is None else len(layer.bias))
    mean, squares = outputs.centred()
    if layer.bias is not None:
        mean = mean - layer.bias.cpu().numpy()
    directions = find_output_directions(kernel.reshape(len(kernel), -1), squares)
    channels = None
    if inputs is not None:
        channels = find_input_channels(kernel, inputs.centred()[1])
    return Spectrum(kernel, n_whole, mean, directions, channels)
