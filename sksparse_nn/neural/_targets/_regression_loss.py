"""The contract of a loss of numbers."""

from abc import ABC, abstractmethod

import numpy as np
import torch


class RegressionLoss(ABC):
    """A loss and its standardisation, ``(y - offset) / scale`` unless overridden.

    Attributes
    ----------
    smallest : float
        Smallest valid target.
    """

    smallest = -np.inf

    @abstractmethod
    def measure_scale(self, y, weight):
        """Learn offsets and scales.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.

        weight : ndarray of shape (n_samples,)
            Their weights, all positive.

        Returns
        -------
        offset, scale : ndarray of shape (n_outputs,)
            The scale is zero for a target that does not vary.
        """

    @abstractmethod
    def measure(self, output, target, reduction):
        """Return the losses of standardised targets.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Output of a network.

        target : Tensor of shape (n_rows, n_outputs, ...)
            Result of `encode`.

        reduction : {"none", "mean"}
            Whether to return all losses or their mean.

        Returns
        -------
        losses : Tensor of shape (n_rows, n_outputs) or ()
            The losses.
        """

    def slopes(self, output, target):
        """Return the derivative of each loss.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Output of a network.

        target : Tensor of shape (n_rows, n_outputs, ...)
            Result of `encode`.

        Returns
        -------
        slopes : Tensor of shape (n_rows, n_outputs)
            With respect to the outputs.
        """
        with torch.enable_grad():
            output = output.detach().requires_grad_()
            total = self.measure(output, target, "none").sum()
            return torch.autograd.grad(total, output)[0]

    def encode(self, y, offset, scale):
        """Standardise targets.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.

        offset, scale : ndarray of shape (n_outputs,)
            Result of `measure_scale`; targets of scale zero become zeros.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs, ...)
            Input of `measure`.
        """
        varies = scale > 0
        return varies * (y - offset) / np.where(varies, scale, 1.0)

    def decode(self, output, offset, scale):
        """Return predictions in the unit of the targets.

        Parameters
        ----------
        output : ndarray of shape (n_samples, n_outputs)
            Output of a network.

        offset, scale : ndarray of shape (n_outputs,)
            Result of `measure_scale`.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs)
            Predictions.
        """
        return output * scale + offset

    def restore(self, target, offset, scale):
        """Return targets in their unit: the inverse of `encode`, up to rounding.

        Parameters
        ----------
        target : ndarray of shape (n_samples, n_outputs, ...)
            Result of `encode`.

        offset, scale : ndarray of shape (n_outputs,)
            Result of `measure_scale`.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.
        """
        return target * scale + offset

    def output_units(self, offset, scale):
        """Return the units of outputs of a network.

        Parameters
        ----------
        offset, scale : ndarray of shape (n_outputs,)
            Result of `measure_scale`.

        Returns
        -------
        scale, shift : ndarray of shape (n_outputs,)
            Outputs times scale plus shift are predictions, or their logarithms.
        """
        return scale, offset
