"""What dictionary learners share: a dictionary on its way, and a pass over rows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.coding import compressed, stack
from sksparse_nn.solvers.dictionary._replacement import (
    grace,
    idle_atoms,
    replace_atoms,
)
from sksparse_nn.solvers.dictionary._statistics import Statistics, usage

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

    def replace_idle(self, X, errors, norms, gram, *, positive):
        """Let atoms that serve nobody give way to the worst served rows."""
        idle = idle_atoms(gram, self.statistics.usage)
        if len(idle) == 0:
            return
        worst = _worst_served(errors, norms, 2 * len(idle))
        rows = read_rows(X, worst).pick(slice(None))
        replaced = replace_atoms(self.dictionary, idle, rows)
        if positive:
            self.dictionary[replaced] = np.abs(self.dictionary[replaced])
        self.statistics.reset(replaced, usage=grace(self.statistics.usage))
        self.n_replaced += len(replaced)


def _worst_served(errors, norms, n_wanted):
    """Return the rows with the largest errors, one of each that are equal."""
    order = np.argsort(-errors, kind="stable")
    again = np.diff(errors[order], prepend=np.inf) > -_SAME * errors[order]
    worst = order[~again & (errors[order] > _SERVED * norms[order] ** 2)]
    return worst[:n_wanted]


class AbstractLearner(ABC):
    """Algorithm that moves atoms so that codes lose less.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names.
    """

    heeds_penalty = False  # lowers the objective of penalised codes too

    @abstractmethod
    def epoch(self, coder, progress, X, weights, rng=None):
        """Pass over all rows once.

        Parameters
        ----------
        coder : AbstractCoder
            Codes the rows.

        progress : Progress
            Updated.

        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        weights : ndarray of shape (n_samples,)
            Weights of the rows.

        rng : RandomState instance or None, default=None
            Source of any draw; None takes the rows as they come.
        """


@dataclass
class Pass:
    """What coding some rows with the dictionary of the moment has shown.

    Parameters
    ----------
    errors : ndarray of shape (n_rows,)
        Squared norms of the residuals.

    norms : ndarray of shape (n_rows,)
        Norms of the rows.

    gram : ndarray of shape (n_atoms, n_atoms)
        Products of the atoms.

    codes : CSR matrix of shape (n_rows, n_atoms) or None
        The codes, where they were asked for.
    """

    errors: np.ndarray
    norms: np.ndarray
    gram: np.ndarray
    codes: object = None


def code_rows(coder, progress, X, weights, *, n_jobs=None, keep_codes=False):
    """Code rows on threads and add what they show to the statistics.

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

    keep_codes : bool, default=False
        Whether the codes are wanted.

    Returns
    -------
    seen : Pass
        Errors, norms and the Gram matrix of the atoms.
    """
    with single_threaded_blas():
        atoms = coder.prepare(progress.dictionary, gram=True)
    seen = Pass(np.empty(len(weights)), np.empty(len(weights)), atoms.gram)

    def code(which):
        rows = read_rows(X, which)
        codes = coder.encode(atoms, rows)
        seen.errors[which] = rows.errors(codes, atoms)
        seen.norms[which] = rows.norms
        return which, rows, codes

    kept = []
    for which, rows, codes in map_in_order(
        code, block_slices(len(weights), _BLOCK_SIZE), n_jobs
    ):
        progress.statistics.add(rows, codes, weights[which])
        progress.usage += usage(codes, weights[which], len(progress.usage))
        objectives = 0.5 * seen.errors[which] + coder.penalty(codes)
        progress.objective += float(weights[which] @ objectives)
        if keep_codes:
            kept.append(compressed(codes))
    if keep_codes:
        shape = len(weights), len(progress.dictionary)
        seen.codes = stack(kept, shape, progress.dictionary.dtype)
    return seen
