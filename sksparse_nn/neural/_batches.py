"""Mini-batches by slicing arrays: no DataLoader and no copy of the whole data."""

from itertools import pairwise
from math import log2

import numpy as np
import torch
from scipy import sparse
from skorch.dataset import Dataset

from sksparse_nn._picked_rows import pick
from sksparse_nn._read_ahead import ReadAhead
from sksparse_nn._shuffled_rows import shuffle_rows
from sksparse_nn.modules._sparse_input import sparse_rows
from sksparse_nn.neural._weights import ones_like

_SMALLEST = 16
STREAMED = 256  # samples per batch if "auto" does not know how many will come


class TrainingSamples(Dataset):
    """Rows of a matrix with their targets and weights, as skorch's dataset.

    Parameters
    ----------
    matrix : ndarray or CSR matrix of shape (n_rows, n_features)
        Held as it is, whatever its order, float type or flags.

    y : ndarray of shape (n_samples, ...) or None, default=None
        Targets of the samples.

    weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the samples; None for ones.

    rows : ndarray of shape (n_samples,) or None, default=None
        Which rows of `matrix` are the samples; None for all, which takes no memory.

    sparse_dtype : dtype or None, default=None
        Float type of batches that are a `SparseBatch`. None for dense batches.

    row_weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the samples where no target counts; None for `weight`.

    Attributes
    ----------
    is_weighted : bool
        Whether some weight is not one.

    augment : Augmenter or None
        Changes each mini-batch of a training, if it is there.

    shuffle : RandomState or None
        Draws the order of each epoch. None keeps the order of the samples.
    """

    augment = None
    shuffle = None

    def __init__(
        self,
        matrix,
        y=None,
        weight=None,
        rows=None,
        *,
        sparse_dtype=None,
        row_weight=None,
    ):
        n_samples = matrix.shape[0] if rows is None else len(rows)
        self.matrix = matrix
        self.y = np.zeros(n_samples) if y is None else y
        self.weight = ones_like(n_samples) if weight is None else weight
        self.row_weight = self.weight if row_weight is None else row_weight
        self.is_weighted = bool((self.weight != 1).any())
        self.sparse_dtype = sparse_dtype
        self._rows, self._n_samples = rows, n_samples

    def __len__(self):
        return self._n_samples

    def __getitem__(self, index):
        rows = self.find_rows(np.array([index]))
        return dense_rows(self.matrix, rows)[0], self.y[index]

    def find_rows(self, chosen):
        """Find the rows of the matrix that samples are.

        Parameters
        ----------
        chosen : ndarray of int
            Positions among the samples.

        Returns
        -------
        rows : ndarray of int
            Their rows.
        """
        return chosen if self._rows is None else self._rows[chosen]

    @property
    def picked(self):
        """Return the rows of the samples, which are not copied.

        Returns
        -------
        X : ndarray, CSR matrix or PickedRows of shape (n_samples, n_features)
            In the order of the targets.
        """
        return self.matrix if self._rows is None else pick(self.matrix, self._rows)

    @property
    def shape(self):
        """Return the numbers of samples and features.

        Returns
        -------
        n_samples, n_features : int
            As for an array.
        """
        return len(self), self.matrix.shape[1]

    @property
    def X(self):  # noqa: N802
        """Return the rows of the samples, for skorch's callbacks.

        Returns
        -------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            In the order of the targets.
        """
        return self.matrix if self._rows is None else self.matrix[self._rows]

    def subset(self, chosen):
        """Return some of the samples without copying the matrix.

        Parameters
        ----------
        chosen : ndarray of int
            Positions among the samples.

        Returns
        -------
        samples : TrainingSamples
            The chosen ones, in that order.
        """
        parts = self.y[chosen], self.weight[chosen], self.find_rows(chosen)
        return TrainingSamples(
            self.matrix,
            *parts,
            sparse_dtype=self.sparse_dtype,
            row_weight=self.row_weight[chosen],
        )

    def replace(self, y, weight, row_weight):
        """Return the same rows with other targets and weights.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Targets.

        weight : ndarray of shape (n_samples, ...)
            Weights.

        row_weight : ndarray of shape (n_samples,)
            Weights where no target counts.

        Returns
        -------
        samples : TrainingSamples
            For dense batches.
        """
        return TrainingSamples(
            self.matrix, y, weight, self._rows, row_weight=row_weight
        )

    def spread(self, n_samples):
        """Choose samples whose targets count, from the first to the last.

        Parameters
        ----------
        n_samples : int
            At most so many.

        Returns
        -------
        chosen : ndarray of int
            Ascending positions among the samples.
        """
        counting = np.flatnonzero(self.weight.reshape(len(self), -1).any(axis=1))
        places = np.linspace(0, len(counting) - 1, n_samples).astype(int)
        return counting[np.unique(places)]

    def batch(self, chosen):
        """Return a mini-batch in the form that skorch takes.

        Parameters
        ----------
        chosen : ndarray of int
            Positions among the samples.

        Returns
        -------
        inputs : dict
            Samples ``"X"``, a tensor or `SparseBatch`, their ``"weight"``, None if all
            weights are one, and their ``"row_weight"``. They are copies, so that a
            module may work in place and data may be read-only.

        target : Tensor
            Their targets.
        """
        rows = self.find_rows(chosen)
        if self.sparse_dtype is None:
            X = torch.from_numpy(dense_rows(self.matrix, rows))
        else:
            X = sparse_rows(self.matrix[rows], self.sparse_dtype)
        weight = torch.from_numpy(self.weight[chosen]) if self.is_weighted else None
        inputs = {"X": X, "weight": weight, "row_weight": self.row_weight[chosen]}
        return inputs, torch.from_numpy(self.y[chosen])


