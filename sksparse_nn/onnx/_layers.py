"""Layers of torch as nodes, by their exact kind: a subclass may compute otherwise."""

from contextlib import suppress

import numpy as np
from torch import nn

from sksparse_nn.modules import (
    AttentionLayer,
    SoftThresholdLayer,
    SparseCodingLayer,
    TriangleLayer,
)
from sksparse_nn.modules._coded import CodedNetwork, Scale, SplitSign
from sksparse_nn.modules._compressed_coding import PrunedCoding, QuantizedCoding
from sksparse_nn.modules._compressed_convolution import (
    PrunedConvolution,
    QuantizedConvolution,
)
from sksparse_nn.modules._image_input import ImageInput
from sksparse_nn.modules._patch_net import PatchNet
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._plain_conv_net import PlainConvNet
from sksparse_nn.modules._projection import replace_projections
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear
from sksparse_nn.modules._resnet import Residual, ResNet8
from sksparse_nn.onnx._attention import Shares, emit_shares
from sksparse_nn.onnx._coders import emit_codes, emit_split_signs
from sksparse_nn.onnx._images import (
    NotWrittenError,
    emit_adaptive_mean_pool,
    emit_batch_norm,
    emit_convolution,
    emit_flatten,
    emit_image_input,
    emit_max_pool,
    emit_mean_pool,
)
from sksparse_nn.onnx._integers import emit_quantized, emit_quantized_convolution
from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.onnx._shapes import record_shapes
from sksparse_nn.onnx._traced import emit_traced
from sksparse_nn.solvers.coding import SoftThreshold, Triangle


def emit_module(module, graph, x, dtype, n_features):
    """Write the nodes of a network.

    Parameters
    ----------
    module : torch.nn.Module
        Layers that are known here become nodes of their own; others as torch's own
        exporter writes them.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of the weights.

    n_features : int
        Width of the rows.

    Returns
    -------
    outputs : str
        Of shape (n_rows, n_outputs).

    Raises
    ------
    TypeError
        If a layer has hooks, or torch cannot trace it.
    """
    module = replace_projections(module)
    return _emit(module, graph, x, dtype, record_shapes(module, n_features))


def _emit(layer, graph, x, dtype, shapes):
    if layer._forward_hooks or layer._forward_pre_hooks:
        refuse(f"The layer {type(layer).__name__} with hooks", "remove the hooks")
    kind = type(layer)
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](layer, graph, x, dtype, shapes)
    with suppress(NotWrittenError):
        if kind in _LAYERS:
            return _LAYERS[kind](layer, graph, x, dtype)
        if kind in _SHAPED:
            return _SHAPED[kind](layer, graph, x, dtype, shapes.of(layer))
    return emit_traced(layer, graph, x, dtype, shapes.of(layer))


def _emit_sequence(layers, graph, x, dtype, shapes):
    for layer in layers:
        x = _emit(layer, graph, x, dtype, shapes)
    return x


def _emit_residual(layer, graph, x, dtype, shapes):
    body = _emit(layer.body, graph, x, dtype, shapes)
    shortcut = _emit(layer.shortcut, graph, x, dtype, shapes)
    return graph("Relu", graph("Add", body, shortcut))


def _emit_compressed_coding(layer, graph, x, dtype, shapes):
    plain = layer.float_layer()
    if type(plain) in _LAYERS:
        return _LAYERS[type(plain)](plain, graph, x, dtype)
    return emit_traced(layer, graph, x, dtype, shapes.of(layer))


def _emit_linear(layer, graph, x, dtype):
    weight = _array(layer.weight, dtype)
    if layer.bias is None:
        return graph("MatMul", x, np.ascontiguousarray(weight.T))
    return graph("Gemm", x, weight, _array(layer.bias, dtype), transB=1)


def _emit_nothing(layer, graph, x, dtype):
    return x


def _emit_elu(layer, graph, x, dtype):
    zero, one = np.zeros((), dtype), np.ones((), dtype)
    below = graph("Sub", graph("Exp", graph("Min", x, zero)), one)
    below = graph("Mul", below, np.array(layer.alpha, dtype))
    return graph("Where", graph("Greater", x, zero), x, below)


