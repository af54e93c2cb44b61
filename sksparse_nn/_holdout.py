"""Held-out samples of early stopping: equal samples are never split.

Samples are ranked by a random hash of their values. So equal ones stay together, the
split depends neither on the order of samples, nor on dense or CSR, nor on the float
type, and integer weights act as repeated samples.
"""

import numpy as np

from sksparse_nn._picked_rows import is_sparse

# Numbers per block of the hash.
_BLOCK_SIZE = 2**18


def hold_out(X, weight, strata=None, *, fraction, random_state):
    """Split samples into training samples and held-out samples.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_samples, n_features)
        Samples to split.

    weight : ndarray of shape (n_samples,)
        Their weights.

    strata : ndarray of int of shape (n_samples,) or None, default=None
        Classes, whose proportions are the same in both parts as far as possible.

    fraction : float
        Share of the total weight to hold out.

    random_state : RandomState
        Draws the hash.

    Returns
    -------
    train, valid : ndarray of int
        Positions of the samples, in their own order; neither is empty.

    Raises
    ------
    ValueError
        If there are fewer than two different samples.
    """
    strata = np.zeros(len(weight), np.intp) if strata is None else strata
    keys = hash_rows(X, random_state)
    order = np.lexsort((keys, strata))
    starts = _find_starts(strata[order]) | _find_starts(keys[order])
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.cumsum(starts) - 1
    if starts.sum() < 2:
        raise ValueError(
            "early_stopping=True needs two different rows or more, one of them to hold "
            f"out. Got n_samples = {len(weight)}, of them {starts.sum()} different; "
            "set early_stopping=False."
        )
    weight = np.bincount(group, weight)
    first = order[starts]
    held = _choose_groups(weight, strata[first], keys[first], fraction)
    return np.flatnonzero(~held[group]), np.flatnonzero(held[group])


def _choose_groups(weight, strata, keys, fraction):
    """Rank groups by their position within their stratum; hold out the first."""
    total = np.bincount(strata, weight)
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
    middle = np.cumsum(weight) - weight / 2
    ranked = np.lexsort((keys, (middle - before[strata]) / total[strata]))
    taken = np.cumsum(weight[ranked]) - weight[ranked] / 2
    n_held = np.count_nonzero(taken <= fraction * weight.sum())
    held = np.zeros(len(weight), dtype=bool)
    held[ranked[: np.clip(n_held, 1, len(weight) - 1)]] = True
    return held


def _find_starts(values):
    """Return where values differ from the previous one."""
    return np.concatenate([[True], values[1:] != values[:-1]])


def hash_rows(X, random_state):
    """Hash the values of samples.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_samples, n_features)
        The samples.

    random_state : RandomState
        Draws an odd factor for each column.

    Returns
    -------
    keys : ndarray of uint64 of shape (n_samples,)
        Sums modulo 2**64 of bits times factors, mixed. Zeros add nothing, so dense and
        CSR agree.
    """
    factors = random_state.randint(0, 2**63, size=X.shape[1], dtype=np.uint64)
    factors = factors * np.uint64(2) + np.uint64(1)
    hash_block = _hash_csr if is_sparse(X) else _hash_dense
    size = max(1, _BLOCK_SIZE // X.shape[1])
    starts = range(0, X.shape[0], size)
    keys = [hash_block(X[start : start + size], factors) for start in starts]
    return _mix(np.concatenate(keys))


def _hash_dense(block, factors):
    return (_read_bits(block) * factors).sum(axis=1, dtype=np.uint64)


def _hash_csr(block, factors):
    terms = _read_bits(block.data) * factors[block.indices]
    sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
    return sums[block.indptr[1:]] - sums[block.indptr[:-1]]


def _read_bits(values):
    """Return the bits of floats as integers, equal for both zeros and all types."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(values, dtype=np.float32)
    return (values + np.float32(0)).view(np.uint32).astype(np.uint64)


def _mix(keys):
    """Mix the keys, so that their order does not depend on that of the values."""
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        keys = (keys ^ (keys >> np.uint64(31))) * np.uint64(factor)
    return keys ^ (keys >> np.uint64(31))
