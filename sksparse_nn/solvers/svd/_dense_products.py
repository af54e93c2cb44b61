"""Products of the features of dense rows about their mean, a block of rows at a time."""

from dataclasses import dataclass
from threading import local

import numpy as np
from scipy import sparse

# Numbers of narrow rows that are shifted by one run of the inner loop.
_LOOP = 256


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
        X, weight, partition = self._rows.X[where], self._rows.weight, self._rows.partition
        X = partition.arrange(X)
        X = np.ascontiguousarray(X.toarray() if sparse.issparse(X) else X)
        weight = None if weight is None else weight[where]
        part = self._shifted(X, weight, self._dtype)
        if part is None:
            part = self._shifted(X, weight, np.dtype(np.float64))
        return part

    def _shifted(self, X, weight, dtype):
        """Return the products of a block about its mean, None if they leave a type."""
        partition = self._rows.partition
        w = np.ones(len(X)) if weight is None else weight
        total, w = float(w.sum()), w.astype(dtype)
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
        """Return an array to write to: new memory each time would cost more than sums."""
        size = shape[0] * shape[1]
        room = getattr(self._own, dtype.name, None)
        if room is None or room.size < size:
            room = np.empty(size, dtype)
            setattr(self._own, dtype.name, room)
        return room[:size].reshape(shape)


def _take_off(shift, X, out):
    """Subtract a row from rows, of narrow ones several at a time."""
    n_together = max(1, _LOOP // X.shape[1])
    n_even = len(X) - len(X) % n_together
    shape = -1, n_together * X.shape[1]
    shifts = np.tile(shift, n_together)
    np.subtract(X[:n_even].reshape(shape), shifts, out=out[:n_even].reshape(shape))
    np.subtract(X[n_even:], shift, out=out[n_even:])


def _are_representable(products, Y, partition):
    """Tell whether no square overflowed or lost digits to underflow."""
    blocks = partition.blocks(products)
    squares = [np.diagonal(b, axis1=1, axis2=2).ravel() for b in blocks]
    squares = np.concatenate(squares)
    info = np.finfo(products.dtype)
    is_small = squares < info.tiny / info.eps
    return np.isfinite(squares).all() and not Y[:, is_small].any()
