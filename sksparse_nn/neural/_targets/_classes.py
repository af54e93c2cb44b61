"""Targets of one label per sample."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.multiclass import check_classification_targets

from sksparse_nn.neural._nets import ClassifierNet
from sksparse_nn.neural._targets._base import BLOCK_SIZE, Targets
from sksparse_nn.neural._weights import class_factors


@dataclass(frozen=True, eq=False)
class Classes(Targets):
    """One label per sample, stored as its position among the classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    classes: np.ndarray

    net_class = ClassifierNet

    @property
    def n_outputs(self):
        """Number of logits, one per class."""
        return len(self.classes)

    n_classes = n_outputs

    def read(self, y):
        """Return the position of each label, as `Targets` says."""
        if y.ndim == 2:
            raise ValueError(
                "y must hold one label per row, as in the first fit. Got an indicator "
                f"of {y.shape[1]} labels; set warm_start=False to start anew."
            )
        check_classification_targets(y)
        codes = np.empty(len(y), dtype=np.intp)
        for block in gen_batches(len(y), BLOCK_SIZE):
            codes[block] = self._find(y[block])
        unknown = np.flatnonzero(codes < 0)
        if len(unknown):
            raise ValueError(
                f"y must hold only the classes {self.classes} of the first fit. "
                f"Got {np.unique(y[unknown])} too; set warm_start=False to start anew, "
                "or give partial_fit all the classes at first."
            )
        return codes

    def _find(self, y):
        """Return the position of each label, -1 where there is none."""
        codes = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
        return np.where(self.classes[codes] == y, codes, -1)

    def decode(self, outputs):
        """Return the label of the largest logit, as `Targets` says."""
        return self.classes[outputs.argmax(axis=1)]

    def restore(self, y):
        """Return labels, as `Targets` says."""
        return self.classes[y]

    def check_again(self, y):
        """Check that no class is missing, as `Targets` says."""
        missing = np.setdiff1d(np.arange(len(self.classes)), y)
        if len(missing):
            raise ValueError(
                f"warm_start=True needs all of the classes {self.classes} in y again. "
                f"Got none of {self.classes[missing]}; set warm_start=False to start "
                "anew, or use partial_fit."
            )

    def strata(self, y):
        """Return the positions, as `Targets` says."""
        return y

    def factors(self, class_weight, seen):
        """Return the factor of each class, as `Targets` says."""
        return class_factors(class_weight, self.classes, seen)

    def decisions(self, logits):
        """Convert logits to the decision function.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_classes)
            Outputs of the network.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_classes) or (n_samples,)
            The logits; with two classes, that of the second minus that of the first.
        """
        return logits[:, 1] - logits[:, 0] if len(self.classes) == 2 else logits
