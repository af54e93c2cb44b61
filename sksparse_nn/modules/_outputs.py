"""What a module answers: its shape, and whether it is a probability already."""

import torch

# Operations, as autograd names them, that make probabilities or their logarithms. The
# softmax of a LogSoftmax is right: it is the softmax of what that was given.
_SQUASHING = {"Softmax", "Sigmoid", "LogSigmoid"}
_SHAPING = {"Clone", "Reshape", "Slice", "Squeeze", "Unsqueeze", "UnsafeView", "View"}


def described(answer):
    """Say what a module has answered.

    Parameters
    ----------
    answer : object
        Anything.

    Returns
    -------
    text : str
        The shape of a tensor, the type of others.
    """
    if isinstance(answer, torch.Tensor):
        return f"shape {tuple(answer.shape)}"
    return f"a {type(answer).__name__}"


def squashing(answer):
    """Find out whether an answer was turned into probabilities.

    Parameters
    ----------
    answer : Tensor of shape (1, n_outputs)
        With its history of operations, if it has one.

    Returns
    -------
    name : str or None
        Of the last operation that does so, if any.
    """
    operation = answer.grad_fn
    while type(operation).__name__.removesuffix("Backward0") in _SHAPING:
        operation = operation.next_functions[0][0]
    name = type(operation).__name__.removesuffix("Backward0")
    if name in _SQUASHING:
        return name
    row = answer.detach().double()
    sums_to_one = abs(row.sum().item() - 1) < 1e-5 and row.numel() > 1
    return "Softmax" if sums_to_one and bool((row >= 0).all()) else None
