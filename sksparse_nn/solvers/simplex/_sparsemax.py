"""The Euclidean projection onto the simplex."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.kernels import simplex
from sksparse_nn.solvers.simplex._base import AbstractMapping


@dataclass
class Sparsemax(AbstractMapping):
    """Scores minus a threshold, where they exceed it."""

    projects: ClassVar[bool] = True

    def encode(self, block, offsets, sharpness, codes):
        simplex.sparsemax(
            block.products, block.norms, offsets, sharpness, *codes.entries
        )

    def jacobian(self, shares):
        # Entries are scores minus a threshold, which moves by the mean of the scores.
        return np.eye(len(shares)) - 1 / len(shares)

    def adjoint(self, codes, gradients):
        used = codes > 0
        gradients = np.where(used, gradients, 0)
        means = gradients.sum(axis=1) / np.maximum(used.sum(axis=1), 1)  # NaN uses none
        return np.where(used, gradients - means[:, None], 0)

    def joining_temperatures(self, depths):
        # The k-th largest score joins if k z_k > sum_{i<=k} z_i - t.
        ranks = np.arange(1, depths.shape[1] + 1)
        temperatures = ranks * depths - np.cumsum(depths, axis=1)
        return np.maximum.accumulate(np.maximum(temperatures, 0), axis=1)
