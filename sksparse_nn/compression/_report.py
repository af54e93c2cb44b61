"""Comparison of estimators by accuracy, size, multiply-adds and latency."""

import pickle
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted
from torch.nn import Module

from sksparse_nn._pipelines import (
    drop_samplers,
    flat_steps,
    is_frame,
    last_step,
    replace_leaves,
    unwrap,
    walk_leaves,
)
from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._validation import check_rows
from sksparse_nn.modules._counts import network_counts
from sksparse_nn.neural._heads import as_module
from sksparse_nn.neural._nesting import NETWORKS

_BATCHES = {"latency_1": (1, 101), "latency_256": (256, 21)}

# Samples on which the multiply-adds of a step are counted, if they depend on samples.
_COUNTED_ROWS = 64


def compression_report(estimators, X, y, *, fit_on=None, verbose=0):
    """Compare estimators by accuracy, size, multiply-adds and latency.

    All steps of a prediction count, including those ahead of the network.

    Parameters
    ----------
    estimators : dict of str to estimator
        Networks, linear models and MLPs of scikit-learn, pipelines that end in one,
        compressors and searches of these, in any nesting; fitted, unless `fit_on` is
        given. The others are compared with the first.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples for the score and the latency.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.

    fit_on : tuple of (X, y), default=None
        Training data. Clones of the estimators are fitted to it, one after the other,
        and timed; the estimators themselves do not change. None takes them as fitted.

    verbose : int, default=0
        Whether to print a line per estimator.

    Returns
    -------
    report : pandas.DataFrame
        One row per estimator, in their order, with the columns

        - ``accuracy``, or ``r2`` for regressors;
        - ``parameters`` and ``nonzero``: number of parameters of the network and of the
          steps ahead of it, and how many of them are not zero;
        - ``bytes_memory``: bytes of these parameters in memory;
        - ``bytes_disk``: length of a pickle of `for_prediction`, without the state of
          training;
        - ``multiply_adds`` per sample, without zeros. For a coder these are the
          products with the atoms and, if it searches, their updates: half the square of
          the number of nonzeros for each atom. A convolution multiplies at every
          position of its output. For another step ahead of the network they are those
          of one product with its largest matrix, which is all that an SVD does;
        - ``latency_1`` and ``latency_256``: median seconds of a prediction of 1 and 256
          samples, and ``latency_1_spread`` and ``latency_256_spread``, half the
          interquartile range;
        - ``fit_time``: seconds of the fit, including inner estimators unless they are
          in a ``FrozenEstimator``; only with `fit_on`;
        - ``smaller`` and ``faster``: ``bytes_disk`` and ``latency_1`` of the first row
          divided by those of each row.

    Raises
    ------
    TypeError
        If an estimator ends neither in a network of this package nor in a linear model
        or MLP of scikit-learn, or has no name, or the multiply-adds of a layer are
        unknown.

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
        rows[name] = _measure(estimator, X, y, fit_on)
        report_line(f"measured {name!r}")
    report = pd.DataFrame.from_dict(rows, orient="index")
    report["smaller"] = report["bytes_disk"].iloc[0] / report["bytes_disk"]
    report["faster"] = report["latency_1"].iloc[0] / report["latency_1"]
    return report


def _measure(estimator, X, y, fit_on):
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
    parts = _count_parts(estimator, _repeat_rows(X, _COUNTED_ROWS))
    row = {score: float(estimator.score(X, y))}
    row |= {name: sum(part[name] for part in parts) for name in parts[0]}
    row["bytes_disk"] = len(pickle.dumps(for_prediction(estimator)))
    for name, (n_rows, n_rounds) in _BATCHES.items():
        taken = _time_predictions(estimator, X, n_rows, n_rounds)
        low, median, high = np.percentile(taken, [25, 50, 75])
        row |= {name: median, f"{name}_spread": (high - low) / 2}
    return row | times


def for_prediction(estimator):
    """Return a copy of a fitted estimator that holds only what predictions need.

    The copy has neither the state of training nor the estimator before compression.
    Pickle it to get the size that `compression_report` shows.

    Parameters
    ----------
    estimator : estimator
        A fitted network of this package, compressor, transformer, or pipeline of these;
        a search is replaced by its best estimator.

    Returns
    -------
    copy : estimator
        Makes the same predictions, but has no `partial_fit`, and no `fit` where
        `module` was given as an instance, which is left out. A compressor is replaced
        by the network or the pipeline inside. Pipelines keep their class but not their
        samplers, which act only in `fit`.

    See Also
    --------
    compression_report : Sizes, multiply-adds and latencies of several estimators.

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
        estimator = drop_samplers(estimator)
    return replace_leaves(estimator, _strip)


def _strip(estimator):
    if is_frame(estimator):
        return for_prediction(unwrap(estimator))
    if isinstance(estimator, NETWORKS):
        return _drop_training(estimator)
    slim = deepcopy(estimator)
    for name in getattr(slim, "_only_for_fitting", ()):
        vars(slim).pop(name, None)
    return slim


def _drop_training(network):
    network = deepcopy(network)
    if network._is_tuned:
        del network.coder_  # its atoms are in the network
    if isinstance(network.module, Module):
        # An untrained twin of the network, as large as it is.
        network.module = network.net_.module = _LeftOut(type(network.module).__name__)
    network.net_.optimizer_ = None
    network.net_.history_ = type(network.net_.history)()
    network.history_ = {}
    return network


@dataclass(frozen=True)
class _LeftOut:
    """Stands for a module that was given as an instance."""

    name: str

    def __call__(self, *sizes, **settings):
        raise ValueError(
            f"module must be there to fit a network. Got a copy for prediction, which "
            f"left out the {self.name} that it was given; fit the original."
        )


def _time_predictions(estimator, X, n_rows, n_rounds):
    rows = _repeat_rows(X, n_rows)
    estimator.predict(rows)
    taken = []
    for _ in range(n_rounds):
        start = perf_counter()
        estimator.predict(rows)
        taken.append(perf_counter() - start)
    return taken


def _repeat_rows(X, n_rows):
    return _safe_indexing(X, np.arange(n_rows) % X.shape[0])


def _count_parts(estimator, rows):
    """Count the parameters of each step, and its multiply-adds for some samples."""
    *steps, network = flat_steps(estimator)
    counted = []
    for step in steps:
        counted += [_count_step(*leaf) for leaf in walk_leaves(step, rows)]
        rows = step.transform(rows)
    if isinstance(network, NETWORKS):
        rows = check_rows(network, rows, reset=False)
    module, row = as_module(network), _repeat_rows(rows, 1)
    return [*counted, *network_counts(module, row, "compression_report")]


def _count_step(step, rows):
    """Count the fitted arrays of a transformer and the multiply-adds of matrices."""
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
