"""Learning of the atoms of whitened patches."""

import numpy as np

from sksparse_nn._progress import silent
from sksparse_nn.solvers.dictionary import (
    LastEpoch,
    Progress,
    Samples,
    init_dictionary,
    normalise_atoms,
)


def learn_atoms(
    patches,
    weights,
    n_atoms,
    rng,
    *,
    start,
    init,
    learner,
    coder,
    max_epochs,
    report=silent,
    keeps=None,
):
    """Learn a dictionary of patches.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, patch_width)
        Whitened patches.

    weights : ndarray of shape (n_patches,)
        Their weights.

    n_atoms : int
        Number of atoms; those beyond the number of distinct patches are random
        directions.

    rng : RandomState instance
        Source of randomness.

    start : ndarray of shape (n_atoms, patch_width) or None
        Initial atoms; None for those of `init`.

    init : str
        A name in `INITS`, read if `start` is None.

    learner : AbstractLearner or None
        Learner of the atoms; None keeps the initial ones.

    coder : AbstractCoder
        Coder while the dictionary is learnt.

    max_epochs : int
        Maximum number of passes over the patches.

    report : ProgressLines, default=silent
        Prints a line per epoch; its task has the epochs as subtasks.

    keeps : callable or None, default=None
        Takes the number of finished epochs, and returns whether to keep them after an
        interrupt. None does not keep them.

    Returns
    -------
    atoms : ndarray of shape (n_atoms, patch_width)
        Atoms of unit norm, or centres of clusters of any norm.

    history : ndarray of shape (n_epochs,)
        Mean objective per epoch; empty if nothing is learnt in epochs.

    progress : Progress or None
        State of the learner, if there is one.
    """
    is_drawn = start is None
    if is_drawn:
        start = init_dictionary(patches, weights, n_atoms, rng, init=init)
    if is_drawn or learner is None or learner.in_epochs:
        start = normalise_atoms(start)
    if learner is None:
        return start, np.empty(0), None
    progress, samples = Progress.begin(start), Samples(patches, weights)
    if not learner.in_epochs:
        learner.epoch(coder, progress, samples, rng)
        return progress.dictionary, np.empty(0), progress
    last, history = LastEpoch(progress), []

    def epoch():
        nonlocal history
        last.begin()
        learner.epoch(coder, progress, samples, rng)
        history = [*history, progress.mean_objective]
        last.end(history)
        report(f"epoch {len(history)}: objective {history[-1]:.6g}")

    def fitted():
        return {"components_": progress.dictionary.copy()}

    try:
        report.task.run(epoch, max_epochs, fitted)
    except KeyboardInterrupt:
        if not (last.history and keeps and keeps(len(last.history))):
            raise
    progress, history = last.result()
    return progress.dictionary, np.array(history), progress
