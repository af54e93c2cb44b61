"""What linear layers share whose weights take less room than a dense float matrix."""

import torch
from torch import nn


class CompressedLinear(nn.Module):
    """A linear layer that is not trained any more.

    Parameters
    ----------
    bias : Tensor of shape (n_neurons,)
        Added to each row.

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
        """Name the widths.

        Returns
        -------
        text : str
            As ``torch.nn.Linear`` does.
        """
        return f"in_features={self.in_features}, out_features={self.out_features}"

    @property
    def weight(self):
        """Return the weights as a plain layer has them, in a new tensor.

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
    """Tell whether operations are written down instead of carried out.

    Returns
    -------
    is_traced : bool
        Whether torch makes a graph of them.
    """
    return torch.jit.is_tracing() or torch.compiler.is_compiling()
