"""What a training says of itself when it is over."""

import warnings
from math import ceil

from sklearn.exceptions import ConvergenceWarning

# Adam moves a weight by about its learning rate a step. Short of a sum of the rates of
# this much, with a loss above this share of the first epoch's, longer trainings gained
# more than .03 on seven of nine tables, and on four of ten that were ready already.
_PATH = 0.2
_SHARE = 0.15
# What a training that is surely long enough comes to.
_LONG_PATH = 0.5


def warn_if_short(estimator, path):
    """Warn where the optimizer went too short a way to have arrived.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Just fitted.

    path : float
        Sum of the learning rates over all steps so far.
    """
    first, last = (estimator.history_[place]["train_loss"] for place in (0, -1))
    if estimator.optimizer not in ("adam", "adamw") or path > _PATH:
        return
    if not last > _SHARE * first:
        return
    epochs = estimator.n_iter_
    raised = max(epochs + 1, ceil(epochs * _LONG_PATH / path))
    warnings.warn(
        f"Training has not converged: max_epochs={epochs} of "
        f"batches of {estimator.net_.batch_size} rows left a training loss of "
        f"{last:.3g}, {last / first:.0%} of the first epoch's {first:.3g}. Raise "
        f"max_epochs to {raised} or so, raise learning_rate="
        f"{estimator.learning_rate}, or lower batch_size; history_ holds the loss of "
        "each epoch.",
        ConvergenceWarning,
        stacklevel=4,
    )
