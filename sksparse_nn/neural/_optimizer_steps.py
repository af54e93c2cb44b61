"""Steps of an optimizer on given gradients; for Adam, only its kernel is called."""

import torch
from torch import optim

_KERNELS = {True: torch._fused_adamw_, False: torch._fused_adam_}
_PLAIN = {"fused": True, "amsgrad": False, "maximize": False, "differentiable": False}


class OptimizerSteps:
    """Steps of one training.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        One of torch's own, other than L-BFGS. Its state is kept up to date.

    parameters : list of Parameter
        All parameters of the optimizer, in the order of the gradients.
    """

    def __init__(self, optimizer, parameters):
        self._optimizer = optimizer
        self._parameters = parameters
        self._kernels = None

    def step(self, gradients):
        """Make a step.

        Parameters
        ----------
        gradients : list of Tensor
            Shaped as the parameters.
        """
        if self._kernels is None:
            # The first step is torch's: it makes the state, and notifies schedulers.
            self._step_by_torch(gradients)
            self._kernels = self._adam_kernels()
        elif self._kernels:
            for kernel in self._kernels:
                kernel.step(gradients)
        else:
            self._step_by_torch(gradients)

    def _step_by_torch(self, gradients):
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        self._optimizer.step()
        for parameter in self._parameters:
            parameter.grad = None

    def _adam_kernels(self):
        """Return a kernel per group and float type; none if Adam's does not apply."""
        optimizer = self._optimizer
        hooks = (
            optimizer._optimizer_step_pre_hooks,
            optimizer._optimizer_step_post_hooks,
        )
        if type(optimizer) not in (optim.Adam, optim.AdamW) or any(hooks):
            return ()
        if not all(map(_is_plain, optimizer.param_groups)):
            return ()
        places = {parameter: i for i, parameter in enumerate(self._parameters)}
        return [
            _AdamKernel(group, [places[p] for p in alike], alike, optimizer.state)
            for group in optimizer.param_groups
            for alike in _by_dtype(group["params"])
        ]


class _AdamKernel:
    """Steps of Adam on parameters of one group and one float type."""

    def __init__(self, group, places, parameters, state):
        self._group, self._places, self._parameters = group, places, parameters
        states = [state[parameter] for parameter in parameters]
        names = "exp_avg", "exp_avg_sq", "step"
        self._moments = [[state[name] for state in states] for name in names]
        self._counts = [step.numpy() for step in self._moments[-1]]

    def step(self, gradients):
        mean, square, steps = self._moments
        group = self._group
        for count in self._counts:
            count += 1  # also changes the tensor, in a tenth of torch's time
        _KERNELS[group["decoupled_weight_decay"]](
            self._parameters,
            [gradients[place] for place in self._places],
            mean,
            square,
            [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


def _is_plain(group):
    return all(group[name] == value for name, value in _PLAIN.items())


def _by_dtype(parameters):
    """Collect parameters of one float type, which a kernel takes together."""
    alike = {}
    for parameter in parameters:
        alike.setdefault(parameter.dtype, []).append(parameter)
    return alike.values()
