"""Integrated gradients of a network's outputs, in double precision."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

# Points of the path at first, and at most. A straight line needs one.
_FIRST, _MOST = 1, 4096

# Rows times points that go through a network at once.
_BLOCK = 1024


class DoubleNet:
    """A fitted network in double precision, on the processor.

    Parameters
    ----------
    network : SparseNetClassifier or SparseNetRegressor
        Fitted. Layers of small integers or without their zeros become plain ones.

    Attributes
    ----------
    has_one_unit : bool
        Whether outputs can be compared: logits can, targets may be of any unit.
    """

    def __init__(self, network):
        module = deepcopy(network.net_.module_).cpu()
        self._module = _plain(module).double().eval()
        self._module.requires_grad_(False)
        self._scale, self._shift = network._targets.in_units()
        self.has_one_unit = hasattr(network, "classes_")

    def outputs(self, Z):
        """Answer rows.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_inputs)
            Rows.

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_outputs)
            Logits of a classifier; targets of a regressor, or their logarithms if it
            was trained with ``loss="poisson"``.
        """
        with torch.no_grad():
            answers = self._module(torch.from_numpy(np.array(Z, np.float64)))
        return answers.numpy() * self._scale + self._shift

    def mean_gradients(self, Z, start, which, n_points):
        """Average gradients along straight lines, at the middles of equal parts.

        Parameters
        ----------
        Z, start : ndarray of shape (n_samples, n_inputs)
            Ends and beginnings of the lines.

        which : ndarray of int of shape (n_samples, n_targets)
            Outputs that are wanted of each row.

        n_points : int
            Number of parts.

        Returns
        -------
        gradients : ndarray of shape (n_samples, n_targets, n_inputs)
            Of the outputs by the inputs.
        """
        points = (np.arange(n_points) + 0.5) / n_points
        total = np.zeros((*which.shape, Z.shape[1]))
        size = max(1, _BLOCK // len(Z))
        for begin in range(0, n_points, size):
            some = points[begin : begin + size, None, None]
            inputs = torch.from_numpy(
                (start + some * (Z - start)).reshape(-1, Z.shape[1])
            )
            # A copy: the first layer may work in place.
            answers = self._module(inputs.requires_grad_(True).clone())
            answers = answers.reshape(len(some), len(Z), -1)
            for place in range(which.shape[1]):
                chosen = answers[:, np.arange(len(Z)), which[:, place]].sum()
                (slopes,) = torch.autograd.grad(chosen, inputs, retain_graph=True)
                slopes = slopes.numpy().reshape(len(some), *Z.shape).sum(axis=0)
                total[:, place] += slopes * self._scale[which[:, place], None]
        return total / n_points


def integrated_gradients(net, Z, start, which, tol):
    """Average gradients along lines with as many points as completeness needs.

    Parameters
    ----------
    net : DoubleNet
        The network.

    Z, start : ndarray of shape (n_samples, n_inputs)
        Ends and beginnings of the lines.

    which : ndarray of int of shape (n_samples, n_targets)
        Outputs that are wanted of each row.

    tol : float
        What the products of gradients and inputs may miss of an output's change along
        the line, as in `largest_error`.

    Returns
    -------
    gradients : ndarray of shape (n_samples, n_targets, n_inputs)
        Mean gradients.
    """
    rows = np.arange(len(Z))[:, None]
    wanted = (net.outputs(Z) - net.outputs(start))[rows, which]
    allowed = largest_error(wanted, tol, net.has_one_unit)
    gradients = np.zeros((*which.shape, Z.shape[1]))
    open_rows, n_points = np.arange(len(Z)), _FIRST
    while len(open_rows) and n_points <= _MOST:
        part = open_rows
        found = net.mean_gradients(Z[part], start[part], which[part], n_points)
        summed = (found * (Z - start)[part, None]).sum(axis=2)
        gradients[part] = found
        is_open = np.abs(wanted[part] - summed) > allowed
        open_rows = part[is_open.any(axis=1)]
        n_points *= 4
    return gradients


def largest_error(changes, tol, has_one_unit):
    """Return what a sum may miss of each output.

    Parameters
    ----------
    changes : ndarray of shape (n_samples, n_targets)
        What outputs change by between no atoms and all.

    tol : float
        Share of the largest change of a target.

    has_one_unit : bool
        Whether the largest change of all targets counts.

    Returns
    -------
    allowed : ndarray of shape (n_targets,)
        At least what rounding costs.
    """
    largest = np.abs(changes).max(axis=0, initial=0.0)
    most = largest.max(initial=0.0)
    return tol * np.where(has_one_unit, most, largest) + 1e-9 * most


def _plain(module):
    """Return a module with plain linear layers in the place of compressed ones."""
    if hasattr(module, "dense_weight"):
        weight = torch.from_numpy(module.dense_weight())
        layer = nn.Linear(*weight.shape[::-1], bias=module.bias is not None)
        layer.weight, layer.bias = nn.Parameter(weight), module.bias
        return layer
    for name, child in module.named_children():
        setattr(module, name, _plain(child))
    return module
