"""Training steps of the built-in networks, with gradients by the chain rule.

For a small batch, autograd takes several times as long as the products.
"""

from functools import partial

import torch
from torch import nn
from torch.ops import aten

from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.neural._augmenting import mix_losses
from sksparse_nn.neural._optimizer_steps import OptimizerSteps

# Gradient of the input of an activation, given that of its output and the output.
_BACKWARD = {
    nn.Identity: lambda gradient, output: gradient,
    nn.ReLU: lambda gradient, output: aten.threshold_backward(gradient, output, 0),
    nn.Sigmoid: aten.sigmoid_backward,
    nn.Tanh: aten.tanh_backward,
}


def is_plain_perceptron(module):
    """Return whether the gradients of a network are known here.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    Returns
    -------
    is_plain : bool
        False for other networks, and for layers that are not known.
    """
    return (
        type(module) is Perceptron
        and all(type(layer) is nn.Linear for layer in module[::2])
        and all(type(layer) in _BACKWARD for layer in module[1::2])
    )


class PerceptronSteps:
    """Training steps of one epoch.

    Parameters
    ----------
    net : Net
        Initialized, with a module of which `is_plain_perceptron` holds.
    """

    def __init__(self, net):
        self._passes = PerceptronPasses(net.module_)
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
        outputs = self._passes.forward(inputs["X"].to(self._like.dtype))
        measure = partial(self._criterion.with_gradient, outputs[-1])
        loss, gradient = mix_losses(measure, target, inputs)
        self._optimizer.step(self._passes.backward(outputs, gradient)[0])
        return {"loss": loss, "y_pred": outputs[-1]}


class PerceptronPasses:
    """The way through a perceptron, and back.

    Parameters
    ----------
    module : Perceptron
        One of which `is_plain_perceptron` holds.
    """

    def __init__(self, module):
        layers = list(module)
        self._linear, self._activations = layers[::2], layers[1::2]

    def forward(self, X):
        """Run the layers.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        outputs : list of Tensor
            The input of each linear layer, and the last output.
        """
        outputs = [X]
        for layer, activation in zip(self._linear, self._activations, strict=False):
            hidden = nn.functional.linear(outputs[-1], layer.weight, layer.bias)
            outputs.append(activation(hidden))
        last = self._linear[-1]
        outputs.append(nn.functional.linear(outputs[-1], last.weight, last.bias))
        return outputs

    def backward(self, outputs, gradient):
        """Return the gradients of weights and biases, and that behind the first layer.

        Parameters
        ----------
        outputs : list of Tensor
            Result of `forward`.

        gradient : Tensor of shape (n_rows, n_outputs)
            Of the last output.

        Returns
        -------
        gradients : list of Tensor
            In the order of the module.

        of_first : Tensor of shape (n_rows, n_neurons)
            Gradient of what the first linear layer returns.
        """
        gradients = []
        for place in range(len(self._linear) - 1, -1, -1):
            layer = self._linear[place]
            gradients += [gradient.sum(0), gradient.t() @ outputs[place]]
            if place:
                backward = _BACKWARD[type(self._activations[place - 1])]
                gradient = backward(gradient @ layer.weight, outputs[place])
        return gradients[::-1], gradient
