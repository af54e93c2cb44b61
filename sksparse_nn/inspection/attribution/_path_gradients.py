"""Integrated gradients of a network's outputs, in double precision."""

from copy import copy, deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sksparse_nn.inspection.attribution._path_points import average_gradients
from sksparse_nn.inspection.attribution._straight_gradients import (
    straight_gradients,
    take_less_time,
)
from sksparse_nn.modules._compressed_convolution import CONVOLUTIONS
from sksparse_nn.modules._facts import make_plain
from sksparse_nn.modules._linear_layers import replace_layers
from sksparse_nn.modules._modes import own_modes
from sksparse_nn.modules._single_rows import apply_module
from sksparse_nn.modules._straight_layers import read_layers
from sksparse_nn.neural._heads import as_module
from sksparse_nn.neural._nesting import NETWORKS

# Rows that go through a network at once.
_BLOCK = 1024

# Size of the gradients that are integrated at once.
_ROOM = 2**16

# From this tolerance on, convolutions are computed in single precision, which takes a
# fifth of the time; and the relative rounding of sums of contributions then.
_COARSE, _SINGLE_ROUNDING = 1e-4, 1e-5

# Relative rounding of sums, rounding in units of the network's outputs, and the error
# in these units that points may leave.
_ROUNDING, _FLOOR = 1e-12, 1e-10


