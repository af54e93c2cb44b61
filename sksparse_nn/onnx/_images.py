"""Layers of networks for images: convolutions, pooling, normalisation."""

import numpy as np


class NotWrittenError(Exception):
    """A layer has a setting that is left to torch's exporter."""


def emit_image_input(layer, graph, x, dtype):
    """Write the nodes that make images of rows, scaled by channel."""
    images = graph("Reshape", x, np.array([-1, *layer.image_shape]))
    images = graph("Sub", images, layer.mean.numpy().astype(dtype))
    images = graph("Div", images, layer.deviation.numpy().astype(dtype))
    return graph("Flatten", images, axis=1) if layer.flat else images


def emit_convolution(layer, graph, x, dtype):
    """Write the nodes of a convolution, plain or without its zeros."""
    weight = layer.weight.detach().numpy()
    return convolve(layer, graph, x, dtype, weight=weight, bias=layer.bias)


def convolve(layer, graph, x, dtype, *, weight, bias):
    """Convolve images by weights, in single precision.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution, plain or compressed.

    graph : Graph
        Takes the nodes.

    x : str
        Images, of `dtype`.

    dtype : dtype
        Float type of the network. Convolutions of onnxruntime know single precision.

    weight : ndarray or str
        Weights.

    bias : Tensor or None
        Added to each product.

    Returns
    -------
    outputs : str
        Of `dtype`.
    """
    geometry = getattr(layer, "geometry", None) or vars(layer)
    if geometry["padding_mode"] != "zeros":
        raise NotWrittenError
    kernel = layer.weight.shape[2:]
    single = [graph.cast(x, np.float32), _in_single(graph, weight)]
    if bias is not None:
        single.append(bias.detach().numpy().astype(np.float32))
    outputs = graph(
        "Conv",
        *single,
        kernel_shape=list(kernel),
        strides=list(geometry["stride"]),
        dilations=list(geometry["dilation"]),
        group=geometry["groups"],
        pads=_pad(geometry, kernel),
    )
    return graph.cast(outputs, dtype)


def _in_single(graph, weight):
    if isinstance(weight, str):
        return graph.cast(weight, np.float32)
    return np.ascontiguousarray(weight, dtype=np.float32)


def _pad(geometry, kernel):
    """Return the padding before all axes, then that after them."""
    padding = geometry["padding"]
    if padding == "valid":
        padding = [0] * len(kernel)
    if padding != "same":
        return [*padding, *padding]
    reach = [
        (size - 1) * by for size, by in zip(kernel, geometry["dilation"], strict=True)
    ]
    before = [size // 2 for size in reach]
    return [*before, *(size - half for size, half in zip(reach, before, strict=True))]


def emit_batch_norm(layer, graph, x, dtype, sizes):
    """Write the nodes that scale and shift each channel, as learnt.

    Parameters
    ----------
    layer : torch.nn.Module
        Normalisation of a batch.

    graph, x, dtype
        As in `convolve`.

    sizes : tuple of int
        Channels, and the sizes of the other axes.

    Returns
    -------
    outputs : str
        Of `dtype`.
    """
    if layer.running_mean is None:
        raise NotWrittenError
    mean, variance = (
        value.double().numpy() for value in (layer.running_mean, layer.running_var)
    )
    factors, shifts = 1 / np.sqrt(variance + layer.eps), 0.0
    if layer.affine:
        factors = factors * layer.weight.detach().double().numpy()
        shifts = layer.bias.detach().double().numpy()
    shape = len(factors), *[1] * (len(sizes) - 1)
    shifts = (shifts - mean * factors).reshape(shape)
    scaled = graph("Mul", x, factors.reshape(shape).astype(dtype))
    return graph("Add", scaled, shifts.astype(dtype))


def emit_max_pool(layer, graph, x, dtype):
    """Write the node of the largest value of each window."""
    if layer.return_indices:
        raise NotWrittenError
    return graph("MaxPool", x, **_window(layer), dilations=_pair(layer.dilation))


def emit_mean_pool(layer, graph, x, dtype):
    """Write the nodes of the mean of each window."""
    if layer.divisor_override is not None:
        raise NotWrittenError
    single = graph.cast(x, np.float32)
    counts = int(layer.count_include_pad)
    pooled = graph("AveragePool", single, **_window(layer), count_include_pad=counts)
    return graph.cast(pooled, dtype)


def _window(layer):
    padding = _pair(layer.padding)
    return {
        "kernel_shape": _pair(layer.kernel_size),
        "strides": _pair(layer.stride),
        "pads": [*padding, *padding],
        "ceil_mode": int(layer.ceil_mode),
    }


def _pair(size):
    return list(size) if isinstance(size, tuple) else [size, size]


def emit_adaptive_mean_pool(layer, graph, x, dtype, sizes):
    """Write the nodes of means over windows that cover an image of some size.

    Parameters
    ----------
    layer : torch.nn.AdaptiveAvgPool2d
        The layer.

    graph, x, dtype
        As in `convolve`.

    sizes : tuple of int
        Channels, height and width of the images.

    Returns
    -------
    outputs : str
        Of `dtype`.
    """
    wanted = _pair(layer.output_size)
    down, across = (
        _average(size, n or size) for size, n in zip(sizes[1:], wanted, strict=True)
    )
    rows = graph("MatMul", down.astype(dtype), x)
    return graph("MatMul", rows, np.ascontiguousarray(across.T, dtype=dtype))


def _average(size, n_windows):
    """Return the shares of places in means over windows, (n_windows, size)."""
    shares = np.zeros((n_windows, size))
    for window in range(n_windows):
        start = window * size // n_windows
        stop = -(-(window + 1) * size // n_windows)
        shares[window, start:stop] = 1 / (stop - start)
    return shares


def emit_flatten(layer, graph, x, dtype):
    """Write the node that makes rows of images."""
    if (layer.start_dim, layer.end_dim) != (1, -1):
        raise NotWrittenError
    return graph("Flatten", x, axis=1)
