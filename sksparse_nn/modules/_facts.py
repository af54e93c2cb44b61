"""Facts about each kind of layer, and conversions between kinds.

A new kind is registered, here or in its own file, with the functions that support it.
Values of layers are parameters or buffers.
"""

from dataclasses import dataclass
from functools import singledispatch
from math import prod

from torch import nn

from sksparse_nn.modules._compressed import CompressedLinear, CompressedMatrix
from sksparse_nn.modules._compressed_convolution import (
    CONVOLUTIONS,
    CompressedConvolution,
    PrunedConvolution,
    QuantizedConvolution,
)
from sksparse_nn.modules._factors import add_shift, factors_of
from sksparse_nn.modules._linear import linear
from sksparse_nn.modules._pruned import PrunedLinear, PrunedMatrix
from sksparse_nn.modules._quantized import QuantizedLinear, QuantizedMatrix
from sksparse_nn.modules._size import Size

NORMS = (
    nn.modules.batchnorm._BatchNorm
    | nn.modules.instancenorm._InstanceNorm
    | nn.LayerNorm
    | nn.GroupNorm
    | nn.PReLU
)


def is_known(fact, layer):
    """Return whether a function supports a kind of layer.

    Parameters
    ----------
    fact : callable
        A function of this module.

    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    is_known : bool
        Whether the kind or a base class of it is registered.
    """
    return fact.dispatch(type(layer)) is not fact.dispatch(object)


def is_linear(layer):
    """Return whether a layer multiplies by a matrix, stored in any form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    is_linear : bool
        Whether `dense_weight` supports it.
    """
    return is_known(dense_weight, layer)


def is_convolution(layer):
    """Return whether a layer is a convolution, stored in any form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    is_convolution : bool
        Transposed convolutions are none.
    """
    return isinstance(layer, CONVOLUTIONS | CompressedConvolution)


@singledispatch
def measure_buffers(layer):
    """Measure what a layer stores besides its parameters.

    Parameters
    ----------
    layer : torch.nn.Module
        Its sublayers are not counted.

    Returns
    -------
    size : Size
        Buffers count as bytes, not as parameters; weights of a compressed layer count
        as both.
    """
    return Size(n_bytes=sum(b.nbytes for b in layer.buffers(recurse=False) if b.ndim))


@measure_buffers.register
def _(layer: CompressedMatrix):
    return Size(prod(layer.matrix_shape), layer.n_nonzero, layer.n_bytes)


@singledispatch
def count_multiply_adds(layer, shape):
    """Count the multiply-adds of one call, without those by zero weights.

    Parameters
    ----------
    layer : torch.nn.Module
        With parameters of its own.

    shape : tuple of int
        Of its output.

    Returns
    -------
    n_multiply_adds : int
        The count.

    Raises
    ------
    TypeError
        If they are not known for this kind.
    """
    raise _unknown("The number of multiply-adds", layer)


@count_multiply_adds.register
def _(layer: nn.Linear, shape):
    return int(layer.weight.count_nonzero()) * prod(shape) // layer.out_features


@count_multiply_adds.register
def _(layer: CompressedLinear, shape):
    return layer.n_nonzero * prod(shape) // layer.out_features


@count_multiply_adds.register
def _(layer: CONVOLUTIONS, shape):
    return int(layer.weight.count_nonzero()) * prod(shape) // layer.out_channels


@count_multiply_adds.register
def _(layer: CompressedConvolution, shape):
    return layer.n_nonzero * prod(shape) // layer.out_channels


@count_multiply_adds.register
def _(layer: NORMS | nn.Embedding, shape):
    return 0  # as in torch's own counter


@singledispatch
def dense_weight(layer):
    """Return the matrix that a layer multiplies by.

    Parameters
    ----------
    layer : torch.nn.Module
        A linear layer of any kind.

    Returns
    -------
    weight : ndarray of shape (n_neurons, n_features)
        A new array.

    Raises
    ------
    TypeError
        If this kind has no such matrix.
    """
    raise _unknown("The matrix", layer)


