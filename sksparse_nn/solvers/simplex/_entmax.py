"""Entmax with exponent 1.5, between softmax and sparsemax."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels import simplex
from sksparse_nn.solvers.simplex._base import AbstractMapping


@dataclass
class Entmax15(AbstractMapping):
    """Squares of half the scores minus a threshold, where they exceed it."""

    def encode(self, block, offsets, sharpness, codes):
        simplex.entmax15(
            block.products, block.norms, offsets, sharpness, *codes.entries
        )

    def jacobian(self, shares):
        # Entries move by their roots; the threshold moves so that the sum stays one.
        roots = np.sqrt(shares)
        return np.diag(roots) - np.outer(roots, roots) / roots.sum()

    def adjoint(self, codes, gradients):
        roots = np.sqrt(codes)
        means = (roots * gradients).sum(axis=1) / roots.sum(axis=1)
        return roots * (gradients - means[:, None])

    def joining_temperatures(self, depths):
        # The k-th entry joins where the others, with its own half score as threshold,
        # add up to one.
        ranks = np.arange(1, depths.shape[1] + 1)
        sums, squares = np.cumsum(depths, axis=1), np.cumsum(depths**2, axis=1)
        above = ranks * depths**2 - 2 * depths * sums + squares
        temperatures = np.sqrt(np.maximum(above, 0)) / 2
        return np.maximum.accumulate(temperatures, axis=1)
