"""The contract of a kind of targets, which converts between user and loss."""

from abc import ABC, abstractmethod

import numpy as np

from sksparse_nn.neural._weights import add_to_sums, loss_weights, start_sums

# Targets that are converted at a time.
BLOCK_SIZE = 2**16


class Targets(ABC):
    """A kind of targets and its learnt parameters: arrays, numbers and strings.

    Objects do not change: a method that learns returns a new one.

    Attributes
    ----------
    net_class : type
        The skorch net for such targets.

    n_outputs : int
        Number of outputs of the network.

    n_classes : int
        Number of classes whose weights are summed separately.
    """

    n_classes = 1

    @abstractmethod
    def read(self, y):
        """Check targets and convert them to numbers.

        Parameters
        ----------
        y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_columns)
            In the form that the user gives.

        Returns
        -------
        y : ndarray of shape (n_samples, ...)
            In the form that the methods below take.

        Raises
        ------
        ValueError
            If they do not match those of the first fit.
        """

    @abstractmethod
    def decode(self, outputs):
        """Convert outputs of a network to predictions.

        Parameters
        ----------
        outputs : ndarray of shape (n_samples, n_outputs)
            Outputs of the network.

        Returns
        -------
        y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_columns)
            In the form that the user gave.
        """

    def encode(self, y, dtype):
        """Convert targets to the form that the loss takes.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Result of `read`.

        dtype : str
            Float type of the network.

        Returns
        -------
        y : ndarray of shape (n_samples, ...)
            The targets.
        """
        return y

    @abstractmethod
    def restore(self, y):
        """Convert targets back to the form that the user gave.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Result of `encode`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            Labels, indicators or numbers.
        """

    def learn_scale(self, y, weight, new):
        """Learn the scale of targets, or of those that have none so far.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Result of `read`.

        weight : ndarray of shape (n_samples,)
            Sample weights.

        new : bool
            Whether to ignore any former scale.

        Returns
        -------
        targets : Targets
            With the scale.
        """
        return self

    @abstractmethod
    def check_again(self, y):
        """Check that a warm start can continue with targets.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Result of `read`.

        Raises
        ------
        ValueError
            If it cannot.
        """

    def strata(self, y):
        """Return the class of each target.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Result of `read`.

        Returns
        -------
        strata : ndarray of int of shape (n_samples,)
            Positions among the classes; zeros without classes.
        """
        return np.zeros(len(y), dtype=np.intp)

    def output_units(self):
        """Return the units of outputs of the network.

        Returns
        -------
        scale, shift : ndarray of shape (n_outputs,)
            Outputs times scale plus shift are logits, numbers in their unit, or
            logarithms of these.
        """
        return np.ones(self.n_outputs), np.zeros(self.n_outputs)

    def start_sums(self):
        """Return the sums over no samples.

        Returns
        -------
        seen : ndarray of shape (2, ...)
            Zeros: counts and total weights.
        """
        return start_sums(self.n_classes)

    def add_to_sums(self, seen, y, weight):
        """Add samples to the sums.

        Parameters
        ----------
        seen : ndarray of shape (2, ...)
            Counts and total weights; not changed.

        y : ndarray of shape (n_samples, ...)
            Result of `read` for the new samples.

        weight : ndarray of shape (n_samples,)
            Their sample weights.

        Returns
        -------
        seen : ndarray of shape (2, ...)
            The new sums.
        """
        return add_to_sums(seen, self.strata(y), weight)

    def factors(self, class_weight, seen):
        """Return the factor of each class.

        Parameters
        ----------
        class_weight : dict, "balanced" or None
            In the form that the user gives.

        seen : ndarray of shape (2, ...)
            Sums over the training samples.

        Returns
        -------
        factors : ndarray of shape (n_classes,)
            Not normalised.
        """
        return np.ones(self.n_classes)

    def loss_weights(self, y, weight, *, factors, seen):
        """Return the weights of samples in the loss.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            Result of `read`.

        weight : ndarray of shape (n_samples,)
            Sample weights.

        factors : ndarray
            Result of `factors`.

        seen : ndarray of shape (2, ...)
            Sums over samples, these included.

        Returns
        -------
        weight : ndarray of shape (n_samples, ...)
            Scaled to mean one over the samples in `seen`.
        """
        return loss_weights(weight, self.strata(y), factors=factors, seen=seen)
