"""Augmentation of mini-batches while a network is trained."""

import numpy as np
import torch

from sksparse_nn.neural._images import channel_moments
from sksparse_nn.neural.augmentation import (
    AUGMENTATIONS,
    AbstractAugmentation,
    Source,
)


def read_augment(augment, image_shape):
    """Return the augmentations that a parameter asks for.

    Parameters
    ----------
    augment : str, AbstractAugmentation, sequence of these or None
        Names and objects.

    image_shape : tuple of int or None
        Channels, height and width of the samples; None if they are no images.

    Returns
    -------
    steps : list of AbstractAugmentation
        In order.

    Raises
    ------
    ValueError
        If a name is unknown, a parameter of an object cannot be, or samples must be
        images and are not.
    """
    if augment is None:
        return []
    items = augment if isinstance(augment, list | tuple) else [augment]
    steps = [_make(item) for item in items]
    for step in steps:
        if step.needs_images and image_shape is None:
            raise ValueError(
                f"augment={augment!r} needs images. Got rows for {step!r}; set "
                "image_shape, or give X of shape (n_samples, channels, height, width)."
            )
        step.check(image_shape)
    return steps


def _make(item):
    if isinstance(item, str):
        return AUGMENTATIONS.make(item, {})
    if not isinstance(item, AbstractAugmentation):
        raise ValueError(
            f"augment must hold names, of {sorted(AUGMENTATIONS)}, or objects such as "
            f"Noise(0.5). Got {item!r}."
        )
    return item


class Augmenter:
    """Augmentations of the mini-batches of one training.

    Parameters
    ----------
    steps : list of AbstractAugmentation
        In order.

    samples : TrainingSamples
        Training samples.

    image_shape : tuple of int or None
        Channels, height and width; None for rows.

    seed : int
        Seed of all random numbers.

    like : Tensor
        On the device and of the float type of the network.
    """

    def __init__(self, steps, samples, image_shape, *, seed, like):
        self.steps, self.like = steps, like
        self.shape = (samples.shape[1],) if image_shape is None else image_shape
        mean, variance = channel_moments(samples, (*self.shape, 1, 1)[:3])
        if image_shape is not None:
            mean = mean[:, None, None]
        self.source = Source(
            torch.Generator().manual_seed(seed),
            torch.from_numpy(mean).to(like),
            float(np.sqrt(variance.mean())),
        )

    def __call__(self, inputs):
        """Augment a mini-batch.

        Parameters
        ----------
        inputs : dict
            With dense samples ``"X"``.

        Returns
        -------
        inputs : dict
            With augmented ``"X"``, and ``"mixes"``, a list of `Mix`.
        """
        X = inputs["X"].to(self.like).reshape(-1, *self.shape)
        mixes = []
        for step in self.steps:
            X, mix = step.apply(X, self.source)
            mixes += [] if mix is None else [mix]
        return inputs | {"X": X.flatten(1), "mixes": mixes}


def mix_losses(compute, target, inputs, mixes=None):
    """Compute the loss of a mini-batch whose samples may be mixed.

    The loss of a mixed sample is mixed of the losses with the targets of its parts.

    Parameters
    ----------
    compute : callable
        Takes targets and weights, and returns a loss, or a list of a loss and its
        gradient.

    target : Tensor of shape (n_rows, ...)
        Targets of the samples before they were mixed.

    inputs : dict
        The mini-batch, with its ``"weight"``, which may be None, and ``"mixes"``.

    mixes : list of Mix or None, default=None
        The mixes that are left; None for all.

    Returns
    -------
    losses : Tensor or list of Tensor
        What `compute` returns, mixed.
    """
    mixes = inputs.get("mixes") if mixes is None else mixes
    if not mixes:
        return compute(target, inputs["weight"])
    ((partner, share), *others), weight = mixes, inputs["weight"]
    swapped = inputs | {"weight": None if weight is None else weight[partner]}
    own = mix_losses(compute, target, inputs, others)
    other = mix_losses(compute, target[partner], swapped, others)
    if isinstance(own, torch.Tensor):
        return share * own + (1 - share) * other
    return [share * a + (1 - share) * b for a, b in zip(own, other, strict=True)]