class DoubleNet:
    """A fitted network in double precision, on the processor.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or model of scikit-learn
        Fitted. Quantized and pruned layers become plain ones. A binary classifier of
        scikit-learn has one output, for the second class; the first class gets the
        negated one.

    Attributes
    ----------
    scale : ndarray of shape (n_outputs,)
        Factors of the network's own outputs; ones for a classifier.
    """

    def __init__(self, network):
        with own_modes(), torch.inference_mode(False), torch.no_grad():
            module = as_module(network)
            module = replace_layers(module, lambda layer: [make_plain(layer)]).cpu()
            if not isinstance(network, NETWORKS):
                module = _split_head(module, network)
            self._module = module.double().eval()
        self._module.requires_grad_(False)
        self.is_single = False
        self.scale, self._shift = _read_units(network, self._module)

    def for_tolerance(self, tol):
        """Return the network in the precision that integrals to a tolerance need.

        Parameters
        ----------
        tol : float
            Error that a contribution may have, as a share of the largest of its line.

        Returns
        -------
        net : DoubleNet
            Its gradients are in single precision if it convolves and the tolerance is
            coarse.
        """
        layers = self._module.modules()
        if tol < _COARSE or not any(isinstance(x, CONVOLUTIONS) for x in layers):
            return self
        other = copy(self)
        other._module, other.is_single = deepcopy(self._module).float(), True
        return other

    def floor(self, which):
        """Return the error that contributions are always allowed.

        Parameters
        ----------
        which : ndarray of int
            Outputs.

        Returns
        -------
        floor : ndarray of the shape of `which`
            Their rounding, in their units.
        """
        return 2 * _FLOOR * self.scale[which]

    def outputs(self, Z):
        """Predict outputs.

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
        return self._predict(Z) * self.scale + self._shift

    def straight_layers(self, width):
        """Read the layers, as `read_layers` does.

        Parameters
        ----------
        width : int
            Width of the input.

        Returns
        -------
        layers : list of Layer or None
            Of outputs in the network's own units.
        """
        return read_layers(self._module, width)

    def changes(self, Z, start, which):
        """Return the differences of outputs between ends and beginnings of lines.

        Parameters
        ----------
        Z, start : ndarray of shape (n_samples, n_inputs)
            Ends and beginnings.

        which : ndarray of int of shape (n_samples, n_targets)
            Outputs to attribute for each row.

        Returns
        -------
        changes : ndarray of shape (n_samples, n_targets)
            In the network's own units.
        """
        changes = self._predict(Z) - self._predict(start)
        return np.take_along_axis(changes, which, axis=1)

    def slopes(self, rows, which):
        """Compute outputs and their gradients.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_inputs)
            Rows.

        which : ndarray of int of shape (n_rows,)
            An output of each.

        Returns
        -------
        values : ndarray of shape (n_rows,)
            Outputs, in the network's own units.

        gradients : ndarray of shape (n_rows, n_inputs)
            Gradients with respect to the rows.
        """
        values, gradients = np.empty(len(rows)), np.empty(rows.shape)
        for begin in range(0, len(rows), _BLOCK):
            part = slice(begin, begin + _BLOCK)
            values[part], gradients[part] = self._slopes(rows[part], which[part])
        return values, gradients

    def _predict(self, Z):
        with own_modes(), torch.inference_mode(False), torch.no_grad():
            rows = torch.from_numpy(np.array(Z, np.float64))
            return apply_module(self._module, rows).numpy()

    def _slopes(self, rows, which):
        with own_modes(), torch.inference_mode(False), torch.enable_grad():
            inputs = torch.from_numpy(rows)
            inputs = (inputs.float() if self.is_single else inputs).requires_grad_(True)
            # A copy: the first layer may work in place.
            outputs = apply_module(self._module, inputs.clone())
            outputs = outputs[torch.arange(len(rows)), torch.from_numpy(which)]
            if not outputs.requires_grad:
                return outputs.numpy(), np.zeros(rows.shape)
            (gradients,) = torch.autograd.grad(
                outputs.sum(), inputs, allow_unused=True, materialize_grads=True
            )
        return outputs.detach().numpy(), gradients.numpy()


def integrated_gradients(net, Z, start, which, tol):
    """Average gradients along lines, separately for each line and output.

    Piecewise linear networks are integrated exactly, from kink to kink. Others are
    sampled until the error of each contribution, the product of a gradient and the
    line's direction, is within the tolerance.

    Parameters
    ----------
    net : DoubleNet
        The network.

    Z, start : ndarray of shape (n_samples, n_inputs)
        Ends and beginnings of the lines.

    which : ndarray of int of shape (n_samples, n_targets)
        Outputs to attribute for each row.

    tol : float
        Error that a contribution may have, as a share of the largest of its line.

    Returns
    -------
    gradients : ndarray of shape (n_samples, n_targets, n_inputs)
        Mean gradients.

    bounds : ndarray of shape (n_samples, n_targets)
        Bounds on the errors of contributions.
    """
    layers = net.straight_layers(Z.shape[1])
    if layers is not None and take_less_time(layers):
        gradients = straight_gradients(layers, Z, start, which)
        bounds = np.zeros(which.shape)
    else:
        gradients, bounds = _integrate_by_points(net, Z, start, which, tol)
    added = gradients * (Z - start)[:, None]
    missed = np.abs(net.changes(Z, start, which) - added.sum(axis=2))
    rounding = _ROUNDING * (np.abs(added).sum(axis=2) + 1)
    scale = net.scale[which]
    bounds = scale * (np.maximum(bounds, missed) + rounding)
    return scale[:, :, None] * gradients, bounds


def _integrate_by_points(net, Z, start, which, tol):
    sampled = net.for_tolerance(tol)
    gradients = np.empty((*which.shape, Z.shape[1]))
    bounds, size = np.empty(which.shape), max(1, _ROOM // gradients[0].size)
    for begin in range(0, len(Z), size):
        part = slice(begin, begin + size)
        rows = np.repeat(np.arange(len(Z))[part], which.shape[1])
        lines = _Lines(sampled, which[part].ravel(), start[rows], (Z - start)[rows])
        changes = net.changes(Z[part], start[part], which[part]).ravel()
        found = average_gradients(lines, lines.directions, changes, tol, _FLOOR)
        gradients[part] = found[0].reshape(gradients[part].shape)
        bounds[part] = found[1].reshape(bounds[part].shape)
    if sampled.is_single:
        largest = np.abs(gradients * (Z - start)[:, None]).max(axis=2, initial=0.0)
        bounds += _SINGLE_ROUNDING * largest
    return gradients, bounds


@dataclass(frozen=True)
class _Lines:
    """Outputs along lines, as `average_gradients` evaluates them."""

    net: DoubleNet
    which: np.ndarray
    begins: np.ndarray
    directions: np.ndarray

    def __call__(self, lines, places):
        directions = self.directions[lines][:, None]
        rows = self.begins[lines][:, None] + places[:, :, None] * directions
        which = np.repeat(self.which[lines], places.shape[1])
        values, gradients = self.net.slopes(rows.reshape(-1, rows.shape[2]), which)
        return values.reshape(places.shape), gradients.reshape(rows.shape)


def _split_head(module, head):
    """Add an output for the first class to a module with one for the second."""
    if len(getattr(head, "classes_", ())) != 2 or module[-1].out_features == 2:
        return module
    both = nn.Linear(1, 2, bias=False)
    both.weight = nn.Parameter(torch.tensor([[-1.0], [1.0]]))
    return nn.Sequential(*module, both)


def _read_units(network, module):
    """Return the scale and the offset of outputs."""
    if isinstance(network, NETWORKS):
        return network._targets.output_units()
    n_outputs = module[-1].out_features
    return np.ones(n_outputs), np.zeros(n_outputs)
