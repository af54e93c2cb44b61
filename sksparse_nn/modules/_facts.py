"""What is known of a kind of layer, and what can be made of it.

Whoever adds a kind registers it here, or in its own file, with the functions that have
an answer for it. Values of layers are parameters or buffers.
"""

from dataclasses import dataclass
from functools import singledispatch
from math import prod

from torch import nn

from sksparse_nn.modules._compressed import CompressedLinear
from sksparse_nn.modules._linear import linear
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear
from sksparse_nn.modules._size import Size

_CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.Conv3d
_NORMS = (
    nn.modules.batchnorm._BatchNorm
    | nn.modules.instancenorm._InstanceNorm
    | nn.LayerNorm
    | nn.GroupNorm
    | nn.PReLU
)


def is_known(fact, layer):
    """Tell whether a function has an answer for a kind of layer.

    Parameters
    ----------
    fact : callable
        One of this file.

    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    is_known : bool
        Whether the kind, or one that it inherits from, is registered.
    """
    return fact.dispatch(type(layer)) is not fact.dispatch(object)


def is_linear(layer):
    """Tell whether a layer multiplies rows by a matrix, stored in whatever form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    is_linear : bool
        Whether there is a `dense_weight`.
    """
    return is_known(dense_weight, layer)


@singledispatch
def stored(layer):
    """Measure what a layer holds beside its parameters.

    Parameters
    ----------
    layer : torch.nn.Module
        Its parts are not counted.

    Returns
    -------
    size : Size
        Buffers are bytes, but not parameters. The weights of a compressed layer are
        both.
    """
    return Size(n_bytes=sum(b.nbytes for b in layer.buffers(recurse=False) if b.ndim))


@stored.register
def _(layer: CompressedLinear):
    n_weights = layer.in_features * layer.out_features
    return Size(n_weights, layer.n_nonzero, layer.n_bytes)


@singledispatch
def multiply_adds(layer, shape):
    """Count the multiplications of a call, those by zeros left out.

    Parameters
    ----------
    layer : torch.nn.Module
        With parameters of its own.

    shape : tuple of int
        Of what it returns.

    Returns
    -------
    n_multiply_adds : int
        How many.

    Raises
    ------
    TypeError
        If the work of this kind is not known.
    """
    raise _unknown("The work", layer)


@multiply_adds.register
def _(layer: nn.Linear, shape):
    return int(layer.weight.count_nonzero()) * prod(shape) // layer.out_features


@multiply_adds.register
def _(layer: CompressedLinear, shape):
    return layer.n_nonzero * prod(shape) // layer.out_features


@multiply_adds.register
def _(layer: _CONVOLUTIONS, shape):
    return int(layer.weight.count_nonzero()) * prod(shape) // layer.out_channels


@multiply_adds.register
def _(layer: _NORMS, shape):
    return prod(shape)


@multiply_adds.register
def _(layer: nn.Embedding, shape):
    return 0


@singledispatch
def dense_weight(layer):
    """Return the matrix that a layer multiplies rows by.

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
        If it has no such matrix.
    """
    raise _unknown("The matrix", layer)


@dense_weight.register
def _(layer: nn.Linear):
    return layer.weight.detach().cpu().numpy().copy()


@dense_weight.register
def _(layer: CompressedLinear):
    return layer.dense_weight()


@singledispatch
def plain(layer):
    """Return the layer that one stands for, as torch has it, to be trained or read.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    layer : torch.nn.Module
        The same, unless it is compressed.
    """
    return layer


@plain.register
def _(layer: CompressedLinear):
    return linear(layer.dense_weight(), layer.bias)


@singledispatch
def prune(layer):
    """Return a layer that stores the nonzero weights alone.

    Parameters
    ----------
    layer : torch.nn.Module
        Weights to leave out are zeros in it.

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


@singledispatch
def quantize(layer, n_bits, input_scale):
    """Return a layer whose weights are small integers.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a kind that is not quantized.

    n_bits : int
        8 or 4.

    input_scale : float, "row" or None
        As `QuantizedLinear` takes it.

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
def _(layer: nn.Linear | PrunedLinear, n_bits, input_scale):
    return QuantizedLinear(layer, n_bits, input_scale)


@singledispatch
def factorize(layer, split):
    """Return two layers of low rank whose product is one layer, or nearly so.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a kind that can be trained.

    split : callable
        Takes the matrix, returns `LowRank` or None.

    Returns
    -------
    layers : list of torch.nn.Module or None
        In the order in which rows go through them; None where `split` returns None.

    Raises
    ------
    TypeError
        If this kind cannot.
    """
    raise _unknown("The factors", layer)


@factorize.register
def _(layer: nn.Linear, split):
    factors = split(layer.weight.detach().cpu().numpy())
    if factors is None:
        return None
    return [linear(factors.right, None), linear(factors.left, layer.bias)]


@dataclass(frozen=True)
class Traits:
    """What a kind of layer allows.

    Attributes
    ----------
    keeps_zeros : bool, default=False
        Whether weights that are zero have to stay so.

    holds_integers : bool, default=False
        Whether weights are integers, which cannot be changed a little.

    needs_cpu : bool, default=False
        Whether it runs on no other device.
    """

    keeps_zeros: bool = False
    holds_integers: bool = False
    needs_cpu: bool = False


@singledispatch
def traits(layer):
    """Say what a kind of layer allows.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    traits : Traits
        Everything of a kind that is not registered.
    """
    return Traits()


@traits.register
def _(layer: PrunedLinear):
    return Traits(keeps_zeros=True, needs_cpu=True)


@traits.register
def _(layer: QuantizedLinear):
    return Traits(holds_integers=True, needs_cpu=True)


def _unknown(what, layer):
    return TypeError(
        f"{what} of a layer must be known to sksparse_nn.modules. Got "
        f"{type(layer).__name__}, whose is not; register its kind."
    )
