"""Sparsity by proximal steps: weights and whole input columns become exactly zero.

After each step of the optimizer the weights go through the proximal map of the penalty
``l1 * sum |W| + group_lasso * sum_j ||W1[:, j]||``. The map uses the metric of the
optimizer, that is the step size of each weight: those of Adam differ by orders of
magnitude, and with one size for all the penalty would not balance the gradient.
"""

import torch
from skorch.callbacks import Callback

from sksparse_nn.neural._coder import head_of

# Enough for double precision, whatever the spread of the step sizes.
_N_NEWTON = 6


class ProximalStep(Callback):
    """Shrink the weights after each step of the optimizer.

    Parameters
    ----------
    l1 : float
        Penalty of the absolute values of all weight matrices; biases are free.

    group_lasso : float
        Penalty of the norms of the first layer's columns, one per input feature.
    """

    def __init__(self, l1, group_lasso):
        self.l1 = l1
        self.group_lasso = group_lasso

    def on_batch_end(self, net, training=None, **kwargs):
        """Shrink the weights after a training batch.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net in training.

        training : bool
            Whether the optimizer made a step.

        **kwargs : dict
            Not used.
        """
        if training:
            weights = weight_matrices(head_of(net.module_))
            self._shrink(list(weights), net.optimizer_)

    @torch.no_grad()
    def _shrink(self, weights, optimizer):
        if self.l1 > 0:
            for weight in weights:
                soft_threshold_(weight, self.l1 * read_step_sizes(optimizer, weight))
        if self.group_lasso > 0:
            # After soft thresholds, this is the map of the sum of both penalties.
            steps = read_step_sizes(optimizer, weights[0])
            shrink_columns_(weights[0], self.group_lasso * steps)


def weight_matrices(module):
    """Return the weights of the layers, from the first layer on.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    Returns
    -------
    weights : iterator of Parameter
        The parameters of two or more dimensions that are trained.
    """
    trained = (weight for weight in module.parameters() if weight.requires_grad)
    return (weight for weight in trained if weight.ndim > 1)


def read_step_sizes(optimizer, weight):
    """Return how far a constant gradient of one moves each weight per step.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The optimizer, after a step.

    weight : Parameter
        One of its parameters.

    Returns
    -------
    steps : Tensor, of the shape of `weight` or one that broadcasts to it
        The learning rate over the root mean squared gradient if the optimizer divides
        by it, otherwise the learning rate over one minus the momentum.
    """
    group = next(
        g for g in optimizer.param_groups if any(weight is p for p in g["params"])
    )
    state = optimizer.state.get(weight, {})
    plain = weight.new_tensor(group["lr"] / (1 - group.get("momentum", 0)))
    square = _mean_square(state, group)
    if square is None:
        return plain
    # A weight without a gradient so far must not vanish by its infinite step size.
    return torch.where(square > 0, plain / (square.sqrt() + group["eps"]), plain)


def _mean_square(state, group):
    if "exp_avg_sq" in state:  # Adam and its kin
        return state["exp_avg_sq"] / (1 - group["betas"][1] ** float(state["step"]))
    return state.get("square_avg", state.get("sum"))  # RMSprop, Adagrad


def soft_threshold_(weight, threshold):
    """Move each number towards zero, in place.

    Parameters
    ----------
    weight : Tensor
        Overwritten.

    threshold : Tensor
        Distance to move. Smaller numbers become zero.
    """
    weight.copy_(weight.sign() * (weight.abs() - threshold).clamp_min_(0))


def shrink_columns_(weight, threshold):
    """Move each column towards zero, in place.

    A column w becomes the z that is least in
    ``sum_i (z_i - w_i)^2 / (2 t_i) + ||z||``, with t the thresholds. That is
    ``z_i = w_i r / (r + t_i)`` for the r at which ``||z|| = r``, and zero where
    ``||w / t|| <= 1``. One over the norm of ``w / (r + t)`` is concave in r, so that
    Newton's iteration climbs to r from any r below.

    Parameters
    ----------
    weight : Tensor of shape (n_outputs, n_features)
        Overwritten.

    threshold : Tensor, of the shape of `weight` or one that broadcasts to it
        Distance to move; in Euclidean norm if it is equal within a column.
    """
    threshold = threshold.expand_as(weight)
    norm = torch.linalg.vector_norm(weight, dim=0)
    length = (norm - threshold.amax(dim=0)).clamp_min_(0)
    for _ in range(_N_NEWTON):
        square = (weight / (length + threshold)).square()
        total = square.sum(dim=0)
        slope = (square / (length + threshold)).sum(dim=0)
        length = length + (total**1.5 - total) / slope
    alive = torch.linalg.vector_norm(weight / threshold, dim=0) > 1
    weight.mul_(torch.where(alive, length / (length + threshold), 0))