def _emit_leaky_relu(layer, graph, x, dtype):
    below = graph("Mul", x, np.array(layer.negative_slope, dtype))
    return graph("Where", graph("Greater", x, np.zeros((), dtype)), x, below)


def _emit_gelu(layer, graph, x, dtype):
    if layer.approximate != "none":
        raise NotWrittenError
    # The error function of onnxruntime is of single precision.
    inner = graph("Mul", x, np.array(np.sqrt(0.5), dtype))
    share = graph.cast(graph("Erf", graph.cast(inner, np.float32)), dtype)
    share = graph("Add", share, np.ones((), dtype))
    return graph("Mul", graph("Mul", x, share), np.array(0.5, dtype))


def _emit_silu(layer, graph, x, dtype):
    return graph("Mul", x, graph("Sigmoid", x))


def _emit_function(kind):
    return lambda layer, graph, x, dtype: graph(kind, x)


def _emit_scale(layer, graph, x, dtype):
    return graph("Mul", x, _array(layer.factor, dtype))


def _emit_signs(layer, graph, x, dtype):
    return emit_split_signs(graph, x)


def _emit_coding(layer, graph, x, dtype):
    atoms = _array(layer.components, dtype)
    return emit_codes(layer.current_coder, graph, x, atoms, dtype)


def _emit_triangle(layer, graph, x, dtype):
    return emit_codes(Triangle(), graph, x, _array(layer.dictionary, dtype), dtype)


def _emit_soft_threshold(layer, graph, x, dtype):
    atoms = nn.functional.normalize(layer.dictionary, dim=1)
    alpha = float(layer.alpha.detach())
    coder = SoftThreshold(alpha=alpha, positive_code=layer.positive_code)
    return emit_codes(coder, graph, x, _array(atoms, dtype), dtype)


def _emit_attention(layer, graph, x, dtype):
    keys, temperature = _array(layer.keys, dtype), float(layer.temperature)
    return emit_shares(Shares(layer.mapping, keys, temperature), graph, x, dtype)


def _array(tensor, dtype):
    return tensor.detach().cpu().numpy().astype(dtype)


_CONTAINERS = {
    nn.Sequential: _emit_sequence,
    Perceptron: _emit_sequence,
    CodedNetwork: _emit_sequence,
    PatchNet: _emit_sequence,
    PlainConvNet: _emit_sequence,
    ResNet8: _emit_sequence,
    Residual: _emit_residual,
    PrunedCoding: _emit_compressed_coding,
    QuantizedCoding: _emit_compressed_coding,
}

_SHAPED = {
    nn.BatchNorm1d: emit_batch_norm,
    nn.BatchNorm2d: emit_batch_norm,
    nn.AdaptiveAvgPool2d: emit_adaptive_mean_pool,
}

_LAYERS = {
    nn.Linear: _emit_linear,
    PrunedLinear: _emit_linear,
    QuantizedLinear: emit_quantized,
    nn.Conv1d: emit_convolution,
    nn.Conv2d: emit_convolution,
    PrunedConvolution: emit_convolution,
    QuantizedConvolution: emit_quantized_convolution,
    nn.MaxPool2d: emit_max_pool,
    nn.AvgPool2d: emit_mean_pool,
    nn.Flatten: emit_flatten,
    ImageInput: emit_image_input,
    nn.Dropout: _emit_nothing,
    nn.Identity: _emit_nothing,
    nn.ReLU: _emit_function("Relu"),
    nn.Tanh: _emit_function("Tanh"),
    nn.Sigmoid: _emit_function("Sigmoid"),
    nn.ELU: _emit_elu,
    nn.LeakyReLU: _emit_leaky_relu,
    nn.GELU: _emit_gelu,
    nn.SiLU: _emit_silu,
    Scale: _emit_scale,
    SplitSign: _emit_signs,
    SparseCodingLayer: _emit_coding,
    SoftThresholdLayer: _emit_soft_threshold,
    TriangleLayer: _emit_triangle,
    AttentionLayer: _emit_attention,
}