@dense_weight.register
def _(layer: nn.Linear):
    return layer.weight.detach().cpu().numpy().copy()


@dense_weight.register
def _(layer: CompressedLinear):
    return layer.dense_matrix()


@singledispatch
def make_plain(layer):
    """Return a compressed layer as a plain layer of torch, to train or to read.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    layer : torch.nn.Module
        The layer itself, unless it is compressed.
    """
    return layer


@make_plain.register
def _(layer: CompressedLinear):
    return linear(layer.dense_matrix(), layer.bias)


@make_plain.register
def _(layer: CompressedConvolution):
    return layer.plain()


@singledispatch
def prune(layer):
    """Return a layer that stores only the nonzero weights.

    Parameters
    ----------
    layer : torch.nn.Module
        Pruned weights are zero in it.

    Returns
    -------
    layer : torch.nn.Module
        A new one.

    Raises
    ------
    TypeError
        If this kind cannot.
    """
    raise _unknown("The pruned form", layer)


@prune.register
def _(layer: nn.Linear):
    return PrunedLinear(layer)


@prune.register
def _(layer: CONVOLUTIONS):
    return PrunedConvolution(layer)


@singledispatch
def quantize(layer, n_bits, input_scale, squares=None):
    """Return a layer whose weights are small integers.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a kind that is not quantized.

    n_bits : int
        8 or 4.

    input_scale : float, "row" or None
        As `QuantizedLinear` takes it.

    squares : ndarray of shape (n_groups, n_inputs, n_inputs) or None, default=None
        Products of the inputs with each other, summed, so that rounding keeps the
        products with them. None rounds each weight to the nearest integer.

    Returns
    -------
    layer : torch.nn.Module
        A new one.

    Raises
    ------
    TypeError
        If this kind cannot.
    """
    raise _unknown("The quantized form", layer)


@quantize.register
def _(layer: nn.Linear | PrunedLinear, n_bits, input_scale, squares=None):
    return QuantizedLinear(layer, n_bits, input_scale, squares)


@quantize.register
def _(layer: CONVOLUTIONS | PrunedConvolution, n_bits, input_scale, squares=None):
    return QuantizedConvolution(layer, n_bits, input_scale, squares)


@singledispatch
def factorize(layer, factors):
    """Return layers of low rank that approximate a layer.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a kind that can be trained; a convolution of one group.

    factors : LowRank or Tucker
        Of its matrix, or of its kernel.

    Returns
    -------
    layers : list of torch.nn.Module
        In the order in which they run.

    Raises
    ------
    TypeError
        If this kind cannot.
    """
    raise _unknown("The factors", layer)


@factorize.register
def _(layer: nn.Linear, factors):
    bias = add_shift(layer.bias, factors.shift)
    return [linear(factors.right, None), linear(factors.left, bias)]


@factorize.register
def _(layer: CONVOLUTIONS, factors):
    return factors_of(layer, factors)


@dataclass(frozen=True)
class Traits:
    """What a kind of layer permits.

    Attributes
    ----------
    keeps_zeros : bool, default=False
        Whether zero weights must stay zero.

    holds_integers : bool, default=False
        Whether weights are integers, which cannot change by small steps.

    needs_cpu : bool, default=False
        Whether it runs on the CPU only.
    """

    keeps_zeros: bool = False
    holds_integers: bool = False
    needs_cpu: bool = False


@singledispatch
def traits(layer):
    """Return what a kind of layer permits.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    traits : Traits
        Without restrictions for a kind that is not registered.
    """
    return Traits()


@traits.register
def _(layer: PrunedMatrix):
    return Traits(keeps_zeros=True, needs_cpu=True)


@traits.register
def _(layer: QuantizedMatrix):
    return Traits(holds_integers=True, needs_cpu=True)


def _unknown(what, layer):
    return TypeError(
        f"{what} must be registered in sksparse_nn.modules for each kind of layer. "
        f"Got {type(layer).__name__}, for which it is not; register it."
    )
