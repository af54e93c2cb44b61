"""Score, log loss, seconds and warnings of all contenders on a table."""

import warnings
from time import perf_counter

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, r2_score
from threadpoolctl import threadpool_limits

from tests.benchmarks._contenders import CONTENDERS, NETWORK
from tests.benchmarks._splits import splits_of

_MEASURES = {
    "accuracy": accuracy_score,
    "balanced accuracy": balanced_accuracy_score,
    "R2": r2_score,
}


def measured(table):
    """Fit all contenders on one thread.

    Parameters
    ----------
    table : Table
        Where.

    Returns
    -------
    rows : list of dict
        One a split and contender. Seconds of what goes around a network or takes what
        is in it are without those of the network.
    """
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return [row for split in splits_of(table) for row in _of_split(table, split)]


def _of_split(table, split):
    network = None
    for contender in CONTENDERS:
        if contender.takes(table, split.train[0]):
            model = contender.make(table, split.seed, network)
            row = _tried(table, split, model, contender.takes_raw)
            if contender.name == NETWORK:
                network = model
            n_rows, n_columns = split.train[1].shape
            size = {"rows": n_rows, "columns": n_columns}
            yield {"table": table.name, **size, "model": contender.name} | row


def _tried(table, split, model, raw):
    X_train, X_test = split.train[int(raw)], split.test[int(raw)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = perf_counter()
        model.fit(X_train, split.y_train)
        seconds = perf_counter() - start
        score = _MEASURES[table.measure](split.y_test, model.predict(X_test))
        loss = _log_loss(model, X_test, split.y_test) if table.has_classes else np.nan
    n_unsettled = sum(issubclass(w.category, ConvergenceWarning) for w in caught)
    return {
        "split": split.seed,
        "measure": table.measure,
        "score": score,
        "log loss": loss,
        "s to fit": seconds,
        "convergence warnings": n_unsettled,
        "other warnings": len(caught) - n_unsettled,
    }


def _log_loss(model, X, y):
    return log_loss(y, model.predict_proba(X), labels=model.classes_)
