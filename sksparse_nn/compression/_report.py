"""What compressed estimators cost and what they are worth, side by side."""

import pickle
from collections.abc import Mapping
from copy import deepcopy
from time import perf_counter

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._pipelines import (
    flat_steps,
    inside,
    is_frame,
    last_step,
    leaves,
    rebuild,
    without_samplers,
)
from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._validation import check_rows
from sksparse_nn.modules._counts import network_counts
from sksparse_nn.neural._heads import as_module
from sksparse_nn.neural._nesting import NETWORKS

_BATCHES = {"latency_1": (1, 101), "latency_256": (256, 21)}

# Rows that the work of a step is counted on, where it depends on them.
_COUNTED_ROWS = 64


def compression_report(estimators, X, y, *, fit_on=None, verbose=0):
    """Compare estimators: accuracy, size, work and speed, one a row.

    Everything that a prediction needs is counted, the steps ahead of a network too.

    Parameters
    ----------
    estimators : dict of str to estimator
        Networks, linear models and MLPs of scikit-learn, pipelines that end in one,
        compressors and searches of these, in any nesting; fitted, unless `fit_on` is
        given. The first is what the others are compared with.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples to be accurate on, and to be timed on.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    fit_on : tuple of (X, y), default=None
        Samples to learn from, not to be measured on. A clone of each estimator is
        fitted to them, one after the other, and timed; the estimators themselves stay
        as they are. None takes them fitted.

    verbose : int, default=0
        Whether to print a line when an estimator is measured.

    Returns
    -------
    report : pandas.DataFrame
        A row for each estimator, in their order, with the columns

        - ``accuracy``, or ``r2`` for regressors;
        - ``parameters`` and ``nonzero``: numbers that the network and the steps ahead
          of it hold, and those that are not zero;
        - ``bytes_memory``: bytes of these numbers as they are held;
        - ``bytes_disk``: length of a pickle of what a prediction needs: the state of
          the training is left out;
        - ``multiply_adds`` of one row, zeros left out. Of a coder these are the
          products with the atoms and, where it searches, their updates: for each atom
          half the square of a row's nonzeros. A convolution multiplies at every place
          of its output. Of other steps ahead of the network they
          are those of one product with the largest matrix, which is all that an SVD
          does;
        - ``latency_1`` and ``latency_256``: median seconds of a prediction for 1 and
          256 rows, and ``latency_1_spread`` and ``latency_256_spread``, half the
          distance between the quartiles;
        - ``fit_time``: seconds of the fit, of everything inside too unless it is in a
          ``FrozenEstimator``; only with `fit_on`;
        - ``smaller`` and ``faster``: ``bytes_disk`` and ``latency_1`` of the first row
          over those of the row.

    Raises
    ------
    TypeError
        If an estimator does not end in a network of this package and in no linear model
        or MLP of scikit-learn either, or has no name, or the work of a layer is not
        known.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import (
    ...     NetQuantizer, SparseNetClassifier, compression_report
    ... )
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((64,), max_epochs=2, random_state=0).fit(X / 16, y)
    >>> small = NetQuantizer(net).fit(X / 16, y)
    >>> report = compression_report({"float": net, "int8": small}, X / 16, y)
    >>> list(report.index)
    ['float', 'int8']
    >>> int(report.parameters["float"])
    4810
    """
    import pandas as pd

    if not isinstance(estimators, Mapping):
        raise TypeError(
            "compression_report takes a dict of fitted estimators by name, such as "
            f'{{"net": net}}. Got {type(estimators).__name__}.'
        )
    for name, data in (("X", X), ("y", y), ("fit_on", fit_on)):
        for part in data if isinstance(data, list | tuple) else [data]:
            check_structure(part, name)
    X = np.asarray(X) if isinstance(X, list | tuple) else X
    rows, report_line = {}, ProgressLines("compression_report", verbose)
    for name, estimator in estimators.items():
        rows[name] = _row(estimator, X, y, fit_on)
        report_line(f"measured {name!r}")
    report = pd.DataFrame.from_dict(rows, orient="index")
    report["smaller"] = report["bytes_disk"].iloc[0] / report["bytes_disk"]
    report["faster"] = report["latency_1"].iloc[0] / report["latency_1"]
    return report


