"""The contract of augmentations: a mini-batch in, a changed one out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from sksparse_nn._registry import Algorithm


class Mix(NamedTuple):
    """How samples of a mini-batch are mixed with others of it."""

    partner: torch.Tensor  # (n_rows,), int64, positions in the mini-batch
    share: float  # of each sample itself; the rest is that of its partner


@dataclass(frozen=True)
class Source:
    """Random numbers, and what the values of training samples are like.

    Attributes
    ----------
    generator : torch.Generator
        On the CPU, so that the numbers are the same on every device.

    mean : Tensor of shape (n_channels, 1, 1) or (n_features,)
        Mean of each channel of images, or of each feature.

    deviation : float
        Root of the mean variance of all values about these means.
    """

    generator: torch.Generator
    mean: torch.Tensor
    deviation: float

    def uniform(self, *shape):
        """Draw numbers from 0 to 1.

        Parameters
        ----------
        *shape : int
            How many.

        Returns
        -------
        numbers : Tensor of that shape
            On the CPU.
        """
        return torch.rand(*shape, generator=self.generator)

    def integers(self, n_values, *shape):
        """Draw integers.

        Parameters
        ----------
        n_values : int
            From zero to below this.

        *shape : int
            How many.

        Returns
        -------
        integers : Tensor of int64 of that shape
            On the CPU.
        """
        return torch.randint(n_values, shape, generator=self.generator)

    def numpy_generator(self):
        """Start a generator for distributions that torch draws without a seed.

        Returns
        -------
        generator : numpy.random.Generator
            Seeded by the next number.
        """
        return np.random.default_rng(int(self.integers(2**31, 1)))


class AbstractAugmentation(Algorithm, ABC):
    """A random change of the samples of a mini-batch.

    A subclass is a dataclass of its parameters.

    Attributes
    ----------
    needs_images : bool, default=True
        Whether samples must be images. Otherwise rows are taken too.
    """

    needs_images = True

    def check(self, image_shape):
        """Check the parameters.

        Parameters
        ----------
        image_shape : tuple of int or None
            Channels, height and width; None for rows.

        Raises
        ------
        ValueError
            If one of them cannot be.
        """

    @abstractmethod
    def apply(self, X, source):
        """Change samples.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_channels, height, width) or (n_rows, n_features)
            Images, or rows of features. They do not change.

        source : Source
            Gives the random numbers.

        Returns
        -------
        X : Tensor of the same shape
            Changed samples.

        mix : Mix or None
            Set if samples are mixed, and their targets are to be mixed too.
        """
