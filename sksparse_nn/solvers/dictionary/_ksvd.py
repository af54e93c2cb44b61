"""K-SVD: one atom at a time, together with the coefficients it has."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import linalg, sparse

from sksparse_nn.solvers.coding import stack
from sksparse_nn.solvers.dictionary._base import AbstractLearner, code_rows


@dataclass
class KSVD(AbstractLearner):
    """Code all rows, then for each atom move it and refit its coefficients.

    The move is the approximate one: a single step of the power method, from the
    coefficients that are there.

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
        seen = code_rows(
            coder, progress, X, weights, n_jobs=self.n_jobs, keep_codes=True
        )
        shape = len(weights), len(dictionary)
        blocks, seen.codes = iter(seen.codes), None  # which stack frees one by one
        codes = sparse.csc_array(stack(blocks, shape, dictionary.dtype))
        for atom in range(len(dictionary)):
            self._move(dictionary, codes, seen.X, weights, atom)
        progress.replace_idle(seen, positive=self.positive_dict)

    def _move(self, dictionary, codes, X, weights, atom):
        entries = slice(*codes.indptr[atom : atom + 2])
        rows, own = codes.indices[entries], codes.data[entries]
        if len(rows) == 0:
            return
        parts = _Remainder(X[rows], codes[rows], dictionary, atom)
        if self.exact:
            direction = parts.main_direction(np.sqrt(weights[rows]))
        else:
            direction = parts.sum(weights[rows] * own)
        if self.positive_dict:
            direction = np.maximum(direction, 0)
        norm = np.linalg.norm(direction)
        if norm > 0:
            dictionary[atom] = direction / norm
            codes.data[entries] = parts.along(dictionary[atom])


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


class _Remainder:
    """What all other atoms leave of the rows that one atom serves, never formed.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        The rows.

    codes : sparse array of shape (n_rows, n_atoms)
        Their codes.

    dictionary : ndarray of shape (n_atoms, n_features)
        The atoms of the moment.

    atom : int
        The one left out.
    """

    def __init__(self, X, codes, dictionary, atom):
        others = sparse.csr_array(codes)
        others.data[others.indices == atom] = 0
        self._X, self._codes, self._dictionary = X, others, dictionary
        self._atom = dictionary[atom]

    def sum(self, factors):
        """Return the sum of the rows times some factors."""
        shares = self._codes.T @ factors
        used = np.flatnonzero(shares)
        return self._X.T @ factors - shares[used] @ self._dictionary[used]

    def along(self, direction):
        """Return the product of each row with a direction."""
        return self._X @ direction - self._codes @ (self._dictionary @ direction)

    def main_direction(self, factors):
        """Return the first right singular vector of the rows times some factors.

        Its sign is that of the atom left out.
        """
        rows = self._X.toarray() if sparse.issparse(self._X) else self._X
        rows = (rows - self._codes @ self._dictionary) * factors[:, None]
        wide = rows.shape[1] > rows.shape[0]
        gram = rows @ rows.T if wide else rows.T @ rows
        last = len(gram) - 1
        vector = linalg.eigh(gram, subset_by_index=[last, last])[1][:, 0]
        direction = rows.T @ vector if wide else vector
        return direction if direction @ self._atom >= 0 else -direction
