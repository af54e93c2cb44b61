"""Sums over samples that the least squares of a layer need."""

import numpy as np

# Least unit of an input, in units of an average one.
LEAST_UNIT = 1e-4


class LayerSums:
    """Products of the inputs of a layer with each other and with its outputs.

    Sums are taken from the first row, so that large means cancel no digits and inputs
    that never vary are zeros to the last bit.

    Parameters
    ----------
    has_bias : bool, default=True
        Whether the layer has a bias. If it has, all is taken from the means.
    """

    def __init__(self, *, has_bias=True):
        self._is_centred = has_bias
        self._origin = None
        self._total, self._sums, self._products = 0.0, 0.0, 0.0

    def add(self, inputs, outputs, weight=None):
        """Add a block of rows.

        Parameters
        ----------
        inputs : ndarray of shape (n_rows, n_inputs)
            Inputs.

        outputs : ndarray of shape (n_rows, n_outputs)
            What the inputs are multiplied with, such as what the outputs lack.

        weight : ndarray of shape (n_rows,) or None, default=None
            Weights of the rows.
        """
        if not len(inputs):
            return
        rows = np.hstack([inputs, outputs]).astype(np.float64)
        weight = np.ones(len(rows)) if weight is None else weight
        if self._origin is None:
            self._origin = self._is_centred * rows[0]
        rows -= self._origin
        weighted = weight[:, None] * rows
        products = weighted[:, : inputs.shape[1]].T @ rows
        self._products = self._products + products
        self._total += weight.sum()
        self._sums = self._sums + weighted.sum(axis=0)

    @property
    def is_empty(self):
        """Return whether no row was added.

        Returns
        -------
        is_empty : bool
            Then nothing is known.
        """
        return self._origin is None

    def centred(self):
        """Return the means of inputs and outputs, and the products of inputs with both.

        Returns
        -------
        means : ndarray of shape (n_inputs + n_outputs,)
            Zeros for a layer without bias.

        products : ndarray of shape (n_inputs, n_inputs + n_outputs)
            Those of the differences from the means.
        """
        means = self._is_centred * self._sums / self._total
        products = self._products - self._total * np.outer(
            means[: len(self._products)], means
        )
        return self._origin + means, products


def input_units(G, least=LEAST_UNIT):
    """Return the root of the sum of squares of each input; ones if none varies.

    Those that vary by rounding alone have a larger one, so that nothing is fitted to
    them.

    Parameters
    ----------
    G : ndarray of shape (n_inputs, n_inputs)
        Products of the inputs.

    least : float, default=1e-4
        Least unit, in units of an average one.

    Returns
    -------
    units : ndarray of shape (n_inputs,)
        Positive.
    """
    roots = np.sqrt(np.maximum(G.diagonal(), 0))  # rounding may go below
    average = np.sqrt(np.mean(roots**2))
    return np.maximum(roots, least * average or 1.0)


def even_units(G, weight):
    """Return the unit of an average input for all that vary less.

    Parameters
    ----------
    G : ndarray of shape (n_inputs, n_inputs)
        Products of the inputs.

    weight : ndarray of shape (n_outputs, n_inputs)
        Weights of the inputs, which do not count.

    Returns
    -------
    units : ndarray of shape (n_inputs,)
        Positive.
    """
    return input_units(G, 1.0)


def contribution_units(G, weight):
    """Return the root of the sum of squares of each input, if it contributes much.

    Inputs times weights are what inputs contribute to outputs. One that contributes
    less than an average one has the larger unit in which it would contribute as much.
    So inputs that hardly vary get no large weights, in whatever unit they are.

    Parameters
    ----------
    G : ndarray of shape (n_inputs, n_inputs)
        Products of the inputs.

    weight : ndarray of shape (n_outputs, n_inputs)
        Weights of the inputs.

    Returns
    -------
    units : ndarray of shape (n_inputs,)
        Positive, infinite for inputs without weights; those of `input_units` if nothing
        contributes.
    """
    units = input_units(G)
    norms = np.linalg.norm(weight.astype(np.float64), axis=0)
    average = np.sqrt(np.mean((norms * np.sqrt(np.maximum(G.diagonal(), 0))) ** 2))
    if not average:
        return units
    with np.errstate(divide="ignore", over="ignore"):
        return np.maximum(units, average / norms)
