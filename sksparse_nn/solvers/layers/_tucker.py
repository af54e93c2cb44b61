"""Tucker-2 factors of convolutions: few input and few output channels in between.

Y.-D. Kim et al., "Compression of Deep Convolutional Neural Networks for Fast and Low
Power Mobile Applications", ICLR 2016. The channels here are those of the data.
"""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.layers._factorize import find_directions, project_outputs

# Least standard deviation of an input channel, in units of the largest one.
_LEAST = 1e-4


@dataclass(frozen=True)
class Channels:
    """Combinations of input channels, most important ones first.

    Attributes
    ----------
    into : ndarray of float64 of shape (n_channels, n_channels)
        Weights of each combination, one per row.

    back : ndarray of float64 of shape (n_channels, n_channels)
        The inverse, by which the channels are written in their combinations.

    lost : ndarray of float64 of shape (n_channels + 1,)
        Share of the variance of the outputs that is lost with the first 0, 1, 2, ...
        combinations, if neighbouring positions were independent.
    """

    into: np.ndarray
    back: np.ndarray
    lost: np.ndarray


@dataclass(frozen=True)
class Tucker:
    """Three kernels in place of one, and what is added to their outputs.

    Attributes
    ----------
    into : ndarray of shape (input_rank, n_channels)
        Combinations of input channels.

    core : ndarray of shape (output_rank, input_rank, n_positions)
        Kernel between the combinations.

    left : ndarray of shape (n_output_channels, output_rank)
        Output channels, written in combinations.

    shift : ndarray of shape (n_output_channels,)
        Means of the outputs that the kernels do not have.
    """

    into: np.ndarray
    core: np.ndarray
    left: np.ndarray
    shift: np.ndarray


def find_input_channels(weight, covariance):
    """Find the combinations of input channels that the outputs of a kernel need most.

    Parameters
    ----------
    weight : ndarray of shape (n_output_channels, n_channels, n_positions)
        Kernel.

    covariance : ndarray of shape (n_channels, n_channels)
        Second moments of the input channels.

    Returns
    -------
    channels : Channels
        All combinations.
    """
    values, vectors = np.linalg.eigh(covariance)
    roots = np.sqrt(np.maximum(values, 0))
    roots = np.maximum(roots, _LEAST * roots.max(initial=0) or 1.0)
    scaled = np.einsum("oip,ij->jop", weight, vectors * roots)
    scaled = scaled.reshape(len(roots), -1)
    squares = scaled @ scaled.T
    found = find_directions(squares, squares)
    into = (found.basis.T / roots) @ vectors.T
    return Channels(into, (vectors * roots) @ found.basis, found.lost)


def split_kernel(weight, channels, n_channels, basis, mean):
    """Split a kernel by some combinations of its input and its output channels.

    Parameters
    ----------
    weight : ndarray of shape (n_output_channels, n_channels, n_positions)
        Kernel.

    channels : Channels
        From `find_input_channels`.

    n_channels : int
        Number of combinations of input channels.

    basis : ndarray of shape (n_output_channels, output_rank)
        Directions of the outputs.

    mean : ndarray of shape (n_output_channels,)
        Of the outputs without bias.

    Returns
    -------
    factors : Tucker
        Of the float type of the kernel.
    """
    outer = project_outputs(weight.reshape(len(weight), -1), basis, mean)
    core = outer.right.reshape(-1, *weight.shape[1:])
    # Of unit norm: training by steps of one size would change small weights too much.
    norms = np.linalg.norm(channels.into[:n_channels], axis=1, keepdims=True)
    back = channels.back[:, :n_channels] * norms.T
    parts = channels.into[:n_channels] / norms, np.einsum("oip,ij->ojp", core, back)
    into, core = (np.ascontiguousarray(part, weight.dtype) for part in parts)
    return Tucker(into, core, outer.left, outer.shift)
