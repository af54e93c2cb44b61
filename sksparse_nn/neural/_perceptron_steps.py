"""Training steps of the built-in networks, with gradients by the chain rule.

For a small batch, autograd takes several times as long as the products.
"""

import torch
from torch import nn
from torch.ops import aten

from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.neural._optimizer_steps import OptimizerSteps

# Gradient of the input of an activation, given that of its output and the output.
_BACKWARD = {
    nn.Identity: lambda gradient, output: gradient,
    nn.ReLU: lambda gradient, output: aten.threshold_backward(gradient, output, 0),
    nn.Sigmoid: aten.sigmoid_backward,
    nn.Tanh: aten.tanh_backward,
}


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
        False for sparse samples, unknown layers, or if there are hooks.
    """
    parameters = list(module.parameters())
    return (
        type(module) is Perceptron
        and samples.sparse_dtype is None
        and all(type(layer) is nn.Linear for layer in module[::2])
        and all(type(layer) in _BACKWARD for layer in module[1::2])
        and not any(map(_has_hooks, module.modules()))
        and all(map(_is_plain, parameters))
    )


class PerceptronSteps:
    """Training steps of one epoch.

    Parameters
    ----------
    net : Net
        Initialized, with a module of which `has_manual_steps` holds.
    """

    def __init__(self, net):
        layers = list(net.module_)
        self._linear, self._activations = layers[::2], layers[1::2]
        self._criterion = net.criterion_
        parameters = list(net.module_.parameters())
        self._like = parameters[0]
        self._optimizer = OptimizerSteps(net.optimizer_, parameters)

    @torch.no_grad()
    def step(self, batch, **fit_params):
        """Make a step.

        Parameters
        ----------
        batch : tuple
            A dict of the tensors ``"X"`` and ``"weight"``; and the targets.

        **fit_params : dict
            Not used.

        Returns
        -------
        step : dict
            Its ``"loss"`` and ``"y_pred"``.
        """
        inputs, target = batch
        outputs = self._forward(inputs["X"].to(self._like.dtype))
        loss, gradient = self._criterion.with_gradient(
            outputs[-1], target, inputs["weight"]
        )
        self._optimizer.step(self._backward(outputs, gradient))
        return {"loss": loss, "y_pred": outputs[-1]}

    def _forward(self, X):
        """Return the input of each linear layer, and the last output."""
        outputs = [X]
        for layer, activation in zip(self._linear, self._activations, strict=False):
            hidden = nn.functional.linear(outputs[-1], layer.weight, layer.bias)
            outputs.append(activation(hidden))
        last = self._linear[-1]
        outputs.append(nn.functional.linear(outputs[-1], last.weight, last.bias))
        return outputs

    def _backward(self, outputs, gradient):
        """Return the gradients of weights and biases, in the order of the module."""
        gradients = []
        for place in range(len(self._linear) - 1, -1, -1):
            layer = self._linear[place]
            gradients += [gradient.sum(0), gradient.t() @ outputs[place]]
            if place:
                backward = _BACKWARD[type(self._activations[place - 1])]
                gradient = backward(gradient @ layer.weight, outputs[place])
        return gradients[::-1]


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
