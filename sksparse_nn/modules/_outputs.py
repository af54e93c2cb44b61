"""Output of a module: its shape, and whether it holds probabilities already."""

import torch

# Operations, as autograd names them, that return probabilities or their logarithms.
# LogSoftmax does no harm: the softmax of its output is that of its input.
_SQUASHING = {"Softmax", "Sigmoid", "LogSigmoid"}
_SHAPING = {"Clone", "Reshape", "Slice", "Squeeze", "Unsqueeze", "UnsafeView", "View"}


def describe_output(output):
    """Describe the output of a module for an error message.

    Parameters
    ----------
    output : object
        Anything.

    Returns
    -------
    text : str
        The shape of a tensor, the type of anything else.
    """
    if isinstance(output, torch.Tensor):
        return f"shape {tuple(output.shape)}"
    return f"a {type(output).__name__}"


def cast_output(module, output):
    """Return the output of a module in the float type of its parameters.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    output : object
        What it returned.

    Returns
    -------
    output : object
        A tensor of floats in that type; anything else as it is.
    """
    like = next(module.parameters(), None)
    if like is None or not isinstance(output, torch.Tensor):
        return output
    return output.to(like.dtype) if output.is_floating_point() else output


def find_squashing(output):
    """Find the operation that turned an output into probabilities.

    Parameters
    ----------
    output : Tensor of shape (1, n_outputs)
        With its autograd history, if it has one.

    Returns
    -------
    name : str or None
        Name of the last such operation, if any.
    """
    operation = output.grad_fn
    while type(operation).__name__.removesuffix("Backward0") in _SHAPING:
        operation = operation.next_functions[0][0]
    name = type(operation).__name__.removesuffix("Backward0")
    if name in _SQUASHING:
        return name
    row = output.detach().double()
    sums_to_one = abs(row.sum().item() - 1) < 1e-5 and row.numel() > 1
    return "Softmax" if sums_to_one and bool((row >= 0).all()) else None
