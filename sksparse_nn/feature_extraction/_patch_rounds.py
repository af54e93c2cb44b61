"""How a patch coder learns from chunks of images, wherever these are.

As many patches as `fit` draws are drawn from all chunks, and learnt from as by `fit`.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn._rounds import Round, Sum, Survey, allot, make_checker
from sksparse_nn.solvers.patches import Patches, draw_weighted_patches

_MAX_SEED = np.iinfo(np.int32).max


class PatchRounds:
    """The rounds of :class:`ImagePatchCoder`, whose parameters it reads."""

    def _fit_in_rounds(self):
        self._encoder(), self._learner()  # before any work
        known = yield Survey(self)
        vars(self).update(known.learnt)
        layout = self._read_layout(self.n_features_in_)
        checker, rng = make_checker(self, known), check_random_state(self.random_state)
        n_places = {place: n * layout.n_positions for place, n in known.rows.items()}
        wanted = allot(n_places, self.n_patches, rng)
        drawn = yield DrawPatches(checker, wanted, rng.randint(_MAX_SEED))
        learnt_from = self._learn_from_patches(
            drawn.patches, drawn.weights, layout, rng, report=self._report()
        )
        self._warn_of_first_patches(*learnt_from)


@dataclass(frozen=True)
class DrawnPatches(Sum):
    """Patches that were drawn from chunks of images, and their weights."""

    patches: Patches
    weights: np.ndarray

    def merge(self, other):
        both = [vars(drawn.patches).values() for drawn in (self, other)]
        patches = Patches(*(np.concatenate(pair) for pair in zip(*both, strict=True)))
        return DrawnPatches(patches, np.concatenate([self.weights, other.weights]))


@dataclass(frozen=True)
class DrawPatches(Round):
    """Draws patches, each as likely as any other.

    Attributes
    ----------
    checker : ImagePatchCoder
        Checks the images.

    wanted : dict of int to int
        Numbers of patches, by the place of the chunk.

    seed : int
        Together with that place, the seed of the draw.
    """

    checker: object
    wanted: dict
    seed: int

    def takes(self, number):
        return self.wanted.get(number, 0) > 0

    def read(self, X, y, sample_weight, number):
        X, weights = self.checker._check_samples(X, sample_weight, reset=False)
        layout = self.checker._read_layout(X.shape[1])
        rng = np.random.RandomState([self.seed, number])
        n_patches = self.wanted[number]
        return DrawnPatches(*draw_weighted_patches(X, weights, layout, n_patches, rng))
