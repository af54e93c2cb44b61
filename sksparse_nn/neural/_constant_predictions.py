"""Whether a trained network does worse than the same answer to all rows would."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn._warnings import warn
from sksparse_nn.neural._convergence import (
    absurd_ratio,
    is_absurd,
    outputs_by_batch,
)
from sksparse_nn.neural._targets import Numbers

# So many times the loss of a constant answer is a failure: where all rows are known,
# where some are that may not be like those before, and in squares of numbers, which a
# loss of a user's own may not be about.
_WORSE = 2.0
_FAR_WORSE = 10.0
_LOST = 100.0

# A sum of learning rates by which Adam has moved weights far from where they began.
_PATH = 2.0

# Rows that are looked at, and those that numbers are of where there is a doubt.
_FEW_ROWS, _ROWS = 256, 4096


class Comparison(NamedTuple):
    """What a network comes to on some rows, and what outputs of zero come to."""

    measure: str  # what the numbers are
    network: float
    constant: float  # of the mean target, or all classes alike
    times: float  # by how much the network's may be larger


def warn_if_worse(estimator, samples, *, is_part=False):
    """Warn where a network does worse than the same answer to all rows.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Just trained.

    samples : TrainingSamples
        What it is judged by, as the loss takes it; some rows are looked at.

    is_part : bool, default=False
        Whether these are some of the rows to come. Then there is one warning at most.

    Returns
    -------
    is_worse : bool
        Whether there was a warning.
    """
    net = estimator.net_
    if is_part and (net.has_failed or net.path < _PATH):
        # Columns of large numbers have large outputs until weights have moved.
        return False
    for n_rows in (_FEW_ROWS, _ROWS):
        chosen = np.unique(np.linspace(0, len(samples) - 1, n_rows).astype(int))
        found = _compare(estimator, samples, chosen, is_part)
        # Rows close to the mean do not make it a good answer to those before.
        net.constant = max(found.constant, net.constant if is_part else 0.0)
        if not found.network > found.times * net.constant > 0:
            return False
    net.has_failed = True
    warn(_describe_failure(estimator, found, len(chosen)), ConvergenceWarning)
    return True


def _compare(estimator, samples, chosen, is_part):
    """Compare outputs with zeros."""
    target, net = torch.from_numpy(samples.y[chosen]), estimator.net_
    outputs = torch.cat(list(outputs_by_batch(estimator, samples, chosen)))
    is_own = callable(estimator.loss)
    are_numbers = isinstance(estimator._targets, Numbers)
    if are_numbers and is_own:
        squares = [
            part.double().square().mean().item() for part in (outputs - target, target)
        ]
        return Comparison("squared error, in variances of y,", *squares, _LOST)
    weight = torch.from_numpy(samples.weight[chosen])
    with torch.no_grad():
        losses = [
            net.criterion_(answer, target, weight).item()
            for answer in (outputs, torch.zeros_like(outputs))
        ]
    times = _FAR_WORSE if is_part or is_own else _WORSE
    if not are_numbers and _beats_most_frequent(outputs, target):
        times = absurd_ratio(net.path)  # sure of itself, and often right
    return Comparison("loss", *losses, times)


def _beats_most_frequent(outputs, target):
    """Tell whether classes are found more often than by naming the most frequent."""
    if target.ndim == 2:
        frequent = target.double().mean(dim=0)
        frequent = torch.maximum(frequent, 1 - frequent).mean()
        return ((outputs > 0) == target.bool()).double().mean() > frequent
    counts = torch.bincount(target)
    is_known = counts.count_nonzero() > 1
    return not is_known or (outputs.argmax(dim=1) == target).sum() > counts.max()


def _describe_failure(estimator, found, n_rows):
    losses = estimator.history_["train_loss"]
    path = estimator.net_.path
    is_lost = is_absurd(found.network, found.constant, path)
    falls = path < _PATH and losses[-1] < losses[0] and not is_lost
    advice = (
        f"Train longer than {len(losses)} epochs"
        if falls
        else f"Lower learning_rate={estimator.learning_rate}"
    )
    return (
        f"Training has {'not converged' if falls else 'diverged'}: on {n_rows} rows "
        f"that the network is judged by, its {found.measure} is {found.network:.3g}, "
        f"where the same answer to all of them has {found.constant:.3g}. {advice}, or "
        "bring the columns of X to a common scaling, as StandardScaler does."
    )