def rows_per_batch(batch_size, n_rows):
    """Return the number of samples per mini-batch.

    Parameters
    ----------
    batch_size : int or "auto"
        A number of samples, -1 for all, or "auto" for about a 32nd of them: a power of
        two from 16 to 256. Fewer than 32 samples are then one batch.

    n_rows : int
        Number of training samples.

    Returns
    -------
    n_per_batch : int
        Samples per mini-batch.
    """
    if batch_size == -1:
        return n_rows
    if batch_size != "auto":
        return batch_size
    if n_rows < 2 * _SMALLEST:
        return n_rows
    return max(_SMALLEST, min(STREAMED, 2 ** round(log2(n_rows / 32))))


class BatchIterator:
    """Iterate over the mini-batches of samples.

    Parameters
    ----------
    samples : TrainingSamples
        What to iterate over.

    batch_size : int
        Samples per batch. A single batch takes them in their own order: shuffling would
        only change the rounding of the sum.

    last_batch : {"keep", "drop", "join"}, default="keep"
        What happens to a smaller last batch: it is kept, left out, or joined to the
        previous one. A single batch is always kept, and a single sample always joined,
        since layers that normalise a batch need more than one.

    shuffles : bool, default=True
        Whether to use the order that the samples draw, and their augmentation, if they
        have these.
    """

    def __init__(self, samples, batch_size, last_batch="keep", shuffles=True):
        self.samples = samples
        self.batch_size = batch_size
        self.last_batch = last_batch
        self.shuffles = shuffles

    def __iter__(self):
        order = self._order()
        augment = self.samples.augment if self.shuffles else None
        with ReadAhead(self.samples.picked) as ahead:
            for start, stop in pairwise(self._bounds()):
                ahead.announce(order[start:stop])
                inputs, target = self.samples.batch(order[start:stop])
                yield inputs if augment is None else augment(inputs), target

    def __len__(self):
        return len(self._bounds()) - 1

    def _bounds(self):
        n_samples, size = len(self.samples), self.batch_size
        bounds = [*range(0, n_samples, size), n_samples]
        n_left = n_samples % size
        if n_samples > size and n_left:
            if self.last_batch == "drop":
                bounds.pop()
            elif self.last_batch == "join" or n_left == 1:
                del bounds[-2]
        return bounds

    def _order(self):
        n_samples = len(self.samples)
        shuffles = self.shuffles and self.samples.shuffle is not None
        if not shuffles or n_samples <= self.batch_size:
            return np.arange(n_samples)
        return shuffle_rows(self.samples.matrix, n_samples, self.samples.shuffle)


def dense_rows(X, rows):
    """Copy some rows of a matrix into a dense array.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        The matrix.

    rows : ndarray of int of shape (n_chosen,)
        Which rows.

    Returns
    -------
    dense : ndarray of shape (n_chosen, n_features)
        A copy.
    """
    if sparse.issparse(X):
        return X[rows].toarray()
    # `take` is twice as fast in C order; in any other it copies all of X first.
    return X.take(rows, axis=0) if X.flags.c_contiguous else np.asarray(X[rows])