def _row(estimator, X, y, fit_on):
    times = {}
    if fit_on is not None:
        estimator, start = clone(estimator), perf_counter()
        estimator.fit(*fit_on)
        times["fit_time"] = perf_counter() - start
    check_is_fitted(estimator)
    if as_module(last_step(estimator)) is None:
        raise TypeError(
            "compression_report takes estimators that end in a network of this "
            "package, or in a linear model or an MLP of scikit-learn. Got "
            f"{type(last_step(estimator)).__name__}."
        )
    score = "r2" if is_regressor(estimator) else "accuracy"
    parts = _parts(estimator, _rows(X, _COUNTED_ROWS))
    row = {score: float(estimator.score(X, y))}
    row |= {name: sum(part[name] for part in parts) for name in parts[0]}
    row["bytes_disk"] = len(pickle.dumps(for_prediction(estimator)))
    for name, (n_rows, n_rounds) in _BATCHES.items():
        taken = _latencies(estimator, X, n_rows, n_rounds)
        low, median, high = np.percentile(taken, [25, 50, 75])
        row |= {name: median, f"{name}_spread": (high - low) / 2}
    return row | times


def for_prediction(estimator):
    """Return a copy of what a fitted estimator predicts with, and of nothing else.

    Without the state of the training, and without what was there before it was made
    smaller: what to pickle, with as many bytes as `compression_report` says.

    Parameters
    ----------
    estimator : estimator
        A network of this package, a compressor, a transformer or a pipeline of these,
        fitted; of a search its best one is taken.

    Returns
    -------
    copy : estimator
        Answers as the estimator does; there is no `partial_fit` from here. Of a
        compressor it is the network or the pipeline inside. Pipelines keep their
        class, and lose their samplers, which only act while fitting.

    See Also
    --------
    compression_report : Sizes, work and speed of several.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import NetQuantizer, SparseNetClassifier, for_prediction
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((64,), max_epochs=2, random_state=0).fit(X / 16, y)
    >>> small = NetQuantizer(net).fit(X / 16, y)
    >>> slim = for_prediction(small)
    >>> bool((slim.predict(X / 16) == small.predict(X / 16)).all())
    True
    >>> len(pickle.dumps(slim)) < len(pickle.dumps(small)) / 3
    True
    """
    if isinstance(estimator, Pipeline):
        estimator = without_samplers(estimator)
    return rebuild(estimator, _slim)


def _slim(estimator):
    if is_frame(estimator):
        return for_prediction(inside(estimator))
    if isinstance(estimator, NETWORKS):
        return _without_training(estimator)
    slim = deepcopy(estimator)
    for name in getattr(slim, "_only_for_fitting", ()):
        vars(slim).pop(name, None)
    return slim


def _without_training(network):
    network = deepcopy(network)
    network.net_.optimizer_ = None
    network.net_.history_ = type(network.net_.history)()
    network.history_ = {}
    return network


def _latencies(estimator, X, n_rows, n_rounds):
    rows = _rows(X, n_rows)
    estimator.predict(rows)
    taken = []
    for _ in range(n_rounds):
        start = perf_counter()
        estimator.predict(rows)
        taken.append(perf_counter() - start)
    return taken


def _rows(X, n_rows):
    return _safe_indexing(X, np.arange(n_rows) % X.shape[0])


def _parts(estimator, rows):
    """Count the numbers of each step, and the work that it has with some rows."""
    *steps, network = flat_steps(estimator)
    counted = []
    for step in steps:
        counted += [_of_step(*leaf) for leaf in leaves(step, rows)]
        rows = step.transform(rows)
    if isinstance(network, NETWORKS):
        rows = check_rows(network, rows, reset=False)
    module, row = as_module(network), _rows(rows, 1)
    return [*counted, *network_counts(module, row, "compression_report")]


def _of_step(step, rows):
    """Count the fitted arrays of a transformer; the matrices among them are work."""
    arrays = [
        value
        for name, value in vars(step).items()
        if name.endswith("_") and isinstance(value, np.ndarray)
        if np.issubdtype(value.dtype, np.floating)
    ]
    if hasattr(step, "_multiply_adds"):
        work = step._multiply_adds(rows)
    else:
        work = max((np.count_nonzero(a) for a in arrays if a.ndim == 2), default=0)
    return {
        "parameters": sum(a.size for a in arrays),
        "nonzero": sum(np.count_nonzero(a) for a in arrays),
        "bytes_memory": sum(a.nbytes for a in arrays),
        "multiply_adds": work,
    }
