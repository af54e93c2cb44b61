"""Merging two dictionaries that were learnt separately."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from sksparse_nn.solvers.dictionary._statistics import Statistics
from sksparse_nn.solvers.dictionary._update import update_dictionary

_N_SWEEPS = 10


def merge_dictionaries(
    dictionary, statistics, other, other_statistics, *, positive=False
):
    """Match the atoms of two dictionaries and fit them to the statistics of both.

    Parameters
    ----------
    dictionary, other : ndarray of shape (n_atoms, n_features)
        Unit atoms.

    statistics, other_statistics : Statistics
        Sums over the rows of each.

    positive : bool, default=False
        Whether atoms must not have entries below zero.

    Returns
    -------
    dictionary : ndarray of shape (n_atoms, n_features)
        In the order of the first one.

    statistics : Statistics
        The sums of both.

    order : ndarray of shape (n_atoms,)
        The atom of `other` matched to each atom of `dictionary`.
    """
    cosines = dictionary @ other.T
    order = linear_sum_assignment(-np.abs(cosines))[1]
    signs = np.where(cosines[np.arange(len(order)), order] < 0, -1.0, 1.0)
    both = Statistics(
        statistics.A
        + other_statistics.A[np.ix_(order, order)] * np.outer(signs, signs),
        statistics.B + other_statistics.B[order] * signs[:, None],
        statistics.usage + other_statistics.usage[order],
    )
    dictionary = dictionary.copy()
    for _ in range(_N_SWEEPS):
        update_dictionary(dictionary, both, positive=positive)
    return dictionary, both, order
