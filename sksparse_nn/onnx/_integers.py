"""Integer weights: stored as they are, and multiplied as floats.

Products of integers by operators of integers differ between processors and are
rewritten by optimisations of onnxruntime. Floats hold the integers and their products
exactly.
"""

import numpy as np

from sksparse_nn.onnx._images import convolve


def emit_quantized(layer, graph, x, dtype):
    """Write the nodes of a linear layer of small integers.

    Parameters
    ----------
    layer : QuantizedLinear
        Of 8 or 4 bits.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of the network.

    Returns
    -------
    outputs : str
        Of shape (n_rows, n_neurons).
    """
    if layer._rounds_input:
        outputs = _emit_rounded(layer, graph, x, dtype)
    else:
        weight = _emit_weight(layer, graph, dtype)
        outputs = graph("MatMul", x, graph("Transpose", weight, perm=[1, 0]))
    return graph("Add", outputs, layer.bias.detach().numpy().astype(dtype))


def emit_quantized_convolution(layer, graph, x, dtype):
    """Write the nodes of a convolution of small integers.

    Parameters
    ----------
    layer : QuantizedConvolution
        Of 8 or 4 bits.

    graph : Graph
        Takes the nodes.

    x : str
        Images, of `dtype`.

    dtype : dtype
        Float type of the network.

    Returns
    -------
    outputs : str
        Of shape (n_images, n_output_channels, ...).
    """
    shape = layer.weight_shape
    if not layer._rounds_input:
        weight = graph("Reshape", _emit_weight(layer, graph, dtype), np.array(shape))
        return convolve(layer, graph, x, dtype, weight=weight, bias=layer.bias)
    integers, scale = _round(layer, graph, x, dtype, len(shape) - 1)
    weight = graph("Reshape", graph.cast(layer.values.numpy(), dtype), np.array(shape))
    sums = convolve(layer, graph, integers, dtype, weight=weight, bias=None)
    by_channel = -1, *[1] * (len(shape) - 2)
    scales = layer.scales.numpy()[:, 0].astype(dtype).reshape(by_channel)
    outputs = graph("Mul", sums, graph("Mul", scale, scales))
    if layer.bias is None:
        return outputs
    bias = layer.bias.detach().numpy().astype(dtype)
    return graph("Add", outputs, bias.reshape(by_channel))


def _emit_rounded(layer, graph, x, dtype):
    """Multiply rounded rows by integers; sums of their products are exact in double."""
    integers, scale = _round(layer, graph, x, dtype, 1)
    weight = graph.cast(layer.values.numpy().T.copy(), np.float64)
    sums = graph("MatMul", graph.cast(integers, np.float64), weight)
    scales = graph("Mul", scale, layer.scales.numpy()[:, 0].astype(dtype))
    return graph("Mul", graph.cast(sums, dtype), scales)


def _round(layer, graph, x, dtype, n_axes):
    """Round samples of some axes to integers, and return these and their scale."""
    scale = _emit_scale(layer, graph, x, dtype, n_axes)
    most = np.array(127, dtype)
    integers = graph("Round", graph("Div", x, scale))
    return graph("Max", graph("Min", integers, most), -most), scale


def _emit_scale(layer, graph, x, dtype, n_axes):
    if not layer._by_sample:
        return graph.constant(np.array(layer.input_scale.item(), dtype))
    axes = np.arange(1, n_axes + 1)
    largest = graph("ReduceMax", graph("Abs", x), axes, keepdims=1)
    is_row = graph("Greater", largest, np.zeros((), dtype))
    scale = graph("Div", largest, np.array(127, dtype))
    return graph("Where", is_row, scale, np.ones((), dtype))


def _emit_weight(layer, graph, dtype):
    """Unpack integers and multiply them by the scales of their groups."""
    (n_rows, n_columns), scales = layer.matrix_shape, layer.scales.numpy()
    integers = graph.cast(layer.values.numpy(), scales.dtype)
    if layer.n_bits == 4:
        integers = _unpack(graph, integers, n_rows, scales.dtype)
    shape = np.array([n_rows, scales.shape[1], -1])
    groups = graph("Reshape", integers, shape)
    weight = graph("Mul", groups, scales[:, :, None])
    weight = graph("Reshape", weight, np.array([n_rows, -1]))
    ends = np.array([0]), np.array([n_columns]), np.array([1])
    return graph.cast(graph("Slice", weight, *ends), dtype)


def _unpack(graph, bytes_, n_rows, dtype):
    """Split each byte into two integers from -7 to 7, the lower half first."""
    sixteen, zero = np.array(16, dtype), np.array(8, dtype)
    upper = graph("Floor", graph("Div", bytes_, sixteen))
    lower = graph("Sub", bytes_, graph("Mul", upper, sixteen))
    halves = [graph("Unsqueeze", half, np.array([2])) for half in (lower, upper)]
    pairs = graph("Concat", *halves, axis=2)
    pairs = graph("Reshape", pairs, np.array([n_rows, -1]))
    return graph("Sub", pairs, zero)
