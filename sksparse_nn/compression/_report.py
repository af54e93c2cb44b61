"""Comparison of estimators by accuracy, size, multiply-adds and latency."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from copy import deepcopy
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet

from sksparse_nn._pipelines import last_step, list_steps, walk_leaves
from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import check_rows
from sksparse_nn.compression._for_prediction import for_prediction
from sksparse_nn.modules._activation_size import measure_activations
from sksparse_nn.modules._compiled import is_compiled, uncompile
from sksparse_nn.modules._counts import count_in_network
from sksparse_nn.modules._run import module_float_type
from sksparse_nn.neural._heads import as_module
from sksparse_nn.neural._nesting import NETWORKS
from sksparse_nn.neural._skorch_networks import read_module_inputs

if TYPE_CHECKING:
    import pandas

_BATCHES = {"latency_1": (1, 101), "latency_256": (256, 21)}

# Samples on which the multiply-adds of a step are counted, if they depend on samples.
_COUNTED_ROWS = 64


def compression_report(
    estimators: dict[str, BaseEstimator],
    X: MatrixLike,
    y: ArrayLike,
    *,
    fit_on: tuple | None = None,
    verbose: int = 0,
) -> pandas.DataFrame:
    """Compare estimators by accuracy, size, multiply-adds and latency.

    All steps of a prediction count, including those ahead of the network.

    Parameters
    ----------
    estimators : dict of str to estimator
        Networks, nets of skorch, linear models and MLPs of scikit-learn, pipelines that
        end in one, compressors and searches of these, in any nesting; fitted, unless
        `fit_on` is given. The others are compared with the first.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples for the score and the latency; for nets of skorch also images.

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
        - ``bytes_zipped``: length of this pickle as ``joblib.dump(..., compress=9)``
          stores it;
        - ``bytes_activations``: the largest sum of the bytes that a layer of the
          network takes and returns for one sample, without the steps ahead of it;
        - ``multiply_adds`` per sample, without zeros. For a coder these are the
          products with the atoms and, if it searches, their updates: half the square of
          the number of nonzeros for each atom. A convolution multiplies at every
          position of its output. Functions that a module calls without a layer count as
          in ``torch.utils.flop_counter``, normalisations and activations not at all.
          For another step ahead of the network they are those of one product with its
          largest matrix, which is all that an SVD does;
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
        If an estimator ends in nothing of the above, or has no score or no name, or the
        multiply-adds of a layer are unknown.

    ValueError
        If there is no estimator.

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
    if not estimators:
        raise ValueError("compression_report takes one estimator or more. Got none.")
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
    _check_measurable(estimator)
    score = "r2" if is_regressor(estimator) else "accuracy"
    row = {score: float(estimator.score(X, y))}
    row |= _count(estimator, _repeat_rows(X, _COUNTED_ROWS))
    stored = pickle.dumps(for_prediction(estimator))
    row["bytes_disk"], row["bytes_zipped"] = len(stored), len(zlib.compress(stored, 9))
    for name, (n_rows, n_rounds) in _BATCHES.items():
        taken = _time_predictions(estimator, X, n_rows, n_rounds)
        low, median, high = np.percentile(taken, [25, 50, 75])
        row |= {name: median, f"{name}_spread": (high - low) / 2}
    return row | times


def _check_measurable(estimator):
    last = last_step(estimator)
    if _module_of(last) is None:
        raise TypeError(
            "compression_report takes estimators that end in a network of this "
            "package or of skorch, or in a linear model or an MLP of scikit-learn. Got "
            f"{type(last).__name__}."
        )
    if not hasattr(last, "score"):
        raise TypeError(
            "compression_report takes estimators that have a score. Got "
            f"{type(last).__name__}; use NeuralNetClassifier, NeuralNetRegressor or a "
            "subclass with a score."
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


def _count(estimator, rows):
    """Count the steps and the network together, for some samples."""
    *steps, network = list_steps(estimator)
    parts = []
    for step in steps:
        parts += [_count_step(*leaf) for leaf in walk_leaves(step, rows)]
        rows = step.transform(rows)
    module, row = _module_of(network), _input_of(network, rows)
    parts += count_in_network(module, row, "compression_report")
    total = {name: sum(part[name] for part in parts) for name in parts[0]}
    return total | {"bytes_activations": measure_activations(module, row)}


def _module_of(network):
    """Return the module of a network or of a model that converts to one, or None."""
    is_net = isinstance(network, NeuralNet)
    module = network.module_ if is_net else as_module(network)
    if module is None or not is_compiled(module):
        return module
    return uncompile(deepcopy(module))


def _input_of(network, rows):
    """Return what the module of a network gets for the first sample."""
    if isinstance(network, NeuralNet):
        return read_module_inputs(network, rows[:1], "compression_report")
    if isinstance(network, NETWORKS):
        rows = check_rows(network, rows, reset=False)
    row = _repeat_rows(rows, 1)
    row = row if sparse.issparse(row) else np.asarray(row)
    return row.astype(module_float_type(as_module(network)))


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
