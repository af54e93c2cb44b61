"""The temperature at which codes have a given mean number of nonzeros."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices

# Smallest temperature, whose inverse is finite.
_COLDEST = 1e-200


def find_temperature(mapping, keys, sample, n_active):
    """Find the temperature for a mean number of nonzeros, without coding any row.

    As the temperature rises, codes gain nonzeros, each at a temperature that follows
    from the distances. So the mean number of nonzeros is a step function, and these
    temperatures are sorted and searched.

    Parameters
    ----------
    mapping : AbstractMapping
        Maps distances to codes.

    keys : Keys
        The keys.

    sample : Sample
        Rows to average over.

    n_active : float
        Mean number of nonzeros, at least one.

    Returns
    -------
    temperature : float
        In squared units of the data, above zero. The mean number of nonzeros is the
        largest that does not exceed `n_active`; it exceeds `n_active` only if more keys
        than that are equally near.
    """
    steps, weights = _find_steps(mapping, keys, sample)
    order = np.argsort(steps, axis=None)
    steps, means = steps.ravel()[order], np.cumsum(weights.ravel()[order])
    reached = np.searchsorted(means, n_active * (1 + 1e-9), side="right")
    reached = max(reached, np.searchsorted(steps, 0, side="right"))
    if reached == len(steps):
        temperature = 2 * steps[-1] or 1.0
    else:
        # Steps that differ only by rounding count as one.
        margin = 1 - 100 * np.finfo(keys.given.dtype).eps
        at = np.searchsorted(steps, steps[reached] * margin)
        temperature = (steps[max(at - 1, 0)] + steps[reached]) / 2
    return float(max(temperature, _COLDEST) * keys.scale**2)


def _find_steps(mapping, keys, sample):
    """Return the temperatures at which keys join each code, and shares of rows."""
    steps = np.empty((len(sample.weights), len(keys.given)))
    for which in block_slices(len(steps)):
        scores = -np.sort(-keys.scores(keys.read_block(sample.X[which])), axis=1)
        steps[which] = mapping.joining_temperatures(scores[:, :1] - scores)
    shares = sample.weights / sample.weights.sum()
    return steps, np.broadcast_to(shares[:, None], steps.shape)
