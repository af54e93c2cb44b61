"""What a screener knows of the rows so far, in bounded memory."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn._read_ahead import take_rows
from sksparse_nn.screening._hashes import hash_rows
from sksparse_nn.solvers._state import (
    State,
    check_alike,
    prefix_names,
    rows_from_arrays,
    rows_to_arrays,
    split_prefixed,
)

# Hashes of rows that are kept, the smallest ones, 8 MB. Duplicates are found among all
# rows up to this number of different ones, and beyond it among a fixed share of them.
MOST_KEYS = 2**20

# Rows whose hashes are sorted at a time.
_AT_A_TIME = 2**18

# Different rows that limits are learnt from, and their cells if they are dense.
MOST_ROWS, MOST_CELLS = 10_000, 2**24

# Different texts of a column, beyond which it is free text.
MOST_TEXTS = 1000


@dataclass(frozen=True)
class ScreeningState(State):
    """Hashes, a sample of different rows with their counts, texts and classes.

    The sample is that of the smallest hashes, so it depends neither on the order of
    rows nor on chunks, and a merge is exact.

    Attributes
    ----------
    kinds : str
        Letter of each feature, as in `Samples`.

    weight : int
        Number of rows.

    keys : ndarray of uint64 of shape (n_keys,)
        Smallest hashes, ascending.

    firsts : ndarray of int of shape (n_keys,)
        First row of each.

    counts : ndarray of int of shape (n_sampled,)
        Rows that have the first, smallest hashes.

    sample : ndarray or CSR matrix of shape (n_sampled, n_numbers)
        Their numbers.

    texts : dict of int to dict
        Rows per text, by the index of the feature; None for free text.

    classes : dict
        Rows per class.
    """

    kinds: str
    weight: int
    keys: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray
    sample: object
    texts: dict
    classes: dict

    @property
    def context(self):
        """The kinds of the features."""  # numpydoc ignore=RT01
        return self.kinds

    @property
    def shape(self):
        """The kinds of features, and width of the sample."""  # numpydoc ignore=RT01
        return self.kinds, self.sample.shape[1]

    @classmethod
    def empty(cls, kinds):
        """Return the state before the first row.

        Parameters
        ----------
        kinds : str
            Letter of each feature, as in `Samples`.

        Returns
        -------
        state : ScreeningState
            Of no rows.
        """
        sample = np.empty((0, kinds.count("n")), np.uint8)
        texts = {at: {} for at, kind in enumerate(kinds) if kind != "n"}
        empty = np.empty(0, np.int64)
        return cls(kinds, 0, empty.astype(np.uint64), empty, empty, sample, texts, {})

    def add(self, samples, classes=None, keys=None, n_jobs=None):
        """Return the state after further rows.

        Parameters
        ----------
        samples : Samples
            The rows.

        classes : dict, default=None
            Rows per class.

        keys : ndarray of uint64 of shape (n_samples,), default=None
            Their hashes; None to compute them.

        n_jobs : None
            Present by convention.

        Returns
        -------
        state : ScreeningState
            New.
        """
        keys = hash_rows(samples) if keys is None else keys
        distinct, firsts, counts = _find_smallest(keys)
        n_most = _most_rows(samples.numbers)
        return self.merge(
            ScreeningState(
                self.kinds,
                len(samples),
                distinct,
                firsts,
                counts[:n_most],
                take_rows(samples.numbers, firsts[:n_most]),
                {at: _count_texts(cells) for at, cells in samples.texts.items()},
                classes or {},
            )
        )

    def merge(self, other):
        """Return the state of the rows of both, those of the other behind.

        Parameters
        ----------
        other : ScreeningState
            Of the same features.

        Returns
        -------
        state : ScreeningState
            New.
        """
        check_alike(self, other)
        keys = np.concatenate([self.keys, other.keys])
        firsts = np.concatenate([self.firsts, other.firsts + self.weight])
        keys, at = np.unique(keys, return_index=True)
        keys, firsts = keys[:MOST_KEYS], firsts[at[:MOST_KEYS]]
        counts, sample = _merge_samples(self, other)
        texts = {
            at: _add_texts(known, other.texts[at]) for at, known in self.texts.items()
        }
        return ScreeningState(
            self.kinds,
            self.weight + other.weight,
            keys,
            firsts,
            counts,
            sample,
            texts,
            _add_counts(self.classes, other.classes),
        )

    def find_first(self, keys):
        """Find the rows that had these hashes first.

        Parameters
        ----------
        keys : ndarray of uint64 of shape (n,)
            Hashes.

        Returns
        -------
        firsts : ndarray of int of shape (n,)
            Rows; -1 where a hash is not known.
        """
        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.firsts[at], -1)

    def arrays(self):
        """Return all that was learnt.

        Returns
        -------
        arrays : dict
            Arrays and numbers by name.
        """
        arrays = {"weight": self.weight, "keys": self.keys, "firsts": self.firsts}
        arrays |= {"counts": self.counts} | prefix_names(
            "sample_", rows_to_arrays(self.sample)
        )
        for at, counted in self.texts.items():
            arrays |= prefix_names(f"text{at}_", _count_arrays(counted))
        return arrays | prefix_names("class_", _count_arrays(self.classes))

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore a state.

        Parameters
        ----------
        arrays : dict
            Result of `arrays`.

        context : str
            Kinds of the features.

        Returns
        -------
        state : ScreeningState
            Equal to the one that `arrays` was called on.
        """
        sample, rest = split_prefixed("sample_", arrays)
        names = [at for at, kind in enumerate(context) if kind != "n"]
        texts = {
            at: _counts_from(split_prefixed(f"text{at}_", rest)[0]) for at in names
        }
        return cls(
            context,
            int(rest["weight"]),
            rest["keys"],
            rest["firsts"],
            rest["counts"],
            rows_from_arrays(sample),
            texts,
            _counts_from(split_prefixed("class_", rest)[0]),
        )


