"""Whether a trained network does worse than a constant prediction."""

from typing import NamedTuple

import torch
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn._warnings import warn
from sksparse_nn.neural._convergence import (
    absurd_ratio,
    compute_outputs_by_batch,
    is_absurd,
)
from sksparse_nn.neural._targets import Numbers

# Multiples of the loss of a constant prediction that are a failure: if all samples are
# known; if only some are, which may differ from earlier ones; and in squared errors,
# which a loss of the user may not aim at.
_WORSE = 2.0
_FAR_WORSE = 10.0
_LOST = 100.0

# Sum of learning rates by which Adam has moved weights far from the start.
_PATH = 2.0

# Number of samples to check first, and to check again before a warning.
_FEW_ROWS, _ROWS = 256, 4096


class Comparison(NamedTuple):
    """Loss of a network on some samples, next to that of outputs of zero."""

    measure: str  # name of the loss
    network: float
    constant: float  # predicts the mean target, or equal probabilities
    times: float  # by which the network's may be larger


def warn_if_worse(estimator, samples, *, is_part=False):
    """Warn if a network does worse than a constant prediction.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Just trained.

    samples : TrainingSamples
        Samples to check, in the form that the loss takes; only some are used.

    is_part : bool, default=False
        Whether more samples will follow. Then there is one warning at most.

    Returns
    -------
    is_worse : bool
        Whether there was a warning.
    """
    net = estimator.net_
    if is_part and (net.has_failed or net.path < _PATH or not samples.weight.any()):
        # Features of large values give large outputs until weights have moved.
        return False
    for n_rows in (_FEW_ROWS, _ROWS):
        chosen = samples.spread(n_rows)
        found = _compare(estimator, samples, chosen, is_part)
        # Targets close to the mean do not make it a good prediction for earlier ones.
        net.constant = max(found.constant, net.constant if is_part else 0.0)
        if not found.network > found.times * net.constant > 0:
            return False
    net.has_failed = True
    warn(_describe_failure(estimator, found, len(chosen)), ConvergenceWarning)
    return True


def _compare(estimator, samples, chosen, is_part):
    """Compare the loss of outputs with that of zeros."""
    target, net = torch.from_numpy(samples.y[chosen]), estimator.net_
    outputs = torch.cat(list(compute_outputs_by_batch(estimator, samples, chosen)))
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
            net.criterion_(output, target, weight).item()
            for output in (outputs, torch.zeros_like(outputs))
        ]
    times = _FAR_WORSE if is_part or is_own else _WORSE
    if not are_numbers and _beats_most_frequent(outputs, target):
        times = absurd_ratio(net.path)  # a large loss, but mostly right
    return Comparison("loss", *losses, times)


def _beats_most_frequent(outputs, target):
    """Return whether predictions beat the most frequent class."""
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
        f"that were checked, its {found.measure} is {found.network:.3g}, "
        f"that of a constant prediction {found.constant:.3g}. {advice}, or "
        "bring the columns of X to a common scaling, as StandardScaler does."
    )
