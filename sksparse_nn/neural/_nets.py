"""The nets of numbers, of classes and of several labels."""

from functools import partial

import torch
from sklearn.base import ClassifierMixin, RegressorMixin
from torch.nn import functional

from sksparse_nn.neural._losses import BinaryCrossEntropy, CrossEntropy, NumberLoss
from sksparse_nn.neural._net import Net


class RegressorNet(RegressorMixin, Net):
    """A net that answers numbers."""

    loss = NumberLoss
    nonlinearity = None


def softmax(logits):
    """Return probabilities.

    Parameters
    ----------
    logits : Tensor of shape (n_rows, n_classes)
        Logits.

    Returns
    -------
    probabilities : Tensor of shape (n_rows, n_classes)
        Rows that sum to one.
    """
    return torch.softmax(logits, dim=1)


class ClassifierNet(ClassifierMixin, Net):
    """A net that answers logits."""

    loss = CrossEntropy
    nonlinearity = staticmethod(softmax)
    log_nonlinearity = staticmethod(partial(torch.log_softmax, dim=1))

    @property
    def classes_(self):
        """List the classes, as scorers of scikit-learn want them.

        Returns
        -------
        classes : ndarray of shape (n_classes,)
            As the estimator has them.
        """
        return self.targets_.classes

    def decision_function(self, X):
        """Return what the estimator's decision function would.

        Parameters
        ----------
        X : TrainingSamples, array-like or dict
            Rows, or a batch.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_outputs) or (n_samples,)
            Logits; of two classes, by how much that of the second is larger.
        """
        return self.targets_.decisions(self.forward(X).detach().numpy())


def sigmoid(logits):
    """Return probabilities.

    Parameters
    ----------
    logits : Tensor of shape (n_rows, n_labels)
        Logits.

    Returns
    -------
    probabilities : Tensor of shape (n_rows, n_labels)
        Of each label by itself.
    """
    return torch.sigmoid(logits)


class MultilabelNet(ClassifierNet):
    """A net that answers a logit per label."""

    loss = BinaryCrossEntropy
    nonlinearity = staticmethod(sigmoid)
    log_nonlinearity = staticmethod(functional.logsigmoid)
