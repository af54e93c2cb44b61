"""Left and right exchanged."""

from dataclasses import dataclass

import torch

from sksparse_nn.neural.augmentation._base import AbstractAugmentation


@dataclass
class Mirror(AbstractAugmentation):
    """Exchange left and right in half of the images, chosen at random."""

    def apply(self, X, source):
        chosen = (source.uniform(len(X)) < 0.5).to(X.device)
        return torch.where(chosen[:, None, None, None], X.flip(3), X), None
