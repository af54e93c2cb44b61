"""Layers of torch as nodes, by their exact kind: a subclass may compute otherwise."""

import numpy as np
from torch import nn

from sksparse_nn.modules import (
    AttentionLayer,
    SoftThresholdLayer,
    SparseCodingLayer,
    TriangleLayer,
)
from sksparse_nn.modules._coded import CodedNetwork, Scale, SplitSign
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._projection import replace_projections
from sksparse_nn.modules._pruned import PrunedLinear
from sksparse_nn.modules._quantized import QuantizedLinear
from sksparse_nn.onnx._attention import Shares, emit_shares
from sksparse_nn.onnx._coders import emit_codes, emit_split_signs
from sksparse_nn.onnx._integers import emit_quantized
from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.solvers.coding import SoftThreshold, Triangle


def emit_module(module, graph, x, dtype):
    """Write the nodes of a network.

    Parameters
    ----------
    module : torch.nn.Module
        Of layers that are known here.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of the weights.

    Returns
    -------
    outputs : str
        Of shape (n_rows, n_outputs).

    Raises
    ------
    TypeError
        If a layer is of another kind, or has hooks.
    """
    return _emit(replace_projections(module), graph, x, dtype)


def _emit(layer, graph, x, dtype):
    emit = _LAYERS.get(type(layer))
    if emit is None:
        refuse(
            f"The layer {type(layer).__name__}",
            "networks of hidden_layer_sizes can, and modules of the layers "
            f"{sorted(kind.__name__ for kind in _LAYERS)}",
        )
    if layer._forward_hooks or layer._forward_pre_hooks:
        refuse(f"The layer {type(layer).__name__} with hooks", "remove the hooks")
    return emit(layer, graph, x, dtype)


def _emit_sequence(layers, graph, x, dtype):
    for layer in layers:
        x = _emit(layer, graph, x, dtype)
    return x


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
        refuse(f"{layer!r}", "use its exact form")
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


_LAYERS = {
    nn.Sequential: _emit_sequence,
    Perceptron: _emit_sequence,
    CodedNetwork: _emit_sequence,
    nn.Linear: _emit_linear,
    PrunedLinear: _emit_linear,
    QuantizedLinear: emit_quantized,
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
