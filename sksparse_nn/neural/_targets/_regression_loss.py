"""The contract of a loss of numbers."""

from abc import ABC, abstractmethod

import numpy as np
import torch


class RegressionLoss(ABC):
    """A loss and its standardisation, ``(y - offset) / scale`` unless it says else.

    Attributes
    ----------
    smallest : float
        Targets below have no meaning.
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
            What a network answers.

        target : Tensor of shape (n_rows, n_outputs, ...)
            What `encode` has made of the targets.

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
            What a network returns.

        target : Tensor of shape (n_rows, n_outputs, ...)
            What `encode` has made of the targets.

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
            What was learnt; targets of scale zero become zeros.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs, ...)
            What `measure` takes.
        """
        varies = scale > 0
        return varies * (y - offset) / np.where(varies, scale, 1.0)

    def decode(self, output, offset, scale):
        """Return predictions in the unit of the targets.

        Parameters
        ----------
        output : ndarray of shape (n_samples, n_outputs)
            What a network answers.

        offset, scale : ndarray of shape (n_outputs,)
            What was learnt.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs)
            Predictions.
        """
        return output * scale + offset

    def restore(self, target, offset, scale):
        """Return targets in their unit: what `encode` was given, but for rounding.

        Parameters
        ----------
        target : ndarray of shape (n_samples, n_outputs, ...)
            What `encode` has returned.

        offset, scale : ndarray of shape (n_outputs,)
            What was learnt.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.
        """
        return target * scale + offset

    def output_units(self, offset, scale):
        """Say what outputs of a network stand for.

        Parameters
        ----------
        offset, scale : ndarray of shape (n_outputs,)
            What was learnt.

        Returns
        -------
        scale, shift : ndarray of shape (n_outputs,)
            What outputs are multiplied by, and what is added then.
        """
        return scale, offset
