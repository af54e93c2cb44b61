"""K-SVD: update one atom at a time, together with its coefficients."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.solvers.dictionary._base import AbstractLearner, code_rows
from sksparse_nn.solvers.dictionary._kept_codes import KeptCodes
from sksparse_nn.solvers.dictionary._served import Served


@dataclass
class KSVD(AbstractLearner):
    """Code all rows, then for each atom move it and refit its coefficients.

    The move is the approximate one: a single step of the power method, from the
    coefficients that are there. The coefficients of all rows move with the atoms, so
    all are kept; many are in a temporary file.

    Parameters
    ----------
    positive_dict : bool, default=False
        Whether atoms must not have entries below zero: what is below is cut off.

    n_jobs : int or None, default=None
        Threads that code.

    References
    ----------
    M. Aharon, M. Elad, A. Bruckstein (2006), K-SVD: an algorithm for designing
    overcomplete dictionaries for sparse representation. IEEE Transactions on Signal
    Processing 54(11).

    R. Rubinstein, M. Zibulevsky, M. Elad (2008), Efficient implementation of the K-SVD
    algorithm using batch orthogonal matching pursuit. Technion CS-2008-08.
    """

    positive_dict: bool = False
    n_jobs: int | None = None

    exact: ClassVar[bool] = False

    def epoch(self, coder, progress, samples, rng=None):
        X, weights, dictionary = samples.X, samples.weights, progress.dictionary
        progress.start_epoch()
        progress.statistics.forget(0)
        codes = KeptCodes(len(dictionary), dictionary.dtype)
        seen = code_rows(
            coder, progress, X, weights, n_jobs=self.n_jobs, keep=codes.append
        )
        codes.join()
        for atom, entries, rows in codes.find_entries():
            if len(entries):
                served = Served(seen.X, codes, rows, dictionary, atom)
                self._move(served, weights[rows], codes.values, entries)
        progress.replace_idle(seen, positive=self.positive_dict)

    def _move(self, served, weights, values, entries):
        if self.exact:
            direction = served.main_direction(np.sqrt(weights))
        else:
            direction = served.sum(weights * values[entries])
        if self.positive_dict:
            direction = np.maximum(direction, 0)
        norm = np.linalg.norm(direction)
        if norm > 0:
            served.atom[:] = direction / norm
            values[entries] = served.along(served.atom)


@dataclass
class ExactKSVD(KSVD):
    """Code all rows, then for each atom find the best rank-one term of what is left.

    Parameters
    ----------
    positive_dict : bool, default=False
        Whether atoms must not have entries below zero: what is below is cut off.

    n_jobs : int or None, default=None
        Threads that code.
    """

    exact: ClassVar[bool] = True
