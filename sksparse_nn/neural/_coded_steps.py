"""Training steps of networks behind a coder, with gradients by the chain rule."""

from functools import partial

import torch
from torch import nn

from sksparse_nn.modules._coded import CodedNetwork, Scale, SplitSign
from sksparse_nn.modules._sparse_input import SparseBatch
from sksparse_nn.modules._traced_codes import has_traced_codes, trace_codes
from sksparse_nn.neural._augmenting import mix_losses
from sksparse_nn.neural._optimizer_steps import OptimizerSteps
from sksparse_nn.neural._perceptron_steps import PerceptronPasses, is_plain_perceptron
from sksparse_nn.solvers._threads import single_threaded_blas


def is_plain_coded(module):
    """Return whether the gradients of a network behind a coder are known here.

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
        type(module) is CodedNetwork
        and has_traced_codes(module.coding)
        and [type(layer) for layer in _scales(module)] in ([Scale], [SplitSign, Scale])
        and is_plain_perceptron(module.head)
    )


class CodedSteps:
    """Training steps of one epoch.

    Parameters
    ----------
    net : Net
        Initialized, with a module of which `is_plain_coded` holds.
    """

    def __init__(self, net):
        self._module, self._criterion = net.module_, net.criterion_
        self._coding = net.module_.coding
        self._head = PerceptronPasses(net.module_.head)
        *split, scale = _scales(net.module_)
        self._splits, self._factor = bool(split), scale.factor
        parameters = list(net.module_.parameters())
        self._like = parameters[0]
        self._optimizer = OptimizerSteps(net.optimizer_, parameters)

    @torch.no_grad()
    def step(self, batch, **fit_params):
        """Make a step.

        Parameters
        ----------
        batch : tuple
            A dict of the samples ``"X"``, and their ``"weight"`` and ``"row_weight"``;
            and the targets.

        **fit_params : dict
            Not used.

        Returns
        -------
        step : dict
            Its ``"loss"`` and ``"y_pred"``.
        """
        inputs, target = batch
        X = inputs["X"]
        if not isinstance(X, SparseBatch):
            X = X.to(self._like.dtype)
        with single_threaded_blas():
            traced = trace_codes(self._coding, X)
            scaled = self._scale(traced.codes)
            kept = self._draw_kept(scaled)
            outputs = self._head.forward(scaled * kept)
            measure = partial(self._criterion.with_gradient, outputs[-1])
            loss, gradient = mix_losses(measure, target, inputs)
            of_head, of_first = self._head.backward(outputs, gradient)
            gradient = of_first @ self._module.head[0].weight
            of_codes = self._behind_scale(gradient * kept, traced.codes)
            of_samples = self._of_samples(X, traced, inputs["row_weight"])
            of_coding = traced.backward(of_codes, of_samples)
        self._optimizer.step([*of_coding, *of_head])
        return {"loss": loss, "y_pred": outputs[-1]}

    def _scale(self, codes):
        if self._splits:
            codes = torch.cat([codes, -codes], dim=1).clamp_min_(0)
        return codes * self._factor

    def _draw_kept(self, codes):
        """Return what dropout multiplies each code by."""
        share = self._module.dropout
        if share <= 0:
            return 1.0
        return nn.functional.dropout(torch.ones_like(codes), share)

    def _behind_scale(self, gradient, codes):
        """Return the gradient of the codes, given that of what is made of them."""
        gradient = gradient * self._factor
        if not self._splits:
            return gradient
        above, below = gradient.chunk(2, dim=1)
        return torch.where(codes > 0, above, 0) - torch.where(codes < 0, below, 0)

    def _of_samples(self, X, traced, weight):
        """Return the gradient of the samples that codes reconstruct, if they count."""
        share = self._module.reconstruction
        if share <= 0:
            return None
        X = X.to_dense() if isinstance(X, SparseBatch) else X
        residual = traced.reconstruct() - X
        residual *= torch.from_numpy(weight).to(residual)[:, None]
        return residual.mul_(2 * share / (self._module.energy * len(residual)))


def _scales(module):
    scale = module.scale
    return list(scale) if isinstance(scale, nn.Sequential) else [scale]
