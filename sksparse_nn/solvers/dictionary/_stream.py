"""Rows that arrive in pieces of any size, learnt from as if they came at once."""

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import PickedRows
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers.dictionary._base import Progress


class Stream:
    """Progress over whole mini-batches, and the rows after the last one.

    Parameters
    ----------
    progress : Progress or None, default=None
        Of the mini-batches so far; None until the rows suffice for initial atoms.

    X : ndarray or CSR matrix of shape (n_rows, n_features) or None, default=None
        Rows that wait.

    weights : ndarray of shape (n_rows,) or None, default=None
        Their weights.
    """

    def __init__(self, progress=None, X=None, weights=None):
        self.progress = progress
        self.X = X
        self.weights = weights

    def extend(self, X, weights):
        """Append rows to those that wait."""
        if isinstance(X, PickedRows):
            X = X.copy()  # few, and kept
        if self.X is None:
            self.X, self.weights = X, weights
        else:
            self.X = _stack_below(self.X, X)
            self.weights = np.concatenate([self.weights, weights])

    def advance(self, learner, coder):
        """Learn from the rows that wait, for good where they fill mini-batches.

        Parameters
        ----------
        learner : StreamingLearner
            Gives the size of a mini-batch.

        coder : AbstractCoder
            Codes the rows.

        Returns
        -------
        progress : Progress
            As if the stream ended here.
        """
        n_rows, size = len(self.weights), learner.batch_size
        n_whole = n_rows - n_rows % size
        self._learn(learner, coder, self.progress, slice(0, n_whole))
        self.X, self.weights = self.X[n_whole:], self.weights[n_whole:]
        return self.preview(learner, coder, self.progress)

    def preview(self, learner, coder, progress):
        """Learn from the rows that wait on a copy, which is returned."""
        if not len(self.weights):
            return progress
        progress = Progress.restore(progress.state())
        self._learn(learner, coder, progress, slice(0, len(self.weights)))
        return progress

    def _learn(self, learner, coder, progress, which):
        X, weights = self.X[which], self.weights[which]
        for batch in block_slices(len(weights), learner.batch_size):
            learner.step(coder, progress, X[batch], weights[batch])


def _stack_below(X, more):
    """Stack rows, in the layout of the later and in the type of the earlier ones."""
    more = more.astype(X.dtype, copy=False)
    if sparse.issparse(more):
        return sparse.vstack([sparse.csr_matrix(X), more], format="csr")
    return np.vstack([X.toarray() if sparse.issparse(X) else X, more])
