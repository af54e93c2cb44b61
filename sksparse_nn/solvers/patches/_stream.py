"""What is known of the patches of images that come in chunks."""

from dataclasses import dataclass, replace

import numpy as np

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers.dictionary import Progress
from sksparse_nn.solvers.patches._carry import carry
from sksparse_nn.solvers.patches._moments import PatchMoments

_OF_MOMENTS = "moments_"
_OF_PROGRESS = "progress_"


@dataclass(frozen=True)
class PatchStream:
    """Moments of all patches, the state of the learner, and patches that wait.

    Attributes
    ----------
    learner : str
        Name of the learner.

    moments : PatchMoments
        Of all patches so far.

    progress : dict or None
        State of the learner after whole mini-batches; None if nothing is learnt.

    waiting : ndarray of shape (n_waiting, patch_width)
        Whitened patches that do not fill a mini-batch.

    weights : ndarray of shape (n_waiting,)
        Their weights.

    n_chunks : int, default=1
        Number of chunks so far.

    seed : int or None, default=None
        Seed of the draws from later chunks.
    """

    learner: str
    moments: PatchMoments
    progress: dict | None
    waiting: np.ndarray
    weights: np.ndarray
    n_chunks: int = 1
    seed: int | None = None

    @classmethod
    def begin(cls, learner, moments, progress):
        """Start behind the first chunk.

        Parameters
        ----------
        learner : str
            Name of the learner.

        moments : PatchMoments
            Of the patches of the first chunk.

        progress : Progress or None
            Of the learner.

        Returns
        -------
        stream : PatchStream
            Without patches that wait.
        """
        width = len(moments.mean)
        if progress is None:
            return cls(learner, moments, None, np.empty((0, width)), np.empty(0))
        nothing = np.empty((0, width), progress.dictionary.dtype), np.empty(0)
        return cls(learner, moments, progress.copy().arrays(), *nothing)

    @classmethod
    def from_arrays(cls, arrays):
        """Restore a stream from a result of `arrays`."""
        known, parts = {}, {_OF_MOMENTS: {}, _OF_PROGRESS: {}}
        for name, value in arrays.items():
            prefix = next((p for p in parts if name.startswith(p)), "")
            parts.get(prefix, known)[name.removeprefix(prefix)] = value
        moments = PatchMoments.from_arrays(parts[_OF_MOMENTS])
        return cls(moments=moments, progress=parts[_OF_PROGRESS] or None, **known)

    def arrays(self):
        """Return all that is known, as arrays, numbers and strings by name."""
        known = dict(vars(self))
        moments, progress = known.pop("moments").arrays(), known.pop("progress") or {}
        known |= {_OF_MOMENTS + name: value for name, value in moments.items()}
        return known | {_OF_PROGRESS + name: value for name, value in progress.items()}

    def with_seed(self, seed):
        """Return a copy with another seed."""
        return replace(self, seed=seed)

    def add(self, patches, weights, *, whitening, learner, coder, n_jobs=None):
        """Learn from the patches of a further chunk, where they fill mini-batches.

        Parameters
        ----------
        patches : Patches
            The patches, in the order in which they are learnt from.

        weights : ndarray of shape (n_patches,)
            Their weights.

        whitening : Whitening
            That of the first chunk.

        learner : StreamingLearner, KMeansAtoms or None
            Moves the atoms; None keeps them.

        coder : AbstractCoder
            Codes the patches.

        n_jobs : int or None, default=None
            Number of threads.

        Returns
        -------
        stream : PatchStream
            New.
        """
        moments = self.moments.add(patches, whitening, weights, n_jobs)
        chunk = replace(self, moments=moments, n_chunks=self.n_chunks + 1)
        if learner is None:
            return chunk
        progress = Progress.from_arrays(self.progress).copy()
        progress.start_epoch()
        X = np.vstack([self.waiting, whitening.apply(patches)])
        X = X.astype(progress.dictionary.dtype, copy=False)
        weights = np.concatenate([self.weights, weights])
        n_whole = len(X) - len(X) % learner.batch_size
        for batch in block_slices(n_whole, learner.batch_size):
            learner.step(coder, progress, X[batch], weights[batch])
        left = X[n_whole:].copy(), weights[n_whole:].copy()
        return replace(
            chunk, progress=progress.arrays(), waiting=left[0], weights=left[1]
        )

    def settle(self, learner, coder):
        """Return the progress as if the stream ended here.

        Parameters
        ----------
        learner, coder
            As in `add`.

        Returns
        -------
        progress : Progress
            A copy, with the patches that wait.
        """
        progress = Progress.from_arrays(self.progress).copy()
        if len(self.weights):
            X = self.waiting.astype(progress.dictionary.dtype, copy=False)
            learner.step(coder, progress, X, self.weights)
        return progress

    def merge(self, other, *, change, learner, coder):
        """Return what is known of the patches of both streams.

        Parameters
        ----------
        other : PatchStream
            Of the same learner, with as many atoms.

        change : Change or None
            From the whitening of the other to the own one; None if they are equal.

        learner, coder
            As in `add`.

        Returns
        -------
        stream : PatchStream
            New.
        """
        one, two = (stream.settle(learner, coder) for stream in (self, other))
        if change is not None:
            two = carry(two, change, unit=learner.in_epochs)
        joined = learner.join(one, two)
        both = PatchStream.begin(
            self.learner, self.moments.merge(other.moments), joined
        )
        return replace(both, n_chunks=self.n_chunks + other.n_chunks, seed=self.seed)
