"""What a kind of targets has to do between a user and a loss."""

from abc import ABC, abstractmethod

import numpy as np

from sksparse_nn.neural._weights import add_to_sums, loss_weights, start_sums


class Targets(ABC):
    """A kind of targets and what was learnt of them: arrays, numbers and strings.

    Nothing changes in place: what learns more is another object.

    Attributes
    ----------
    net_class : type
        The skorch net of such targets.

    n_outputs : int
        Number of outputs that a network needs.

    n_classes : int
        Number of classes whose weights are counted apart.
    """

    n_classes = 1

    @abstractmethod
    def read(self, y):
        """Check targets and hold them as numbers.

        Parameters
        ----------
        y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_columns)
            As a user gives them.

        Returns
        -------
        y : ndarray of shape (n_samples, ...)
            As the methods below take them.

        Raises
        ------
        ValueError
            If they are not such as those that were learnt from.
        """

    @abstractmethod
    def decode(self, outputs):
        """Return what a network predicts.

        Parameters
        ----------
        outputs : ndarray of shape (n_samples, n_outputs)
            Outputs of the network.

        Returns
        -------
        y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_columns)
            As a user gave them.
        """

    def encode(self, y, dtype):
        """Return targets as the loss takes them.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            What `read` has returned.

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
        """Return targets as a user gave them.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            What `encode` has returned.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            Labels, indicators or numbers.
        """

    def learn_scale(self, y, weight, new):
        """Learn the scale of targets, or of those that had none so far.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            What `read` has returned.

        weight : ndarray of shape (n_samples,)
            Sample weights.

        new : bool
            Whether no scale was learnt before.

        Returns
        -------
        targets : Targets
            With the scale.
        """
        return self

    @abstractmethod
    def check_again(self, y):
        """Check that a warm start can go on with targets.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            What `read` has returned.

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
            What `read` has returned.

        Returns
        -------
        strata : ndarray of int of shape (n_samples,)
            Positions among the classes; zeros where there are none.
        """
        return np.zeros(len(y), dtype=np.intp)

    def output_units(self):
        """Say what outputs of a network stand for.

        Returns
        -------
        scale, shift : ndarray of shape (n_outputs,)
            What outputs are multiplied by, and what is added then, to give logits,
            numbers in their unit, or logarithms of these.
        """
        return np.ones(self.n_outputs), np.zeros(self.n_outputs)

    def start_sums(self):
        """Return the sums over no rows at all.

        Returns
        -------
        seen : ndarray of shape (2, ...)
            Zeros: row counts and summed weights.
        """
        return start_sums(self.n_classes)

    def add_to_sums(self, seen, y, weight):
        """Add rows to the sums.

        Parameters
        ----------
        seen : ndarray of shape (2, ...)
            Row counts and summed weights; left as they are.

        y : ndarray of shape (n_samples, ...)
            What `read` has returned for the new rows.

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
            As the user gives it.

        seen : ndarray of shape (2, ...)
            Sums over what was learnt from.

        Returns
        -------
        factors : ndarray of shape (n_classes,)
            Not normalised.
        """
        return np.ones(self.n_classes)

    def loss_weights(self, y, weight, *, factors, seen):
        """Return the weights of rows in the loss.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...)
            What `read` has returned.

        weight : ndarray of shape (n_samples,)
            Sample weights.

        factors : ndarray
            What `factors` has returned.

        seen : ndarray of shape (2, ...)
            Sums over rows, these among them.

        Returns
        -------
        weight : ndarray of shape (n_samples, ...)
            Scaled to mean one over the rows in `seen`.
        """
        return loss_weights(weight, self.strata(y), factors=factors, seen=seen)
