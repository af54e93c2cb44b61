"""Products of the features of dense rows about their mean, by blocks of rows."""

from dataclasses import dataclass
from threading import local

import numpy as np
from scipy import sparse

# Largest energy of a column, in units of that about its mean, whose products are made
# of rows as they are: to shift them takes up to a third of the time.
_FAR = {"f": 2, "d": 8}  # by the type's character

# Rows that tell whether that is worth a try, and that are summed in their own type.
_FIRST = 256
_SUMMED = 128

# Numbers of narrow rows that are shifted by one run of the inner loop, and how many
# there have to be for that to pay.
_LOOP = 256
_LONG = 2**15


@dataclass(frozen=True)
class Part:
    """Statistics of a block of rows, about a shift that is nearly their mean.

    Attributes
    ----------
    weight : float
        Sum of the weights.

    shift : ndarray of shape (n_features,)
        What was taken off each row.

    sums : ndarray of shape (n_features,)
        Weighted sum of what is left of the rows.

    products : ndarray of shape (n_products,)
        Products of the features of what is left, see `Partition.blocks`.

    rounding : float
        Relative rounding of the products.
    """

    weight: float
    shift: np.ndarray
    sums: np.ndarray
    products: np.ndarray
    rounding: float


class DenseProducts:
    """Reads blocks of rows; each thread has one array for what it shifts.

    Parameters
    ----------
    rows : WeightedRows
        The data, dense or to be made so.

    dtype : dtype
        In which to multiply.
    """

    def __init__(self, rows, dtype):
        self._rows, self._dtype, self._own = rows, np.dtype(dtype), local()
        are_plain = rows.weight is None and rows.X.dtype == dtype
        self._are_near = are_plain and _are_near_zero(self._block(slice(0, _FIRST)))

    def read(self, where):
        """Return the statistics of a block.

        Parameters
        ----------
        where : slice
            The rows.

        Returns
        -------
        part : Part
            In float64 where squares leave the range of float32.
        """
        X, weight = self._block(where), self._rows.weight
        weight = None if weight is None else weight[where]
        part = self._plain(X) if self._are_near else None
        if part is None:
            part = self._shifted(X, weight, self._dtype)
        if part is None:
            part = self._shifted(X, weight, np.dtype(np.float64))
        return part

    def _block(self, where):
        X = self._rows.partition.arrange(self._rows.X[where])
        return np.ascontiguousarray(X.toarray() if sparse.issparse(X) else X)

    def _plain(self, X):
        """Return the products of a block as it is, None if its mean is far off zero."""
        with np.errstate(all="ignore"):
            sums, products = _summed(X), self._rows.partition.grams(X)
            squares = _squares(products, self._rows.partition).astype(np.float64)
            about_mean = squares - sums**2 / len(X)
            if not (squares <= _FAR[X.dtype.char] * about_mean).all():
                return None
            ratios = squares[squares > 0] / about_mean[squares > 0]
        if X.dtype == np.float32 and not _are_representable(
            products, X, self._rows.partition
        ):
            return None
        rounding = float(np.finfo(X.dtype).eps * ratios.max(initial=1.0))
        return Part(float(len(X)), np.zeros_like(sums), sums, products, rounding)

    def _shifted(self, X, weight, dtype):
        """Return the products of a block about its mean, None if they leave a type."""
        partition = self._rows.partition
        w = np.ones(len(X), dtype) if weight is None else weight.astype(dtype)
        total = float(len(X) if weight is None else weight.sum())
        Y = self._room(X.shape, dtype)
        with np.errstate(all="ignore"):
            if dtype != X.dtype:
                Y[...] = X
                X = Y
            shift = (w @ X) / dtype.type(total)
            _take_off(shift, X, out=Y)
            sums = w @ Y
            if weight is not None:
                Y *= np.sqrt(w)[:, None]
            products = partition.grams(Y)
        if dtype == np.float32 and not _are_representable(products, Y, partition):
            return None
        rounding = float(np.finfo(dtype).eps)
        return Part(total, shift.astype(float), sums.astype(float), products, rounding)

    def _room(self, shape, dtype):
        """Return an array to write to: new memory each time would take longer."""
        size = shape[0] * shape[1]
        room = getattr(self._own, dtype.char, None)
        if room is None or room.size < size:
            room = np.empty(size, dtype)
            setattr(self._own, dtype.char, room)
        return room[:size].reshape(shape)


def _take_off(shift, X, out):
    """Subtract a row from rows, of narrow ones several at a time."""
    n_together = _LOOP // X.shape[1] if X.size >= _LONG else 0
    n_even = len(X) // n_together * n_together if n_together else 0
    if n_even:
        shape = -1, n_together * X.shape[1]
        shifts = np.tile(shift, n_together)
        np.subtract(X[:n_even].reshape(shape), shifts, out=out[:n_even].reshape(shape))
    np.subtract(X[n_even:], shift, out=out[n_even:])


def _are_near_zero(X):
    with np.errstate(all="ignore"):
        squares, sums = np.einsum("ij,ij->j", X, X), np.ones(len(X), X.dtype) @ X
        about_mean = squares - sums**2 / len(X)
        return bool((squares <= _FAR[X.dtype.char] * about_mean).all())


def _summed(X):
    """Sum rows: a few in their own type, where long sums would lose digits."""
    n_even = len(X) - len(X) % _SUMMED
    parts = X[:n_even].reshape(-1, _SUMMED, X.shape[1])
    sums = (np.ones(_SUMMED, X.dtype) @ parts).sum(axis=0, dtype=np.float64)
    return sums + X[n_even:].sum(axis=0, dtype=np.float64)


def _are_representable(products, Y, partition):
    """Tell whether no square overflowed or lost digits to underflow."""
    squares, info = _squares(products, partition), np.finfo(products.dtype)
    is_small = squares < info.tiny / info.eps
    return np.isfinite(squares).all() and not Y[:, is_small].any()


def _squares(products, partition):
    """Return the products of features with themselves."""
    blocks = partition.blocks(products)
    return np.concatenate([np.diagonal(b, axis1=1, axis2=2).ravel() for b in blocks])
