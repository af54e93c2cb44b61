"""Targets that are numbers, standardised for the network."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import gen_batches

from sksparse_nn.neural._nets import RegressorNet
from sksparse_nn.neural._targets._base import BLOCK_SIZE, Targets
from sksparse_nn.neural._targets._regression_loss import RegressionLoss
from sksparse_nn.neural._targets._spreads import is_rounding
from sksparse_nn.neural._unit import unit_of


@dataclass(frozen=True, eq=False)
class Numbers(Targets):
    """One number or several per sample, standardised for the network.

    Parameters
    ----------
    loss : RegressionLoss
        Defines the standardisation.

    n_outputs : int
        Number of targets per sample.

    is_flat : bool
        Whether predictions have shape (n_samples,).

    dtype : {"float32", "float64"}
        Type of predictions.

    offset : ndarray of shape (n_outputs,) or None, default=None
        Subtracted by the standardisation.

    scale : ndarray of shape (n_outputs,) or None, default=None
        Divisor after that; zero for a target that has not varied so far.

    unit : float, default=1.0
        A power of two that all numbers are divided by before anything else.
    """

    loss: RegressionLoss
    n_outputs: int
    is_flat: bool
    dtype: str
    offset: np.ndarray | None = None
    scale: np.ndarray | None = None
    unit: float = 1.0

    net_class = RegressorNet

    @classmethod
    def like(cls, y, loss):
        """Learn the shape and the type.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.

        loss : RegressionLoss
            The loss.

        Returns
        -------
        targets : Numbers
            For targets like these, without a scale.
        """
        dtype = "float32" if y.dtype == np.float32 else "float64"
        return cls(loss, 1 if y.ndim == 1 else y.shape[1], y.ndim == 1, dtype)

    def read(self, y):
        """Return numbers of shape (n_samples, n_outputs), as `Targets` says."""
        targets = y.reshape(len(y), -1)
        if targets.shape[1] != self.n_outputs:
            raise ValueError(
                f"y must have n_outputs={self.n_outputs} columns, as in the first "
                f"fit. Got {targets.shape[1]}; set warm_start=False to start anew."
            )
        targets = targets.astype(np.float64, copy=False)
        if targets.min() < self.loss.smallest:
            raise ValueError(
                f"{self._loss_name} needs y >= 0, such as "
                f"counts. Got a smallest value of {targets.min():.6g}; use another "
                "loss, such as loss='squared_error'."
            )
        return targets

    def decode(self, outputs):
        """Return numbers in their unit, as `Targets` says."""
        return self._to_given_unit(self.loss.decode, outputs, lost=np.isinf(outputs))

    def check_again(self, y):
        """Check nothing more: `read` has checked the number of outputs."""

    def encode(self, y, dtype):
        """Return standardised numbers, as `Targets` says."""
        blocks = (y[which] for which in gen_batches(len(y), BLOCK_SIZE))
        encoded = [
            self.loss.encode(block / self.unit, *self._standard).astype(dtype)
            for block in blocks
        ]
        return np.concatenate(encoded)

    def restore(self, y):
        """Return numbers in their unit, as `Targets` says."""
        return self._to_given_unit(self.loss.restore, y)

    def _to_given_unit(self, to_unit, numbers, lost=False):
        """Convert numbers to the unit and type of the targets, clipped to its range."""
        y = to_unit(numbers.astype(np.float64), *self._standard)
        most = float(np.finfo(self.dtype).max) / self.unit
        y = np.where(lost, y, y.clip(-most, most)) * self.unit
        y = y.astype(self.dtype)
        return y[:, 0] if self.is_flat else y

    @property
    def _standard(self):
        return self.offset / self.unit, self.scale / self.unit

    def output_units(self):
        """Return scale and offset, as `Targets` says."""
        return self.loss.output_units(self.offset, self.scale)

    def learn_scale(self, y, weight, new):
        """Learn offsets and scales, as `Targets` says."""
        if not new and (self.scale > 0).all():
            return self
        unit = unit_of(np.abs(y).max()) if new else self.unit
        offset, scale = (
            unit * part for part in self.loss.measure_scale(y / unit, weight)
        )
        if new and (offset <= self.loss.smallest).any():
            raise ValueError(
                f"{self._loss_name} needs a positive y among the rows to learn from. "
                f"Got zeros only, in the columns {np.flatnonzero(offset == 0)} of "
                f"{self.n_outputs}."
            )
        # With a scale of zero, the prediction is the offset.
        if not new:
            offset, scale = self._fill_in(offset, scale)
        return replace(self, offset=offset, scale=scale, unit=unit)

    @property
    def _loss_name(self):
        return f"loss={type(self.loss).__name__.lower()!r}"

    def _fill_in(self, offset, scale):
        """Use new offsets and scales for targets that have not varied so far."""
        former, known = self.offset, self.scale > 0
        # Targets of one value vary if it differs from the former value.
        moved = np.where(
            is_rounding(offset - former, former), 0.0, np.abs(offset - former)
        )
        varies = scale > 0
        new_offset = np.where(varies, offset, former)
        new_scale = np.where(varies, scale, moved)
        return (
            np.where(known, former, new_offset),
            np.where(known, self.scale, new_scale),
        )
