"""Learning rates of a coder that is trained with a network."""

import numpy as np
from torch import optim

from sksparse_nn.neural._optimizers import find_defaults

# As a share of the rate of the network behind it.
_RATE = 1 / 3


def list_groups(estimator, settings):
    """List the groups of an optimizer for the parameters of a coder.

    Atoms of unit norm have steps in their own unit. Keys are points among the samples,
    so that their steps, and what is added to the denominators of these, are in the unit
    of the keys: whether samples are in metres or in millimetres does not matter.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Its coder is fitted.

    settings : dict
        Settings of the optimizer, other than the learning rate.

    Returns
    -------
    groups : list of tuple
        Patterns of names and settings, in the form of skorch. ``"share"`` is the
        learning rate in terms of that of the network, ``"unit"`` what divides "eps".
    """
    groups = [("coding.*", _make_group(estimator, 1.0))]
    unit = _measure_unit(getattr(estimator, "coder_", None))
    if unit != 1:
        keys = _make_group(estimator, _scale_steps(estimator.optimizer, unit))
        eps = find_defaults(estimator.optimizer, settings).get("eps")
        if eps is not None:
            keys |= {"eps": eps / unit, "unit": unit}
        groups.insert(0, ("coding.keys", keys))
    return groups


def _make_group(estimator, factor):
    share = _RATE * factor
    return {
        "lr": share * estimator.learning_rate,
        "share": share,
        "weight_decay": 0.0,
    }


def _measure_unit(coder):
    """Return the root mean square of keys about their centre; one for other atoms."""
    keys = getattr(coder, "keys_", None)
    if keys is None:
        return 1.0
    spread = float(np.std(keys - keys.mean(axis=0), dtype=np.float64))
    return spread if spread > 0 else 1.0


def _scale_steps(name, unit):
    """Return by what the rate grows, for steps that are as many units long."""
    is_sgd = name == "sgd" or name is optim.SGD
    return unit**2 if is_sgd else unit  # others divide by the size of gradients
