"""Codes computed from correlations in one pass, written as sparse rows.

Each kernel writes the nonzeros of row i to the front of row i of `indices` and `codes`
and their number to `counts`.
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def hard_threshold(correlations, norms, levels, floor, counts, indices, codes):
    """Keep correlations larger than a level in magnitude.

    Parameters
    ----------
    correlations : array of shape (n_rows, n_atoms)
        Products of unit rows and atoms.

    norms : float64 array of shape (n_rows,)
        Norms of the rows.

    levels : float64 array of shape (n_atoms,)
        Of each atom, in the units of the data.

    floor : float
        Correlations no larger are rounding errors.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_atoms)
        Overwritten.
    """
    for i in range(norms.size):
        count = 0
        for j in range(correlations.shape[1]):
            value = correlations[i, j] * norms[i]
            if abs(value) > levels[j] and abs(correlations[i, j]) > floor:
                indices[i, count] = j
                codes[i, count] = value
                count += 1
        counts[i] = count


@kernel
def soft_threshold(
    correlations, norms, levels, floor, positive, counts, indices, codes
):
    """Shrink correlations towards zero by a level.

    Parameters
    ----------
    correlations : array of shape (n_rows, n_atoms)
        Products of unit rows and atoms.

    norms : float64 array of shape (n_rows,)
        Norms of the rows.

    levels : float64 array of shape (n_atoms,)
        Of each atom, in the units of the data.

    floor : float
        Correlations no larger are rounding errors.

    positive : bool
        Whether negative correlations become zero.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_atoms)
        Overwritten.
    """
    for i in range(norms.size):
        count = 0
        for j in range(correlations.shape[1]):
            value = correlations[i, j] * norms[i]
            excess = abs(value) - levels[j]
            if abs(correlations[i, j]) <= floor:
                excess = 0.0
            if excess > 0 and not (positive and value < 0):
                indices[i, count] = j
                codes[i, count] = excess if value > 0 else -excess
                count += 1
        counts[i] = count


@kernel
def top_k(correlations, norms, floor, counts, indices, codes):
    """Keep the correlations of largest magnitude, the first of equal ones.

    Parameters
    ----------
    correlations : array of shape (n_rows, n_atoms)
        Products of unit rows and atoms.

    norms : float64 array of shape (n_rows,)
        Norms of the rows.

    floor : float
        Correlations no larger are rounding errors, which are not kept.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_kept)
        Overwritten.
    """
    n_kept = codes.shape[1]
    heap = np.zeros(n_kept, codes.dtype)
    for i in range(norms.size):
        level, n_ties = _kth_largest(correlations[i], heap)
        count = 0
        for j in range(correlations.shape[1]):
            value = correlations[i, j]
            size = abs(value)
            tied = size == level and n_ties > 0
            if (size > level or tied) and size > floor and norms[i] > 0:
                n_ties -= tied
                indices[i, count] = j
                codes[i, count] = value * norms[i]
                count += 1
        counts[i] = count


@kernel
def _kth_largest(values, heap):
    """Return the k-th largest magnitude and how many equal to it are among the k."""
    heap[:] = -1
    for j in range(values.size):
        size = abs(values[j])
        if size > heap[0]:
            heap[0] = size
            _sift(heap)
    n_ties = 0
    for kept in heap:
        n_ties += kept == heap[0]
    return heap[0], n_ties


@kernel
def _sift(heap):
    """Let the first entry sink until each entry is no larger than its two children."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= heap.size:
            return
        if child + 1 < heap.size and heap[child + 1] < heap[child]:
            child += 1
        if heap[at] <= heap[child]:
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


@kernel
def triangle(correlations, norms, atom_norms, counts, indices, codes):
    """Compute how much closer each atom is than the mean distance to all atoms.

    Parameters
    ----------
    correlations : array of shape (n_rows, n_atoms)
        Products of unit rows and unit atoms; overwritten with distances.

    norms : float64 array of shape (n_rows,)
        Norms of the rows.

    atom_norms : float64 array of shape (n_atoms,)
        Norms of the atoms.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_atoms)
        Overwritten.

    References
    ----------
    A. Coates, H. Lee, A. Y. Ng (2011), An analysis of single-layer networks in
    unsupervised feature learning. AISTATS.
    """
    n_atoms = correlations.shape[1]
    for i in range(norms.size):
        mean = 0.0
        for j in range(n_atoms):
            product = correlations[i, j] * norms[i] * atom_norms[j]
            squared = norms[i] ** 2 - 2 * product + atom_norms[j] ** 2
            distance = np.sqrt(max(squared, 0.0))
            correlations[i, j] = distance
            mean += distance
        mean /= n_atoms
        count = 0
        for j in range(n_atoms):
            gain = mean - correlations[i, j]
            # Distances that differ only by rounding are equal.
            if gain > 1e-6 * mean:
                indices[i, count] = j
                codes[i, count] = gain
                count += 1
        counts[i] = count
