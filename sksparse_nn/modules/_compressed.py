"""Base of linear layers that store weights in less memory than a dense matrix."""

import torch
from torch import nn


class CompressedLinear(nn.Module):
    """A linear layer that is no longer trained.

    Parameters
    ----------
    bias : Tensor of shape (n_neurons,)
        Added to each product.

    n_features : int
        Width of the input.

    Attributes
    ----------
    in_features, out_features : int
        Widths of input and output.
    """

    def __init__(self, bias, n_features):
        super().__init__()
        bias = bias.detach().cpu().clone()
        self.bias = nn.Parameter(bias, requires_grad=False)
        self.in_features, self.out_features = n_features, len(bias)

    def extra_repr(self):
        """Return the widths as text.

        Returns
        -------
        text : str
            In the form of ``torch.nn.Linear``.
        """
        return f"in_features={self.in_features}, out_features={self.out_features}"

    @property
    def weight(self):
        """Return the weights as a dense matrix, in a new tensor.

        Returns
        -------
        weight : Tensor of shape (n_neurons, n_features)
            What `forward` multiplies by.
        """
        return torch.from_numpy(self.dense_weight())


def bias_of(layer):
    """Return the bias of a linear layer, zeros where it has none.

    Parameters
    ----------
    layer : torch.nn.Module
        A linear layer, compressed or not.

    Returns
    -------
    bias : Tensor of shape (n_neurons,)
        In the float type of its weights.
    """
    if layer.bias is not None:
        return layer.bias
    return torch.zeros(layer.out_features, dtype=layer.weight.dtype)


def is_traced():
    """Return whether torch records operations instead of running them.

    Returns
    -------
    is_traced : bool
        True while torch traces or compiles.
    """
    return torch.jit.is_tracing() or torch.compiler.is_compiling()
