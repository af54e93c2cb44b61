"""Bases of layers that store weights in less memory than a dense matrix."""

from __future__ import annotations

import torch
from torch import nn

from sksparse_nn.solvers.layers import drop_zeros, restore_zeros


class CompressedMatrix(nn.Module):
    """A layer that multiplies by a matrix, and is no longer trained.

    Parameters
    ----------
    bias : Tensor of shape (n_rows,) or None
        Added to each product.

    matrix_shape : tuple of int
        Shape of the matrix, of `n_rows` rows.

    Attributes
    ----------
    bias : torch.nn.Parameter of shape (n_rows,) or None
        A copy, on the CPU.

    n_nonzero : int
        Number of weights that are not zero.
    """

    def __init__(
        self, bias: torch.Tensor | None, matrix_shape: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.bias = bias
        if bias is not None:
            bias = bias.detach().cpu().clone()
            self.bias = nn.Parameter(bias, requires_grad=False)
        self.matrix_shape = tuple(matrix_shape)

    @property
    def weight(self) -> torch.Tensor:
        """Return the weights in the shape of the plain layer's, in a new tensor.

        Returns
        -------
        weight : Tensor of shape (n_rows, ...)
            What `forward` multiplies by.
        """
        return torch.from_numpy(self.dense_matrix()).reshape(self.weight_shape)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of the plain layer's weights.

        Returns
        -------
        shape : tuple of int
            That of the matrix, in a linear layer.
        """
        return self.matrix_shape


class CompressedLinear(CompressedMatrix):
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

    def __init__(self, bias: torch.Tensor, n_features: int) -> None:
        super().__init__(bias, (len(bias), n_features))
        self.in_features, self.out_features = n_features, len(bias)

    def extra_repr(self) -> str:
        """Return the widths as text.

        Returns
        -------
        text : str
            In the form of ``torch.nn.Linear``.
        """
        return f"in_features={self.in_features}, out_features={self.out_features}"


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


def pack_arrays(state):
    """Replace the tensors of a layer by arrays, whose pickles are a fifth as long.

    Parameters
    ----------
    state : dict
        State of a layer that is not trained. It does not change.

    Returns
    -------
    state : dict
        For `unpack_arrays`.
    """
    packed = {
        kind: {name: _as_array(tensor) for name, tensor in state[kind].items()}
        for kind in ("_parameters", "_buffers")
    }
    return state | packed


def unpack_arrays(state):
    """Undo `pack_arrays`.

    Parameters
    ----------
    state : dict
        From `pack_arrays`, or of an older file, with tensors. It does not change.

    Returns
    -------
    state : dict
        State of the layer.
    """
    parameters, buffers = (
        {name: _as_tensor(value) for name, value in state[kind].items()}
        for kind in ("_parameters", "_buffers")
    )
    for name, value in parameters.items():
        if value is not None and not isinstance(value, nn.Parameter):
            parameters[name] = nn.Parameter(value, requires_grad=False)
    return state | {"_parameters": parameters, "_buffers": buffers}


def _as_array(tensor):
    if tensor is None or tensor.dtype == torch.bfloat16:  # unknown to NumPy
        return tensor
    return tensor.detach().numpy()


def _as_tensor(value):
    is_array = value is not None and not isinstance(value, torch.Tensor)
    return torch.from_numpy(value.copy()) if is_array else value


def pack_values(layer, zero=0):
    """Return the state of a layer to pickle, without the zeros of its values.

    Parameters
    ----------
    layer : torch.nn.Module
        With a buffer ``values``.

    zero : int, default=0
        Value that encodes zero.

    Returns
    -------
    state : dict
        For `unpack_values`.
    """
    buffers = dict(layer._buffers)
    values = buffers.pop("values").numpy()
    stored = values.shape, drop_zeros(values, zero)
    state = dict(vars(layer)) | {"_buffers": buffers, "_stored": stored}
    return pack_arrays(state)


def unpack_values(state, zero=0):
    """Undo `pack_values`.

    Parameters
    ----------
    state : dict
        From `pack_values`. It does not change.

    zero : int, default=0
        Value that encodes zero.

    Returns
    -------
    state : dict
        State of the layer.
    """
    state = unpack_arrays(state)
    shape, stored = state.pop("_stored")
    values = torch.from_numpy(restore_zeros(*stored, shape, zero).copy())
    return state | {"_buffers": {"values": values} | state["_buffers"]}


def is_traced():
    """Return whether torch records operations instead of running them.

    Returns
    -------
    is_traced : bool
        True while torch traces or compiles.
    """
    return torch.jit.is_tracing() or torch.compiler.is_compiling()
