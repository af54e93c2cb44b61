"""Targets of any number of labels per sample."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn.neural._nets import MultilabelNet
from sksparse_nn.neural._targets._base import Targets
from sksparse_nn.neural._weights import class_factors

_CONTAINERS = {"csr_array": sparse.csr_array, "csr_matrix": sparse.csr_matrix}


@dataclass(frozen=True, eq=False)
class Indicators(Targets):
    """Zeros and ones with one column per label, stored as booleans.

    Parameters
    ----------
    n_outputs : int
        Number of labels.

    container : {"csr_array", "csr_matrix"} or None, default=None
        Container of predictions; None for a dense array.
    """

    n_outputs: int
    container: str | None = None

    net_class = MultilabelNet

    @classmethod
    def like(cls, y):
        """Learn the number of labels and the container.

        Parameters
        ----------
        y : {ndarray, sparse matrix} of shape (n_samples, n_labels)
            An indicator.

        Returns
        -------
        targets : Indicators
            For targets like these.
        """
        container = None
        if sparse.issparse(y):
            container = "csr_matrix" if sparse.isspmatrix(y) else "csr_array"
        return cls(y.shape[1], container)

    @property
    def classes(self):
        """Column numbers of the labels."""
        return np.arange(self.n_outputs)

    def read(self, y):
        """Return booleans, as `Targets` says."""
        if y.ndim != 2 or y.shape[1] != self.n_outputs:
            raise ValueError(
                f"y must be an indicator with a column for each of {self.n_outputs} "
                f"labels, as in the first fit. Got shape {y.shape}; set "
                "warm_start=False to start anew."
            )
        if sparse.issparse(y) and not y.has_canonical_format:
            y = y.copy()
            y.sum_duplicates()
        values = np.unique(y.data if sparse.issparse(y) else y)
        if not np.isin(values, [0, 1]).all():
            raise ValueError(
                "y of several labels must be zeros and ones, ones where a row has a "
                f"label. Got the values {values}; MultiLabelBinarizer makes such a y."
            )
        y = y.astype(bool)
        return y.toarray() if sparse.issparse(y) else y

    def decode(self, outputs):
        """Return ones where logits are positive, as `Targets` says."""
        y = (outputs > 0).astype(np.int64)
        return y if self.container is None else _CONTAINERS[self.container](y)

    def restore(self, y):
        """Return zeros and ones, as `Targets` says."""
        return y.astype(np.int64)

    def check_again(self, y):
        """Check nothing more: `read` has checked the number of labels."""

    def start_sums(self):
        """Return zeros of shape (2, 2, n_labels), as `Targets` says.

        Counts, then total weights; of samples without each label, then with it.
        """
        return np.zeros((2, 2, self.n_outputs))

    def add_to_sums(self, seen, y, weight):
        """Add samples to the sums, as `Targets` says."""
        measures = np.stack([np.ones(len(y)), weight])
        return seen + np.stack([measures @ ~y, measures @ y], axis=1)

    def factors(self, class_weight, seen):
        """Return factors of shape (2, n_labels), or None for ones.

        Parameters
        ----------
        class_weight : dict, "balanced" or None
            Weights of the samples that have a label, by its position. "balanced" makes
            the total weights of samples with and without each label equal.

        seen : ndarray of shape (2, 2, n_labels)
            Sums over the training samples.

        Returns
        -------
        factors : ndarray of shape (2, n_labels) or None
            For samples without each label, and for those with it; not normalised.
        """
        if class_weight is None:
            return None
        if class_weight == "balanced":
            sums = seen[1]
            n_values = np.count_nonzero(sums, axis=0) * np.ones_like(sums)
            return np.divide(
                1.0, n_values * sums, out=np.zeros_like(sums), where=sums > 0
            )
        present = class_factors(class_weight, self.classes, seen)
        return np.stack([np.ones_like(present), present])

    def loss_weights(self, y, weight, *, factors, seen):
        """Return weights per sample, or per sample and label if there are factors.

        Parameters
        ----------
        y : ndarray of bool of shape (n_samples, n_labels)
            The labels.

        weight : ndarray of shape (n_samples,)
            Sample weights.

        factors : ndarray of shape (2, n_labels) or None
            Result of `factors`.

        seen : ndarray of shape (2, 2, n_labels)
            Sums over samples, these included.

        Returns
        -------
        weight : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Scaled to mean one over the samples in `seen`.
        """
        n_rows, total = seen[:, :, 0].sum(axis=1)
        if factors is None:
            return weight / (total / n_rows)
        total = (seen[1] * factors).sum()
        if not total > 0:
            raise ValueError(
                "class_weight must leave some label of some row a positive weight. "
                f"Got the weights {factors[1]} for the labels, which all rows have."
            )
        weight = weight[:, None] * np.where(y, factors[1], factors[0])
        return weight / (total / (n_rows * self.n_outputs))

    def decisions(self, logits):
        """Convert logits to the decision function.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_labels)
            Outputs of the network.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_labels)
            The logits.
        """
        return logits
