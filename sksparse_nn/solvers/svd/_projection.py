"""Project rows onto fitted components, and restore rows from coordinates."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.svd._blocks import map_blocks, row_blocks
from sksparse_nn.solvers.svd._partition import Partition


@dataclass(frozen=True)
class _Batch:
    """Neighbouring groups of one width and one number of components."""

    columns: slice
    outputs: slice
    components: np.ndarray  # (n_groups, n_components, width)

    @property
    def is_single(self):
        return len(self.components) == 1

    @cached_property
    def transposed(self):
        # Contiguous if it is small, which makes a product with few columns faster.
        V = self.components.transpose(0, 2, 1)
        return V if self.is_single else np.ascontiguousarray(V)

    @property
    def indices(self):
        # Output index of each value of the transposed components.
        n_groups, n_components, width = self.components.shape
        outputs = np.arange(self.outputs.start, self.outputs.stop)
        outputs = outputs.reshape(n_groups, 1, n_components)
        return np.broadcast_to(outputs, (n_groups, width, n_components))

    def project(self, X, out):
        V, X, out = self.transposed, X[:, self.columns], out[:, self.outputs]
        if self.is_single:
            np.matmul(X, V[0], out=out)
        else:
            np.matmul(_split(X, len(V)), V, out=_split(out, len(V)))

    def restore(self, Z, out):
        V = self.components
        Z, out = Z[:, self.outputs], out[:, self.columns]
        if self.is_single:
            np.matmul(Z, V[0], out=out)
        else:
            np.matmul(_split(Z, len(V)), V, out=_split(out, len(V)))


def _split(Y, n_groups):
    return Y.reshape(len(Y), n_groups, -1).transpose(1, 0, 2)


def _project(batches, X, out):
    for batch in batches:
        batch.project(X, out)


class Projector:
    """A truncated SVD ready to be applied, group by group.

    Parameters
    ----------
    components : ndarray of shape (n_components, n_features)
        Zero outside their group.

    component_groups : ndarray of shape (n_components,)
        Group of each component, in order.

    labels : ndarray of shape (n_features,)
        Group of each feature.

    mean : ndarray of shape (n_features,)
        Subtracted from each row.

    scale : ndarray of shape (n_components,) or None
        Divisor of the coordinates, ignored where it is zero.
    """

    def __init__(self, components, component_groups, labels, *, mean, scale):
        self.components, self._component_groups = components, component_groups
        self._labels, self._mean = labels, mean
        self._ready = {}
        self.scale = scale

    # Computed when first needed: `fit` alone does not use them.

    @cached_property
    def partition(self):
        """Partition of the features."""  # numpydoc ignore=RT01
        return Partition(self._labels)

    @cached_property
    def counts(self):
        """Number of components per group."""  # numpydoc ignore=RT01
        n_groups = len(self.partition.widths)
        return np.bincount(self._component_groups, minlength=n_groups)

    @cached_property
    def mean(self):
        """Mean of the rows; None for zeros."""  # numpydoc ignore=RT01
        return self._mean if self._mean.any() else None

    def project(self, X, n_jobs=None):
        """Return the coordinates of rows.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Samples.

        n_jobs : int or None, default=None
            Threads; None for as many as BLAS takes.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            In the type of `X`.
        """
        Z = np.empty((X.shape[0], len(self.components)), X.dtype)
        project = self._make_projection(X.dtype, is_sparse=sparse.issparse(X))

        def work(where):
            project(X[where], Z[where])
            if self.scale is not None:
                Z[where] *= invert_scale(self.scale).astype(X.dtype)

        self._run(work, len(Z), n_jobs)
        return Z

    def _make_projection(self, dtype, *, is_sparse):
        """Return the projection for a type of rows, with compact components."""
        make = self._project_sparse if is_sparse else self._project_dense
        if (dtype, is_sparse) not in self._ready:
            self._ready[dtype, is_sparse] = make(dtype)
        return self._ready[dtype, is_sparse]

    def restore(self, Z, n_jobs=None):
        """Return the rows that have given coordinates.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_components)
            Coordinates.

        n_jobs : int or None, default=None
            Threads; None for as many as BLAS takes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            In the type of `Z`.
        """
        X = np.empty((len(Z), self.partition.n_features), Z.dtype)
        batches = self.make_batches(Z.dtype)

        def work(where):
            X[where] = self.partition.restore(self._restore(Z[where], batches))

        self._run(work, len(Z), n_jobs)
        return X

    def _run(self, work, n_rows, n_jobs):
        blocks = row_blocks(n_rows, self.partition)
        for _ in map_blocks(work, blocks, n_jobs, width=self.partition.widest):
            pass

    def _restore(self, Z, batches):
        if self.scale is not None:
            Z = Z * self.scale.astype(Z.dtype)
        Z = np.ascontiguousarray(Z)
        X = np.zeros((len(Z), self.partition.n_features), Z.dtype)
        for batch in batches:
            batch.restore(Z, X)
        if self.mean is not None:
            X += self._arranged_mean.astype(Z.dtype)
        return X

    def _project_dense(self, dtype):
        batches = self.make_batches(dtype)
        mean, rest = self.split_mean(dtype)

        def project(X, out):
            X = np.ascontiguousarray(self.partition.arrange(X))
            _project(batches, X if mean is None else X - mean, out)
            if rest is not None:
                out -= rest

        return project

    def split_mean(self, dtype):
        """Split the mean into its value in a type and the coordinates of the rest.

        Both are None without a mean; the order is that of `make_batches`.
        """
        if self.mean is None:
            return None, None
        mean = self._arranged_mean.astype(dtype)
        rest = np.empty((1, len(self.components)), dtype)
        left = (self._arranged_mean - mean).astype(dtype)
        _project(self.make_batches(dtype), left[None], rest)
        return mean, rest

    def _project_sparse(self, dtype):
        V = self._transpose_components(dtype)
        offset = None
        if self.mean is not None:
            offset = (self._transpose_components(np.float64).T @ self.mean).astype(
                dtype
            )

        def project(X, out):
            product = X @ V
            out[:] = product.toarray() if sparse.issparse(product) else product
            if offset is not None:
                out -= offset

        return project

    def _transpose_components(self, dtype):
        """Return the components as columns: in CSR form unless they are one block."""
        if len(self.counts) == 1:
            return np.ascontiguousarray(self.components.T, dtype)
        batches, lengths = (
            self.make_batches(dtype),
            np.repeat(self.counts, self.partition.widths),
        )
        data = [b.components.transpose(0, 2, 1).ravel() for b in batches]
        indices = [b.indices.ravel() for b in batches]
        V = sparse.csr_array(
            (
                np.concatenate(data),
                np.concatenate(indices),
                np.concatenate([[0], np.cumsum(lengths)]),
            ),
            shape=(len(lengths), len(self.components)),
        )
        order = self.partition.order
        return V if order is None else V[np.argsort(order)]

    @cached_property
    def _arranged_mean(self):
        return self.partition.arrange(self.mean[None])[0]

    def make_batches(self, dtype):
        """Return the components of a type, by neighbouring groups of one shape."""
        arranged = self.partition.arrange(self.components)
        shapes = list(zip(self.partition.widths, self.counts, strict=True))
        batches, start, first = [], 0, 0
        for (width, count), groups in groupby(shapes):
            n_groups = len(list(groups))
            columns = slice(start, start + n_groups * width)
            outputs = slice(first, first + n_groups * count)
            if count:
                square = arranged[outputs, columns]
                blocks = _take_diagonal_blocks(square, n_groups).astype(dtype)
                batches.append(_Batch(columns, outputs, blocks))
            start, first = columns.stop, outputs.stop
        return batches


def _take_diagonal_blocks(V, n_groups):
    """Return the blocks of a matrix that is zero outside them."""
    shape = n_groups, len(V) // n_groups, n_groups, V.shape[1] // n_groups
    each = np.arange(n_groups)
    return np.ascontiguousarray(V.reshape(shape)[each, :, each])


def invert_scale(scale):
    """Return the inverses of divisors, zero where a divisor is zero."""
    return np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
