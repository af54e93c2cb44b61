"""Which networks are trained with gradients by the chain rule, and how."""

from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.neural._coded_steps import CodedSteps, is_plain_coded
from sksparse_nn.neural._perceptron_steps import PerceptronSteps, is_plain_perceptron


def has_manual_steps(module, samples):
    """Return whether steps can be made without autograd.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    samples : TrainingSamples
        Training samples.

    Returns
    -------
    has_manual_steps : bool
        False for sparse samples of a network without a coder, unknown layers, or if
        there are hooks.
    """
    is_dense = samples.sparse_dtype is None
    return (
        (is_plain_coded(module) or (is_dense and is_plain_perceptron(module)))
        and not any(map(_has_hooks, module.modules()))
        and all(map(_is_plain, module.parameters()))
    )


def make_steps(net):
    """Return the training steps of one epoch.

    Parameters
    ----------
    net : Net
        Initialized, with a module of which `has_manual_steps` holds.

    Returns
    -------
    steps : CodedSteps or PerceptronSteps
        Its method `step` takes a batch.
    """
    is_coded = isinstance(net.module_, CodedNetwork)
    return CodedSteps(net) if is_coded else PerceptronSteps(net)


def _has_hooks(module):
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )


def _is_plain(parameter):
    """Return whether a parameter is trained, contiguous, on the CPU, without hooks."""
    return (
        parameter.requires_grad
        and parameter.device.type == "cpu"
        and parameter.is_contiguous()
        and not parameter._backward_hooks
        and not parameter._post_accumulate_grad_hooks
    )
