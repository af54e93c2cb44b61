"""Online dictionary learning on mini-batches, with forgetting."""

from dataclasses import dataclass, field

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.dictionary._replacement import idle_atoms, replace_atoms
from sksparse_nn.solvers.dictionary._statistics import Statistics, usage
from sksparse_nn.solvers.dictionary._update import update_dictionary

_BLOCK_SIZE = 128  # rows that one thread codes at a time
_SERVED = 1e-8  # share of a squared row; an error below is rounding
_SAME = 1e-6  # relative difference of the errors of equal rows


@dataclass
class Progress:
    """A dictionary on its way.

    Parameters
    ----------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.

    statistics : Statistics
        Of the rows seen, earlier ones decayed.

    usage : ndarray of shape (n_atoms,)
        Weight of the rows that each atom served since `start_epoch`.

    objective : float
        Weighted sum of the rows' objectives since then: half the squared residual and
        what the code costs.

    n_replaced : int
        Atoms replaced since then.
    """

    dictionary: np.ndarray
    statistics: Statistics
    usage: np.ndarray = field(init=False)
    objective: float = field(init=False)
    n_replaced: int = field(init=False)

    def __post_init__(self):
        self.start_epoch()

    @classmethod
    def begin(cls, dictionary):
        """Start from a dictionary and no rows."""
        return cls(dictionary, Statistics.empty(*dictionary.shape))

    def start_epoch(self):
        """Set the counters to zero."""
        self.usage = np.zeros(len(self.dictionary))
        self.objective = 0.0
        self.n_replaced = 0


@dataclass
class OnlineLearner:
    """Stochastic approximation: code a mini-batch, then move the atoms once.

    Parameters
    ----------
    batch_size : int, default=512
        Rows a mini-batch.

    forgetting : float, default=0.9
        What a mini-batch leaves of the statistics of earlier ones, at most: an epoch of
        n batches leaves a share of 1 - 1/n a batch, as codes older than an epoch say
        little about the atoms of today.

    positive_dict : bool, default=False
        Whether atoms must not have entries below zero.

    n_jobs : int or None, default=None
        Threads that code.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro (2010), Online learning for matrix
    factorization and sparse coding. JMLR 11.
    """

    batch_size: int = 512
    forgetting: float = 0.9
    positive_dict: bool = False
    n_jobs: int | None = None

    def epoch(self, coder, progress, X, weights, rng=None):
        """Pass over all rows once.

        Parameters
        ----------
        coder : AbstractCoder
            Codes the mini-batches.

        progress : Progress
            Updated.

        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        weights : ndarray of shape (n_samples,)
            Weights of the rows.

        rng : RandomState instance or None, default=None
            Draws the mini-batches; None takes the rows as they come.
        """
        n_rows = X.shape[0]
        order = np.arange(n_rows) if rng is None else rng.permutation(n_rows)
        batches = block_slices(n_rows, self.batch_size)
        kept = self.forgetting
        if rng is not None:
            kept = min(kept, 1 - 1 / len(batches))
        progress.start_epoch()
        for which in batches:
            # In ascending order, so that a file is read forwards.
            rows = np.sort(order[which])
            self._step(coder, progress, X[rows], weights[rows], kept)

    def _step(self, coder, progress, X, weights, kept):
        atoms = coder.prepare(progress.dictionary, gram=True)

        def code(which):
            rows = read_rows(X, which)
            codes = coder.encode(atoms, rows)
            return which, rows, codes, rows.errors(codes, atoms)

        blocks = list(
            map_in_order(code, block_slices(len(weights), _BLOCK_SIZE), self.n_jobs)
        )
        statistics = progress.statistics
        statistics.forget(kept)
        for which, rows, codes, errors in blocks:
            statistics.add(rows, codes, weights[which])
            progress.usage += usage(codes, weights[which], len(progress.usage))
            objectives = 0.5 * errors + coder.penalty(codes)
            progress.objective += float(weights[which] @ objectives)
        with single_threaded_blas():
            self._replace(progress, atoms.gram, blocks)
            update_dictionary(
                progress.dictionary, statistics, positive=self.positive_dict
            )

    def _replace(self, progress, gram, blocks):
        statistics = progress.statistics
        idle = idle_atoms(gram, statistics.usage)
        if len(idle) == 0:
            return
        rows = _worst_rows(blocks, 2 * len(idle))
        replaced = replace_atoms(progress.dictionary, idle, rows)
        if self.positive_dict:
            progress.dictionary[replaced] = np.abs(progress.dictionary[replaced])
        statistics.reset(replaced, usage=1.0)
        progress.n_replaced += len(replaced)


def _worst_rows(blocks, n_wanted):
    """Return the unit rows of a mini-batch with the largest errors, largest first."""
    errors = np.concatenate([errors for *_, errors in blocks])
    norms = np.concatenate([rows.norms for _, rows, *_ in blocks])
    order = np.argsort(-errors, kind="stable")
    # Of rows that occur more than once, which are neighbours here, one is enough.
    again = np.diff(errors[order], prepend=np.inf) > -_SAME * errors[order]
    worst = order[~again & (errors[order] > _SERVED * norms[order] ** 2)][:n_wanted]
    picked = [None] * len(worst)
    for which, rows, *_ in blocks:
        here = np.flatnonzero((worst >= which.start) & (worst < which.stop))
        for place, row in zip(here, rows.pick(worst[here] - which.start), strict=True):
            picked[place] = row
    return picked