def _find_smallest(keys):
    """Return the smallest different hashes, the first row of each, and its rows."""
    smallest, firsts, counts = np.empty(0, np.uint64), *np.empty((2, 0), np.int64)
    for start in range(0, len(keys), _AT_A_TIME):
        block = keys[start : start + _AT_A_TIME]
        may_count = np.arange(len(block))
        if len(smallest) == MOST_KEYS:
            may_count = np.flatnonzero(block <= smallest[-1])
        found = np.concatenate([smallest, block[may_count]])
        firsts = np.concatenate([firsts, start + may_count])
        counts = np.concatenate([counts, np.ones(len(may_count), np.int64)])
        smallest, at, inverse = np.unique(found, return_index=True, return_inverse=True)
        counts = np.bincount(inverse, counts, len(smallest)).astype(np.int64)
        smallest, counts = smallest[:MOST_KEYS], counts[:MOST_KEYS]
        firsts = firsts[at[:MOST_KEYS]]
    return smallest, firsts, counts


def _most_rows(numbers):
    if sparse.issparse(numbers):
        return MOST_ROWS
    return min(MOST_ROWS, max(500, MOST_CELLS // max(numbers.shape[1], 1)))


def _merge_samples(one, other):
    """Merge the rows of the smallest hashes, and add their counts."""
    pair = one, other
    keys = np.concatenate([state.keys[: len(state.counts)] for state in pair])
    counts = np.concatenate([state.counts for state in pair])
    distinct, at, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if not one.weight:
        sample = other.sample
    elif sparse.issparse(one.sample) or sparse.issparse(other.sample):
        sample = sparse.vstack([sparse.csr_array(s.sample) for s in pair], format="csr")
    else:
        sample = np.concatenate([one.sample, other.sample])
    n_most = _most_rows(sample)
    added = np.bincount(inverse, counts, len(distinct)).astype(np.int64)
    return added[:n_most], sample[at[:n_most]]


def _count_texts(cells):
    """Count the texts of a column; None if there are too many."""
    kept = [cell for cell in cells if cell is not None]
    texts, counts = np.unique(np.array(kept, dtype=str), return_counts=True)
    if len(texts) > MOST_TEXTS:
        return None
    return dict(zip(texts.tolist(), counts.tolist(), strict=True))


def _add_texts(one, other):
    both = None if one is None or other is None else _add_counts(one, other)
    return None if both is None or len(both) > MOST_TEXTS else both


def _add_counts(one, other):
    return one | {key: one.get(key, 0) + n for key, n in other.items()}


def _count_arrays(counted):
    if counted is None:
        return {"names": None, "counts": None}
    names, counts = list(counted), list(counted.values())
    return {"names": np.array(names), "counts": np.array(counts, dtype=np.int64)}


def _counts_from(arrays):
    if arrays["names"] is None:
        return None
    return dict(zip(arrays["names"].tolist(), arrays["counts"].tolist(), strict=True))
