"""Samples mixed with others."""

from dataclasses import dataclass

import torch

from sksparse_nn.neural.augmentation._base import AbstractAugmentation, Mix


@dataclass
class Mixup(AbstractAugmentation):
    """Mix each sample with another of its mini-batch, and their losses likewise.

    Parameters
    ----------
    alpha : float, default=0.2
        The share of a sample is drawn from a beta distribution with both parameters
        equal to this, once per mini-batch. Small values mix little, most of the time.

    References
    ----------
    H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz (2018), mixup: Beyond empirical risk
    minimization. ICLR.
    """

    needs_images = False
    alpha: float = 0.2

    def check(self, image_shape):
        if not self.alpha > 0:
            raise ValueError(f"alpha must be a number above zero. Got {self!r}.")

    def apply(self, X, source):
        share = source.numpy_generator().beta(self.alpha, self.alpha)
        partner = torch.randperm(len(X), generator=source.generator)
        mixed = share * X + (1 - share) * X[partner.to(X.device)]
        return mixed, Mix(partner, share)
