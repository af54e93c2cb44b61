"""Integer weights: stored as they are, and multiplied as floats.

Products of integers by operators of integers differ between processors and are
rewritten by optimisations of onnxruntime. Floats hold the integers and their products
exactly.
"""

import numpy as np


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


def _emit_rounded(layer, graph, x, dtype):
    """Multiply rounded rows by integers; sums of their products are exact in double."""
    scale = _emit_scale(layer, graph, x, dtype)
    most = np.array(127, dtype)
    integers = graph("Round", graph("Div", x, scale))
    integers = graph("Max", graph("Min", integers, most), -most)
    weight = graph.cast(layer.values.numpy().T.copy(), np.float64)
    sums = graph("MatMul", graph.cast(integers, np.float64), weight)
    scales = graph("Mul", scale, layer.scales.numpy()[:, 0].astype(dtype))
    return graph("Mul", graph.cast(sums, dtype), scales)


def _emit_scale(layer, graph, x, dtype):
    if not layer._by_sample:
        return graph.constant(np.array(layer.input_scale.item(), dtype))
    largest = graph.largest(graph("Abs", x))
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
