"""The contract of dictionary learners: the state of a fit, and a pass over rows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from sksparse_nn._registry import Algorithm
from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.coding import (
    compress_codes,
    copy_if_missing,
    encode_rows,
    fill_missing,
)
from sksparse_nn.solvers.dictionary._merge import merge_dictionaries
from sksparse_nn.solvers.dictionary._replacement import (
    compute_grace,
    find_idle_atoms,
    replace_atoms,
)
from sksparse_nn.solvers.dictionary._statistics import (
    NoStatistics,
    Statistics,
    measure_usage,
)

_BLOCK_SIZE = 128  # rows that one thread codes at a time
_SERVED = 1e-8  # share of a squared row; an error below is rounding
_SAME = 1e-6  # relative difference of the errors of equal rows


@dataclass
class Progress:
    """State of a dictionary during learning.

    Parameters
    ----------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.

    statistics : Statistics
        Of the rows seen, earlier ones decayed.

    usage : ndarray of shape (n_atoms,)
        Weight of the rows that use each atom, since `start_epoch`.

    objective : float
        Weighted sum of the rows' objectives since then: half the squared residual and
        the penalty of the code.

    weight : float
        Weight of the rows since then.

    gap : float
        Largest relative duality gap of a code since then.

    n_replaced : int
        Atoms replaced since then.

    n_batches : int, default=0
        Number of mini-batches in the statistics.
    """

    dictionary: np.ndarray
    statistics: Statistics
    n_batches: int = 0
    usage: np.ndarray = field(init=False)
    objective: float = field(init=False)
    weight: float = field(init=False)
    gap: float = field(init=False)
    n_replaced: int = field(init=False)

    def __post_init__(self):
        self.start_epoch()

    @classmethod
    def begin(cls, dictionary):
        """Start from a dictionary, without rows."""
        return cls(dictionary, Statistics.empty(*dictionary.shape))

    @classmethod
    def from_arrays(cls, arrays):
        """Restore progress from a result of `arrays`, without copying."""
        known = dict(arrays)
        sums = Statistics(*(known.pop(name) for name in ("A", "B", "used")))
        progress = cls(known.pop("dictionary"), sums)
        vars(progress).update(known)
        return progress

    def arrays(self):
        """Return all fields as arrays and numbers by name, without copying."""
        known = dict(vars(self))
        sums = known.pop("statistics")
        return known | {"A": sums.A, "B": sums.B, "used": sums.usage}

    def copy(self):
        """Return a copy that can be learnt on."""
        copies = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in self.arrays().items()
        }
        return type(self).from_arrays(copies)

    def add_counts(self, one, other, order):
        """Set the counters to the sums of two others.

        Parameters
        ----------
        one, other : Progress
            The two; they do not change.

        order : ndarray of shape (n_atoms,)
            The atom of `other` for each atom.
        """
        self.usage = one.usage + other.usage[order]
        self.objective = one.objective + other.objective
        self.weight = one.weight + other.weight
        self.gap = max(one.gap, other.gap)
        self.n_replaced = one.n_replaced + other.n_replaced
        self.n_batches = one.n_batches + other.n_batches

    def start_epoch(self):
        """Set the counters to zero."""
        self.usage = np.zeros(len(self.dictionary))
        self.objective = 0.0
        self.weight = 0.0
        self.gap = 0.0
        self.n_replaced = 0

    @property
    def mean_objective(self):
        """Mean of the rows' objectives since the start of the epoch."""
        return self.objective / self.weight

    def replace_idle(self, seen, *, positive):
        """Replace unused atoms with the rows that have the largest errors."""
        idle = find_idle_atoms(seen.gram, self.statistics.usage)
        if len(idle) == 0:
            return
        worst = find_worst_served(seen.errors, seen.norms, 2 * len(idle))
        # One at a time: together they may take more than the dictionary.
        rows = (read_rows(seen.X, [i]).pick(slice(None))[0] for i in worst)
        replaced = replace_atoms(self.dictionary, idle, rows)
        if positive:
            self.dictionary[replaced] = np.abs(self.dictionary[replaced])
        self.statistics.reset(replaced, usage=compute_grace(self.statistics.usage))
        self.n_replaced += len(replaced)


def find_worst_served(errors, norms, n_wanted):
    """Find the rows with the largest errors, without duplicates.

    Parameters
    ----------
    errors : ndarray of shape (n_rows,)
        Squared norms of the residuals.

    norms : ndarray of shape (n_rows,)
        Norms of the rows.

    n_wanted : int
        Number of rows, at most.

    Returns
    -------
    worst : ndarray of int
        Their indices, those of the largest errors first.
    """
    order = np.argsort(-errors, kind="stable")
    again = np.diff(errors[order], prepend=np.inf) > -_SAME * errors[order]
    worst = order[~again & (errors[order] > _SERVED * norms[order] ** 2)]
    return worst[:n_wanted]


