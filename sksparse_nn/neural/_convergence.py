"""Warnings after a training that has not converged."""

from math import ceil

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches

from sksparse_nn._read_ahead import ReadAhead
from sksparse_nn._warnings import warn
from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._forward import compute_outputs

# Adam moves a weight by about its learning rate per step. If the rates sum to less than
# this path, and the loss stays above this share of that of the first epoch, longer
# trainings gained more than .03 on seven of nine tables, and on four of ten that had
# converged already.
_PATH = 0.2
_SHARE = 0.15
# Path of a training that is surely long enough.
_LONG_PATH = 0.5

# A loss of this many times that of a constant prediction is absurd. After an endless
# path, where the training cannot be in progress any more, fewer times are.
_ABSURD = 1000.0
_STILL_ABSURD = 10.0
_ENDLESS_PATH = 100.0

# Samples that are checked for constant predictions.
_ROWS = 4096


def is_absurd(loss, constant, path):
    """Return whether a loss is so large that the training has failed.

    Parameters
    ----------
    loss : float
        Loss of the network.

    constant : float
        Loss of a constant prediction.

    path : float
        Sum of the learning rates over all steps.

    Returns
    -------
    is_absurd : bool
        False if `constant` is not positive.
    """
    return loss > absurd_ratio(path) * constant > 0


def absurd_ratio(path):
    """Return the multiple of the loss of a constant prediction that is absurd.

    Parameters
    ----------
    path : float
        Sum of the learning rates over all steps.

    Returns
    -------
    times : float
        Smaller after a training so long that it cannot be in progress any more.
    """
    return _STILL_ABSURD if path > _ENDLESS_PATH else _ABSURD


def warn_if_short(estimator, path):
    """Warn if the training was too short to converge.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Just fitted.

    path : float
        Sum of the learning rates over all steps so far.
    """
    first, last = estimator.history_["train_loss"][[0, -1]]
    if estimator.optimizer not in ("adam", "adamw") or path > _PATH:
        return
    if not last > _SHARE * first:
        return
    epochs = estimator.n_iter_
    raised = max(epochs + 1, ceil(epochs * _LONG_PATH / path))
    longer = f"max_epochs to {raised} or so, raise " if raised < 100 * epochs else ""
    warn(
        f"Training has not converged: max_epochs={epochs} of "
        f"batches of {estimator.net_.batch_size} rows left a training loss of "
        f"{last:.3g}, {last / first:.0%} of the first epoch's {first:.3g}. Raise "
        f"{longer}learning_rate={estimator.learning_rate}, or lower batch_size; "
        "history_ holds the loss of each epoch.",
        ConvergenceWarning,
    )


def warn_if_constant(estimator, samples):
    """Warn if targets vary but predictions do not.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Just fitted.

    samples : TrainingSamples
        Training samples, of which some thousand are checked.
    """
    chosen = samples.spread(_ROWS)
    if not _varies(samples.y[chosen]):
        return
    first = None
    for outputs in compute_outputs_by_batch(estimator, samples, chosen):
        predicted = estimator._targets.decode(outputs.numpy())
        predicted = predicted.toarray() if sparse.issparse(predicted) else predicted
        first = predicted[:1] if first is None else first
        if _varies(np.concatenate([first, predicted])):
            return
    warn(
        f"The network predicts {first[0]} for all of the {len(chosen)} training rows "
        "that were checked, but their targets vary. Scale the columns of X, train "
        f"longer than max_epochs={estimator.max_epochs}, or lower the penalties "
        f"l1={estimator.l1} and group_lasso={estimator.group_lasso}; rare classes want "
        'class_weight="balanced".',
    )


def compute_outputs_by_batch(estimator, samples, chosen):
    """Yield outputs of a network for some samples, one mini-batch at a time.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Just trained.

    samples : TrainingSamples
        All samples.

    chosen : ndarray of int
        Positions of the samples to use.

    Yields
    ------
    outputs : Tensor of shape (n_rows, n_outputs)
        Outputs for a mini-batch.
    """
    private, size = estimator.module is not None, estimator.net_.batch_size
    with ReadAhead(samples.matrix):
        # A module may normalise by the batch, so no batch has a single sample.
        for batch in gen_batches(len(chosen), size, min_batch_size=2):
            X, rows = samples.matrix, samples.find_rows(chosen[batch])
            X = X[rows] if sparse.issparse(X) else dense_rows(X, rows)
            yield compute_outputs(estimator.net_, X, private=private)


def _varies(y):
    """Return whether targets differ by more than rounding in some column."""
    if y.dtype.kind != "f":
        return bool((y != y[0]).any())
    with np.errstate(over="ignore"):
        spread, size = np.ptp(y, axis=0), np.abs(y).max(axis=0)
    return bool((spread > 1e-6 * size).any())
