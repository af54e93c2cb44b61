"""Losses of numbers, each with its standardisation of targets."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields

import numpy as np
import torch
from scipy.special import xlogy
from torch.nn import functional

from sksparse_nn._registry import Registry
from sksparse_nn.neural._losses import call_own_loss
from sksparse_nn.neural._targets._regression_loss import RegressionLoss
from sksparse_nn.neural._targets._spreads import (
    robust_spreads,
    weighted_quantiles,
    zero_rounding,
)

# Logarithms beyond which predictions would leave the range of float32.
LARGEST_LOG = 70.0


@dataclass(frozen=True)
class SquaredError(RegressionLoss):
    """Half the squared error, in standard deviations from the mean."""

    def measure_scale(self, y, weight):
        """Return means and standard deviations, as `RegressionLoss` says."""
        mean = np.average(y, axis=0, weights=weight)
        scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        return mean, zero_rounding(scale, mean)

    def measure(self, output, target, reduction):
        """Return the losses, as `RegressionLoss` says."""
        return functional.mse_loss(output, target, reduction=reduction) / 2

    def slopes(self, output, target):
        """Return the distances to the targets, as `RegressionLoss` says."""
        return output - target


@dataclass(frozen=True)
class OwnRegressionLoss(RegressionLoss):
    """A loss written by the user, in standard deviations from the mean.

    Parameters
    ----------
    function : callable
        Takes outputs and targets, returns losses of shape (n_rows,) or
        (n_rows, n_outputs).
    """

    function: Callable

    measure_scale = SquaredError.measure_scale

    def measure(self, output, target, reduction):
        """Return the losses, as `RegressionLoss` says."""
        losses = call_own_loss(self.function, output, target)
        losses = losses if losses.ndim == 2 else losses[:, None].expand_as(output)
        return losses if reduction == "none" else losses.mean()


class RobustLoss(RegressionLoss):
    """A loss in robust deviations from a quantile.

    Attributes
    ----------
    quantile : float
        Quantile that is subtracted from targets.
    """

    def measure_scale(self, y, weight):
        """Return quantiles and robust deviations, as `RegressionLoss` says."""
        return weighted_quantiles(y, weight, self.quantile), robust_spreads(y, weight)


@dataclass(frozen=True)
class AbsoluteError(RobustLoss):
    """The absolute error, in robust deviations from the median."""

    quantile = 0.5

    def measure(self, output, target, reduction):
        """Return the losses, as `RegressionLoss` says."""
        return functional.l1_loss(output, target, reduction=reduction)


@dataclass(frozen=True)
class Huber(RobustLoss):
    """Half the squared error up to a threshold, and linear beyond.

    Parameters
    ----------
    epsilon : float, default=1.35
        The threshold in robust deviations. For normal errors of unit spread, the
        default estimates a mean with 95 % of the efficiency of the squared error.
    """

    epsilon: float = 1.35

    quantile = 0.5

    def measure(self, output, target, reduction):
        """Return the losses, as `RegressionLoss` says."""
        return functional.huber_loss(
            output, target, reduction=reduction, delta=self.epsilon
        )


@dataclass(frozen=True)
class Quantile(RobustLoss):
    """The error times `quantile` if too low, and times ``1 - quantile`` if too high.

    Parameters
    ----------
    quantile : float
        Share of targets that should be below predictions.
    """

    quantile: float

    def measure(self, output, target, reduction):
        """Return the losses, as `RegressionLoss` says."""
        error = target - output
        losses = torch.maximum(self.quantile * error, (self.quantile - 1) * error)
        return losses if reduction == "none" else losses.mean()


@dataclass(frozen=True)
class Poisson(RegressionLoss):
    """Half the Poisson deviance over the mean and the squared spread.

    The spread is the coefficient of variation, or 1 if that is larger. Outputs times
    the spread are the logarithms of predictions over the mean: where targets vary
    little this is the squared error of standardised numbers.
    """

    smallest = 0.0

    def measure_scale(self, y, weight):
        """Return means and standard deviations, as `RegressionLoss` says."""
        return SquaredError().measure_scale(y, weight)

    def encode(self, y, offset, scale):
        """Return three numbers per target, which `measure` takes.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.

        offset, scale : ndarray of shape (n_outputs,)
            Result of `measure_scale`.

        Returns
        -------
        numbers : ndarray of shape (n_samples, n_outputs, 3)
            Deviations from the mean in spreads, the spreads, and the constant that
            makes the smallest loss zero. They are differences of nearly equal numbers,
            which need double precision.
        """
        spread = np.where(scale > 0, _relative(offset, scale), 1.0)
        ratio = y / offset
        least = (xlogy(ratio, ratio) - ratio + 1) / spread**2
        return np.stack(
            np.broadcast_arrays((ratio - 1) / spread, spread, least), axis=-1
        )

    def measure(self, output, target, reduction):
        """Return the losses, as `RegressionLoss` says."""
        deviation, spread, least = target.unbind(dim=-1)
        log = spread * output
        losses = (log.expm1() - log) / spread.square() - deviation * output + least
        return losses if reduction == "none" else losses.mean()

    def decode(self, output, offset, scale):
        """Return positive numbers, as `RegressionLoss` says."""
        log = (output * _relative(offset, scale)).clip(-LARGEST_LOG, LARGEST_LOG)
        return offset * np.exp(log)

    def restore(self, target, offset, scale):
        """Return counts, as `RegressionLoss` says."""
        deviation, spread = target[..., 0], target[..., 1]
        return offset * (1 + deviation * spread)

    def output_units(self, offset, scale):
        """Return units of logarithms of predictions, as `RegressionLoss` says."""
        return _relative(offset, scale), np.log(offset)


LOSSES = Registry(
    "loss",
    squared_error=SquaredError,
    absolute_error=AbsoluteError,
    huber=Huber,
    quantile=Quantile,
    poisson=Poisson,
)


def make_loss(name, **given):
    """Make a loss and check that it reads all parameters that are set.

    Parameters
    ----------
    name : str or callable
        One of `LOSSES`, or a function of the user.

    **given : dict
        Parameters of losses; None if not set.

    Returns
    -------
    loss : RegressionLoss
        The loss.

    Raises
    ------
    ValueError
        If a parameter is set that the loss does not read, or a needed one is not set.
    """
    given = {key: value for key, value in given.items() if value is not None}
    if callable(name):
        if given:
            raise ValueError(
                f"{next(iter(given))} is not read by a loss of your own. Got {given} "
                f"with loss={name!r}; leave it out."
            )
        return OwnRegressionLoss(name)
    for key in set(given) - set(LOSSES.parameters(name)):
        readers = [repr(other) for other in LOSSES if key in LOSSES.parameters(other)]
        raise ValueError(
            f"{key} is only read by loss={' or '.join(readers)}. Got {key}="
            f"{given[key]!r} with loss={name!r}; set {key}=None or another loss."
        )
    for field in fields(LOSSES[name]):
        if field.default is MISSING and field.name not in given:
            raise ValueError(
                f"loss={name!r} needs a {field.name}, such as {field.name}=0.5. Got "
                "None."
            )
    return LOSSES.make(name, given)


def _relative(offset, scale):
    """Return coefficients of variation, clipped to 1."""
    return np.minimum(scale / offset, 1.0)
