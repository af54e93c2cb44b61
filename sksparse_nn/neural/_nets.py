"""Nets for numbers, for classes and for several labels."""

from functools import partial

import torch
from sklearn.base import ClassifierMixin, RegressorMixin
from torch.nn import functional

from sksparse_nn.neural._losses import BinaryCrossEntropy, CrossEntropy, NumberLoss
from sksparse_nn.neural._net import Net


class RegressorNet(RegressorMixin, Net):
    """A net that predicts numbers."""

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
    """A net that returns logits."""

    loss = CrossEntropy
    nonlinearity = staticmethod(softmax)
    log_nonlinearity = staticmethod(partial(torch.log_softmax, dim=1))

    @property
    def classes_(self):
        """Return the classes, which scorers of scikit-learn need.

        Returns
        -------
        classes : ndarray of shape (n_classes,)
            Those of the estimator.
        """
        return self.targets_.classes

    def decision_function(self, X):
        """Return the decision function of the estimator.

        Parameters
        ----------
        X : TrainingSamples, array-like or dict
            Samples, or a batch.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_outputs) or (n_samples,)
            Logits; with two classes, the logit of the second minus that of the first.
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
        Of each label separately.
    """
    return torch.sigmoid(logits)


class MultilabelNet(ClassifierNet):
    """A net that returns one logit per label."""

    loss = BinaryCrossEntropy
    nonlinearity = staticmethod(sigmoid)
    log_nonlinearity = staticmethod(functional.logsigmoid)
