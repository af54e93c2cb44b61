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
        All parameters of the optimizer, in its order.
    """

    def __init__(self, optimizer, parameters):
        self._optimizer = optimizer
        self._parameters = parameters
        self._state = None

    def step(self, gradients):
        """Make a step.

        Parameters
        ----------
        gradients : list of Tensor
            Shaped as the parameters.
        """
        if self._state is None:
            # The first step is torch's: it makes the state, and notifies schedulers.
            self._step_by_torch(gradients)
            self._state = self._adam_state()
        elif self._state:
            self._step_adam(gradients)
        else:
            self._step_by_torch(gradients)

    def _step_by_torch(self, gradients):
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        self._optimizer.step()
        for parameter in self._parameters:
            parameter.grad = None

    def _adam_state(self):
        """Return the arrays of Adam's state; empty if its kernel does not apply."""
        optimizer = self._optimizer
        is_adam = type(optimizer) in (optim.Adam, optim.AdamW)
        hooks = (
            optimizer._optimizer_step_pre_hooks,
            optimizer._optimizer_step_post_hooks,
        )
        if not is_adam or len(optimizer.param_groups) > 1 or any(hooks):
            return ()
        group = optimizer.param_groups[0]
        if any(group[name] != value for name, value in _PLAIN.items()):
            return ()
        states = [optimizer.state[parameter] for parameter in self._parameters]
        names = "exp_avg", "exp_avg_sq", "step"
        moments = [[state[name] for state in states] for name in names]
        return *moments, [step.numpy() for step in moments[-1]]

    def _step_adam(self, gradients):
        mean, square, steps, counts = self._state
        group = self._optimizer.param_groups[0]
        for count in counts:
            count += 1  # also changes the tensor, in a tenth of torch's time
        _KERNELS[group["decoupled_weight_decay"]](
            self._parameters,
            gradients,
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
