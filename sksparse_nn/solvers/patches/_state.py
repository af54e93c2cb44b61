"""What is known of the patches of images: fits, chunks and merges."""

from dataclasses import dataclass, replace

from sksparse_nn.solvers._state import State, check_alike, prefix_names, split_prefixed
from sksparse_nn.solvers.coding import AbstractCoder
from sksparse_nn.solvers.dictionary import AbstractLearner, DictionaryState, Plan
from sksparse_nn.solvers.patches._carry import Change, carry
from sksparse_nn.solvers.patches._moments import PatchMoments
from sksparse_nn.solvers.patches._whitening import Whitening

_MOMENTS, _DICTIONARY = "moments_", "dictionary_"


@dataclass(frozen=True)
class PatchPlan:
    """How the patches of further images are learnt from.

    Parameters
    ----------
    whitening : Whitening
        That of the first images.

    learner : AbstractLearner or None
        Moves the atoms; None keeps them.

    coder : AbstractCoder
        Codes the patches.
    """

    whitening: Whitening
    learner: AbstractLearner | None
    coder: AbstractCoder

    @property
    def of_atoms(self):
        """The plan of the dictionary."""  # numpydoc ignore=RT01
        return Plan(self.learner, lambda n_atoms: self.coder)


@dataclass(frozen=True)
class PatchState(State):
    """Moments of all patches, and what is known of their dictionary.

    Attributes
    ----------
    learner : str
        Name of the learner.

    moments : PatchMoments
        Of all patches so far.

    dictionary : DictionaryState or None, default=None
        In the whitening of the plan; None if nothing is learnt.

    n_chunks : int, default=1
        Number of chunks so far.

    seed : int or None, default=None
        Seed of the draws from later chunks.

    plan : PatchPlan or None, default=None
        The context; None suffices for reading.
    """

    learner: str
    moments: PatchMoments
    dictionary: DictionaryState | None = None
    n_chunks: int = 1
    seed: int | None = None
    plan: PatchPlan | None = None

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
        state : PatchState
            Without patches that wait.
        """
        return cls(learner, moments, progress and DictionaryState(progress))

    @property
    def context(self):
        """The plan."""  # numpydoc ignore=RT01
        return self.plan

    @property
    def shape(self):
        """Learner, values per patch, shape of atoms."""  # numpydoc ignore=RT01
        atoms = self.dictionary and self.dictionary.shape
        return self.learner, *self.moments.shape, atoms

    def arrays(self):
        """Return all but the plan, in types that any persistence knows."""
        dictionary = {} if self.dictionary is None else self.dictionary.arrays()
        return {
            "learner": self.learner,
            "n_chunks": self.n_chunks,
            "seed": self.seed,
            **prefix_names(_MOMENTS, self.moments.arrays()),
            **prefix_names(_DICTIONARY, dictionary),
        }

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore a state with a plan from `arrays`."""
        moments, others = split_prefixed(_MOMENTS, arrays)
        dictionary, own = split_prefixed(_DICTIONARY, others)
        moments = PatchMoments.from_arrays(moments, context and context.whitening)
        if dictionary:
            of_atoms = context and context.of_atoms
            own["dictionary"] = DictionaryState.from_arrays(dictionary, of_atoms)
        return cls(moments=moments, plan=context, **own)

    def with_seed(self, seed):
        """Return a copy with another seed."""
        return replace(self, seed=seed)

    def add(self, patches, weights, n_jobs=None):
        """Learn from the patches of a further chunk, where they fill mini-batches.

        Parameters
        ----------
        patches : Patches
            The patches, in the order in which they are learnt from.

        weights : ndarray of shape (n_patches,)
            Their weights.

        n_jobs : int or None, default=None
            Number of threads.

        Returns
        -------
        state : PatchState
            New. The chunk is an epoch of the learner.
        """
        moments = self.moments.add(patches, weights, n_jobs)
        known, dictionary = self.dictionary, None
        if known is not None:
            if known.is_stream:
                known = known.start_epoch()
            else:
                known = known.begin_stream(self.seed)
            rows = self.plan.whitening.apply(patches)
            dtype = known.whole.dictionary.dtype
            dictionary = known.add(rows.astype(dtype, copy=False), weights)
        n_chunks = self.n_chunks + 1
        return replace(self, moments=moments, dictionary=dictionary, n_chunks=n_chunks)

    def merge(self, other):
        """Return what is known of the patches of both.

        Parameters
        ----------
        other : PatchState
            Of the same learner, with as many atoms.

        Returns
        -------
        state : PatchState
            In the whitening of this state. No stream runs in it.
        """
        check_alike(self, other)
        moments, dictionary = self.moments.merge(other.moments), None
        if self.dictionary is not None:
            dictionary = self.dictionary.merge(self._carry(other))
        n_chunks = self.n_chunks + other.n_chunks
        return replace(self, moments=moments, dictionary=dictionary, n_chunks=n_chunks)

    def _carry(self, other):
        """Return the dictionary of another state in the whitening of this one."""
        plan, known = self.plan, other.dictionary
        change = Change.between(other.plan.whitening, plan.whitening)
        if change is None:
            return known
        reached = carry(known.reached, change, unit=plan.learner.in_epochs)
        return replace(known, reached=reached)