class AbstractLearner(Algorithm, ABC):
    """Algorithm that moves atoms so that codes lose less.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names.
    """

    heeds_penalty = False  # lowers the objective of penalised codes too
    streams = False  # can take rows as they come, each once: a StreamingLearner
    in_epochs = True  # passes over the rows again and again, with unit atoms
    adds_up = False  # needs no more of the rows than CodedSums: a SummingLearner
    positive_dict = False  # atoms have no entries below zero

    @abstractmethod
    def epoch(self, coder, progress, samples, rng=None):
        """Pass over all rows once.

        Parameters
        ----------
        coder : AbstractCoder
            Codes the rows.

        progress : Progress
            Updated.

        samples : Samples
            Rows; the learner may leave notes there for its next epoch.

        rng : RandomState instance or None, default=None
            Source of any draw; None takes the rows as they come.
        """

    def join(self, one, other):
        """Return what two learners of this kind have learnt from different rows.

        Parameters
        ----------
        one, other : Progress
            With as many atoms, which by default have unit norm. They do not change.

        Returns
        -------
        progress : Progress
            With the atoms in the order of the first, fitted to the sums of both.
        """
        dictionary, statistics, order = merge_dictionaries(
            one.dictionary,
            one.statistics,
            other.dictionary.astype(one.dictionary.dtype),
            other.statistics,
            positive=self.positive_dict,
        )
        both = Progress(dictionary, statistics)
        both.add_counts(one, other, order)
        return both


@dataclass
class Pass:
    """Results of coding rows with the current dictionary.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        The rows, with missing values filled in from their codes.

    errors : ndarray of shape (n_rows,)
        Squared norms of the residuals.

    norms : ndarray of shape (n_rows,)
        Norms of the rows.

    gram : ndarray of shape (n_atoms, n_atoms)
        Products of the atoms.
    """

    X: object
    errors: np.ndarray
    norms: np.ndarray
    gram: np.ndarray


def code_rows(coder, progress, X, weights, *, n_jobs=None, keep=None, start=None):
    """Code rows on threads and add the results to the statistics.

    Parameters
    ----------
    coder : AbstractCoder
        Codes the rows.

    progress : Progress
        Its statistics and counters are updated.

    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Rows.

    weights : ndarray of shape (n_rows,)
        Weights of the rows.

    n_jobs : int or None, default=None
        Number of threads.

    keep : callable or None, default=None
        Called with the codes of each block of rows, compressed, in order.

    start : list or None, default=None
        Earlier codes of the same rows, for the coder to start from.

    Returns
    -------
    seen : Pass
        Errors, norms and the Gram matrix of the atoms.
    """
    with single_threaded_blas():
        atoms = coder.prepare(progress.dictionary, gram=True)
    seen = Pass(
        copy_if_missing(X), np.empty(len(weights)), np.empty(len(weights)), atoms.gram
    )
    slices = _cut_evenly(len(weights))

    def code(number):
        which, known = slices[number], start and start[number]
        if seen.X is X:  # nothing is missing
            rows = read_rows(X, which)
            codes = coder.encode(atoms, rows, known)
        else:
            codes = encode_rows(coder, atoms, X[which], known)
            fill_missing(seen.X, which, codes, atoms)
            rows = read_rows(seen.X, which)
        seen.errors[which] = rows.errors(codes, atoms)
        seen.norms[which] = rows.norms
        return which, rows, codes

    for which, rows, codes in map_in_order(code, range(len(slices)), n_jobs):
        usage = measure_usage(codes, weights[which], len(progress.usage))
        progress.statistics.add(rows, codes, weights[which], usage)
        progress.usage += usage
        objectives = 0.5 * seen.errors[which] + coder.penalty(codes)
        progress.objective += float(weights[which] @ objectives)
        progress.weight += float(weights[which].sum())
        progress.gap = max(progress.gap, float(codes.gaps.max()))
        if keep is not None:
            keep(compress_codes(codes))
    return seen


def _cut_evenly(n_rows):
    """Cut rows into blocks of equal size, so that threads finish together."""
    n_blocks = -(-n_rows // _BLOCK_SIZE)
    return block_slices(n_rows, -(-n_rows // n_blocks))


def compute_mean_objective(coder, dictionary, X, weights, n_jobs=None):
    """Return the mean over rows of half the squared residual and the penalty.

    Parameters
    ----------
    coder : AbstractCoder
        Codes the rows.

    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.

    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Held-out rows.

    weights : ndarray of shape (n_rows,)
        Their weights.

    n_jobs : int or None, default=None
        Number of threads.

    Returns
    -------
    objective : float
        In the squared units of the data.
    """
    progress = Progress(dictionary, NoStatistics())
    code_rows(coder, progress, X, weights, n_jobs=n_jobs)
    return progress.mean_objective
