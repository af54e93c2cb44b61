"""Rules of whole rows: of one value, and equal or nearly equal to another."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from sksparse_nn.solvers._rows import block_slices

# Dimensions in which near duplicates are looked for, and pairs whose distances are the
# typical one.
_N_DIRECTIONS, _N_PAIRS = 8, 1000

# Hashes that are looked up at a time.
_AT_A_TIME = 2**18


def find_constants(samples):
    """Find the rows that have one number in all columns.

    Parameters
    ----------
    samples : Samples
        Rows.

    Returns
    -------
    rows : ndarray of int
        Their indices; none where there are fewer than two columns, or text.

    values : ndarray
        Their numbers.
    """
    rows, values = [np.empty(0, np.int64)], [np.empty(0)]
    if samples.numbers.shape[1] < 2 or samples.texts:
        return rows[0], values[0]
    for start, block in samples.blocks():
        lowest, highest = _find_extremes(block)
        found = np.flatnonzero(lowest == highest)
        rows.append(found + start)
        values.append(lowest[found])
    return np.concatenate(rows), np.concatenate(values)


def _find_extremes(block):
    if not sparse.issparse(block):
        return block.min(axis=1), block.max(axis=1)
    # Methods of sparse arrays drop missing numbers or warn of them.
    filled = np.diff(block.indptr)
    lowest, highest = np.zeros(len(filled)), np.zeros(len(filled))
    starts = block.indptr[:-1][filled > 0]
    if len(starts):
        lowest[filled > 0] = np.minimum.reduceat(block.data, starts)
        highest[filled > 0] = np.maximum.reduceat(block.data, starts)
    is_partial = filled < block.shape[1]
    lowest[is_partial] = np.minimum(lowest[is_partial], 0)
    highest[is_partial] = np.maximum(highest[is_partial], 0)
    return lowest, highest


def find_duplicates(keys, kept, known, n_before):
    """Find the rows that are equal to an earlier one.

    Parameters
    ----------
    keys : ndarray of uint64 of shape (n_samples,)
        Hashes of the rows.

    kept : ndarray of int of shape (n_kept,)
        Indices of the rows that are asked for, and compared with.

    known : ScreeningState
        State before these rows.

    n_before : int
        Number of rows before them.

    Returns
    -------
    rows : ndarray of int
        Indices among these rows.

    firsts : ndarray of int
        The earlier row, counted over all.
    """
    keys = keys if len(kept) == len(keys) else keys[kept]
    later, firsts = _find_repeated(keys)
    earlier = known.find_first(keys)
    rows = np.union1d(later, np.flatnonzero(earlier >= 0))
    found = earlier[rows]
    is_new = found < 0
    order = np.argsort(later)
    places = np.searchsorted(later, rows[is_new], sorter=order)
    found[is_new] = n_before + kept[firsts[order][places]]
    return kept[rows], found


def _find_repeated(keys):
    """Return places of keys that were there before, and the first place of each."""
    places = _find_places(keys, _list_repeated(keys))
    order = places[np.argsort(keys[places], kind="stable")]
    in_order = keys[order]
    repeated = 1 + np.flatnonzero(in_order[1:] == in_order[:-1])
    starts = np.diff(repeated, prepend=-1) != 1  # the first repetition of each key
    heads = repeated[starts] - 1
    return order[repeated], order[heads[np.cumsum(starts) - 1]]


def _list_repeated(keys):
    """Return the keys that are there several times, in ascending order."""
    in_order = np.sort(keys)
    return np.unique(in_order[1:][in_order[1:] == in_order[:-1]])


def _find_places(keys, wanted):
    """Return the places of some keys, of which there are mostly few."""
    is_wanted = np.zeros(len(keys), bool)
    for which in block_slices(len(keys), _AT_A_TIME):
        start, stop = (
            np.searchsorted(wanted, keys[which], s) for s in ("left", "right")
        )
        is_wanted[which] = start < stop
    return np.flatnonzero(is_wanted)


def find_near_duplicates(numbers, spread, tol):
    """Find the rows that are nearly equal to an earlier one.

    Rows at a small distance have a small one also along a few orthogonal directions,
    where a tree finds them.

    Parameters
    ----------
    numbers : ndarray or CSR matrix of shape (n_samples, n_numbers)
        Rows without missing or infinite numbers.

    spread : ndarray of shape (n_numbers,)
        Unit of each column.

    tol : float
        Share of the typical distance of two rows up to which they are nearly equal.

    Returns
    -------
    rows : ndarray of int
        Indices of the later rows.

    firsts : ndarray of int
        The earlier row of each, the first one where there are several.

    shares : ndarray
        Distance of each as a share of the typical one.
    """
    scaled = _scale(numbers, spread)
    rng = np.random.default_rng(0)
    typical = _measure_typical_distance(scaled, rng)
    if not typical > 0:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    tree = cKDTree(_project(scaled, rng))
    pairs = tree.query_pairs(tol * typical * (1 + 1e-9), output_type="ndarray")
    firsts, rows = np.sort(pairs, axis=1).T
    shares = _measure_distances(scaled, firsts, rows) / typical
    is_near = shares <= tol
    firsts, rows, shares = firsts[is_near], rows[is_near], shares[is_near]
    order = np.lexsort((firsts, rows))
    rows, first_of_row = np.unique(rows[order], return_index=True)
    return rows, firsts[order][first_of_row], shares[order][first_of_row]


def _scale(numbers, spread):
    """Return rows in units of the spread of each column, or else of its range."""
    unit = np.where(spread > 0, spread, _ranges(numbers))
    unit = np.where(unit > 0, unit, 1)
    if sparse.issparse(numbers):
        return (numbers @ sparse.diags_array(1 / unit)).tocsr()
    return numbers / unit


def _ranges(numbers):
    highest, lowest = numbers.max(axis=0), numbers.min(axis=0)
    if sparse.issparse(numbers):
        highest, lowest = highest.toarray().ravel(), lowest.toarray().ravel()
    return highest - lowest


def _measure_typical_distance(scaled, rng):
    one, other = rng.integers(scaled.shape[0], size=(2, _N_PAIRS))
    distances = _measure_distances(scaled, one, other)[one != other]
    return np.median(distances) if len(distances) else 0.0


def _measure_distances(scaled, ones, others):
    distances = np.empty(len(ones))
    for start in range(0, len(ones), _N_PAIRS):
        part = slice(start, start + _N_PAIRS)
        apart = scaled[ones[part]] - scaled[others[part]]
        if sparse.issparse(apart):
            distances[part] = np.sqrt(apart.multiply(apart).sum(axis=1))
        else:
            distances[part] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return distances


def _project(scaled, rng):
    if scaled.shape[1] <= _N_DIRECTIONS and not sparse.issparse(scaled):
        return scaled
    n_directions = min(_N_DIRECTIONS, scaled.shape[1])
    drawn = rng.standard_normal((scaled.shape[1], n_directions))
    return np.asarray(scaled @ np.linalg.qr(drawn)[0])
