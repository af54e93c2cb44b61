"""How a patch coder learns whitening and atoms: at once, in chunks, or by merging."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn._callbacks import no_task
from sksparse_nn._interrupts import keeps_interrupted
from sksparse_nn._validation import check_atoms, check_n_components
from sksparse_nn.solvers.patches import (
    ENCODERS,
    LEARNERS,
    PatchMoments,
    PatchPlan,
    PatchState,
    Whitening,
    draw_weighted_patches,
    fit_whitening,
    learn_atoms,
)

# Default of the parameter that only learners in epochs read.
_MAX_EPOCHS = 10


class PatchLearning:
    """The learning of :class:`ImagePatchCoder`, whose parameters it reads.

    Fitted attributes are those of the coder. Beside them, `_state` is all that is known
    of the patches, as arrays, numbers and strings by name.
    """

    def _learn(self, X, weights, keeps=None, task=no_task):
        """Learn from the first chunk, and return its patches, whitened and not."""
        layout = self._read_layout(X.shape[1])
        rng = check_random_state(self.random_state)
        self._encoder(), self._learner()  # before any work
        drawn, weights = draw_weighted_patches(X, weights, layout, self.n_patches, rng)
        report = self._report(task)
        return self._learn_from_patches(
            drawn, weights, layout, rng, report=report, keeps=keeps
        )

    def _learn_from_patches(self, drawn, weights, layout, rng, *, report, keeps=None):
        """Learn from patches that were drawn, and return them whitened and as given."""
        report(f"{len(drawn)} patches drawn")
        whitening = fit_whitening(
            drawn,
            kind=self.whiten,
            regularisation=self.whiten_reg,
            contrast=self.contrast_reg,
            weights=weights if (weights != 1).any() else None,
        )
        self._keep_ahead_of_atoms(layout, whitening)
        whitened = whitening.apply(drawn)
        atoms, objectives, progress = self._atoms(
            whitened, weights, rng, report=report, keeps=keeps
        )
        report(f"{len(atoms)} atoms")
        self.history_, self.n_iter_ = {"objective": objectives}, len(objectives)
        self.components_ = atoms
        moments = PatchMoments.empty(layout.patch_width, whitening)
        moments = moments.add(drawn, weights, self.n_jobs)
        state = PatchState.begin(self._learner_name(), moments, progress)
        self._state = state.arrays()
        return whitened, drawn

    def _keep_ahead_of_atoms(self, layout, whitening):
        self.whitening_ = whitening.matrix
        self.patch_mean_ = whitening.mean
        self.contrast_reg_ = whitening.contrast
        self.image_shape_ = layout.height, layout.width, layout.n_channels
        self._layout = layout

    def _atoms(self, patches, weights, rng, *, report, keeps):
        given = self._check_init(patches)
        check_n_components(self.n_components, patches.shape[1])
        if self.learner is None and given is not None:
            return given, np.empty(0), None
        return learn_atoms(
            patches,
            weights,
            self.n_components,
            rng,
            start=given,
            init=self.init,
            learner=self._learner(),
            coder=self._encoder().learning_coder(),
            max_epochs=self.max_epochs,
            report=report,
            keeps=keeps,
        )

    def _keeps(self, n_done):
        return keeps_interrupted(self, n_done, self.max_epochs)

    def _check_init(self, patches):
        if isinstance(self.init, str):
            return None
        return check_atoms(self.init, self.n_components, patches)

    def _learner(self):
        """Return the learner, checked against the other parameters, or None."""
        parameters, learner = self.get_params(deep=False), None
        if self.learner is not None:
            constraints = self._parameter_constraints
            learner = LEARNERS.resolve(self.learner, parameters, None, constraints)
        if learner is None or not learner.in_epochs:
            able = [name for name in LEARNERS if LEARNERS[name].in_epochs]
            given = self.learner, "max_epochs", self.max_epochs
            LEARNERS.refuse(*given, _MAX_EPOCHS, able)
        elif self._encoder().learning_coder().penalised and not learner.heeds_penalty:
            able = [name for name in LEARNERS if LEARNERS[name].heeds_penalty]
            raise ValueError(
                f"algorithm={self.algorithm!r} needs one of the learners {able} or "
                f"None. Got {self.learner!r}, whose least squares would undo the "
                "penalty."
            )
        return learner

    def _learner_name(self):
        return "None" if self.learner is None else LEARNERS.name_of(self.learner)

    def _whitening(self):
        return Whitening(self.contrast_reg_, self.patch_mean_, self.whitening_)

    def _continue(self, X, weights):
        """Learn from a chunk behind the first one."""
        state, report = self._resume(), self._report()
        drawn, weights = self._draw_shuffled(X, weights, state)
        report(f"{len(drawn)} patches drawn")
        state = state.add(drawn, weights, n_jobs=self.n_jobs)
        if state.dictionary is not None:
            self._take_over(state.dictionary.reached, state.plan.learner)
        self._state = state.arrays()

    def _draw_shuffled(self, X, weights, state):
        rng = np.random.RandomState([state.seed, state.n_chunks])
        layout, n_patches = self._layout, self.n_patches
        drawn, weights = draw_weighted_patches(X, weights, layout, n_patches, rng)
        order = rng.permutation(len(drawn))  # so that a mini-batch has many images
        return drawn[order], weights[order]

    def _take_over(self, progress, learner):
        self.components_ = progress.dictionary
        if learner.in_epochs:
            known = self.history_["objective"]
            self.history_ = {"objective": np.append(known, progress.mean_objective)}
            self.n_iter_ = len(known) + 1

    def _resume(self):
        """Return what is known of the patches so far, checked against parameters."""
        state, learner = self._known_state(), self._learner_name()
        if state.learner != learner:
            raise ValueError(
                f"partial_fit continues with the learner of the first chunk, "
                f"{state.learner}. Got learner={self.learner!r}; set it back, or call "
                "fit."
            )
        n_atoms = len(self.components_)
        if self.n_components != n_atoms:
            raise ValueError(
                f"partial_fit continues with the {n_atoms} atoms that are there. Got "
                f"n_components={self.n_components}; set it back, or call fit."
            )
        return state if state.seed is not None else state.with_seed(self._seed())

    def _known_state(self):
        """Return what is known of the patches so far."""
        if not hasattr(self, "_state"):
            raise ValueError(
                "partial_fit and merge need what was kept of all patches. Got a coder "
                "that was reduced to prediction; use the original, or call fit."
            )
        return PatchState.from_arrays(self._state, self._plan())

    def _plan(self):
        coder = self._encoder().learning_coder()
        return PatchPlan(self._whitening(), self._learner(), coder)

    def _seed(self):
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        rng = check_random_state(self.random_state)
        return int(rng.randint(np.iinfo(np.int32).max))

    def _join(self, other):
        both = self._resume().merge(other._known_state())
        self.components_ = both.dictionary.reached.dictionary
        self._state = both.arrays()

    def _check_same_kind(self, other):
        """Raise unless two fitted coders have the same kind of atoms."""
        algorithms = [ENCODERS.name_of(coder.algorithm) for coder in (self, other)]
        learners = [coder._known_state().learner for coder in (self, other)]
        shapes = [coder.components_.shape for coder in (self, other)]
        self._refuse_other("layout", self._layout, other._layout)
        self._refuse_other("algorithm", *algorithms)
        self._refuse_other("learner", *learners)
        self._refuse_other("shape of atoms", *shapes)
        if "None" in learners:
            raise ValueError(
                "merge needs two coders that have learnt atoms. Got learner=None; "
                "give both coders a learner."
            )

    def _refuse_other(self, what, own, its):
        if own != its:
            raise ValueError(
                f"merge needs two coders of the same {what}. Got {own} and {its}; fit "
                "both with the same parameters."
            )
