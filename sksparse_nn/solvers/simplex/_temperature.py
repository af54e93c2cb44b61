"""The temperature at which codes have the wanted number of nonzeros on average."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices

# Its inverse is finite.
_COLDEST = 1e-200


def wanted_temperature(mapping, keys, sample, n_active):
    """Find the temperature by bisection among those at which an entry joins a code.

    A code gains nonzeros as the temperature rises, each at a temperature that follows
    from the distances. So the mean number of nonzeros is a sum of steps, and where it
    passes the wanted number is found without coding a row.

    Parameters
    ----------
    mapping : AbstractMapping
        From distances to codes.

    keys : Keys
        What rows are compared with.

    sample : Sample
        Rows.

    n_active : float
        Wanted mean number of nonzeros, at least one.

    Returns
    -------
    temperature : float
        In squared units of the data, above zero. The mean is as near to the wanted
        number as can be without going beyond; beyond it only where more keys than that
        are equally near.
    """
    steps, weights = _steps(mapping, keys, sample)
    order = np.argsort(steps, axis=None)
    steps, means = steps.ravel()[order], np.cumsum(weights.ravel()[order])
    reached = np.searchsorted(means, n_active * (1 + 1e-9), side="right")
    reached = max(reached, np.searchsorted(steps, 0, side="right"))
    if reached == len(steps):
        temperature = 2 * steps[-1] or 1.0
    else:
        # Steps that differ by rounding alone are one.
        margin = 1 - 100 * np.finfo(keys.given.dtype).eps
        at = np.searchsorted(steps, steps[reached] * margin)
        temperature = (steps[max(at - 1, 0)] + steps[reached]) / 2
    return float(max(temperature, _COLDEST) * keys.scale**2)


def _steps(mapping, keys, sample):
    """Return for each row the temperatures at which keys join, and shares of rows."""
    steps = np.empty((len(sample.weights), len(keys.given)))
    for which in block_slices(len(steps)):
        scores = -np.sort(-keys.scores(keys.block(sample.X[which])), axis=1)
        steps[which] = mapping.joining(scores[:, :1] - scores)
    shares = sample.weights / sample.weights.sum()
    return steps, np.broadcast_to(shares[:, None], steps.shape)
