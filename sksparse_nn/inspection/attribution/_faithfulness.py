"""Faithfulness of attributions: scores as important atoms are removed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import Bunch, check_random_state

from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn.inspection.atoms._codes import to_array
from sksparse_nn.inspection.attribution._attribution import attribute_stages
from sksparse_nn.inspection.attribution._stages import read_stages


def deletion_curves(
    estimator: BaseEstimator,
    X: MatrixLike | Sequence[str],
    y: MatrixLike,
    *,
    n_points: int = 11,
    n_random: int = 5,
    tol: float = 1e-2,
    random_state: Seed = None,
    verbose: int = 0,
) -> Bunch:
    """Score predictions as atoms are removed, and as they come back.

    The atoms of each sample are ordered by their contributions to the predicted
    output; with several labels per sample, by their contributions to the logits of the
    predicted labels minus those to the other logits. Removed atoms have code zero. If
    attributions are faithful, the score falls faster along that order than along random
    ones, and rises faster when atoms are inserted into an empty sample.

    Parameters
    ----------
    estimator : estimator
        Fitted, as in `attribute`.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Samples.

    y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
        Their classes, an indicator of several labels, or targets.

    n_points : int, default=11
        Number of shares of atoms to remove, from none to all.

    n_random : int, default=5
        Number of random orders to compare with.

    tol : float, default=1e-2
        Passed to `attribute`.

    random_state : int, RandomState instance or None, default=None
        Source of the random orders.

    verbose : int, default=0
        Whether to print one line per scored order.

    Returns
    -------
    curves : sklearn.utils.Bunch
        With ``shares`` of shape (n_points,); ``deletion`` and ``insertion`` of shape
        (n_points,), scores with that share of a sample's atoms removed or inserted,
        rounded up to whole atoms;
        ``random_deletion`` and ``random_insertion`` of shape (n_random, n_points); and
        ``score_name``, "accuracy" or "r2".

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer
    >>> from sksparse_nn.inspection import deletion_curves
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(TruncatedSVDReducer(16), SparseNetClassifier(()))
    >>> curves = deletion_curves(model.fit(X / 16, y), X[:200] / 16, y[:200])
    >>> bool(curves.deletion.mean() < curves.random_deletion.mean())
    True
    """
    check_structure(y, "y")
    return compute_curves(
        read_stages(estimator, X),
        y,
        n_points=n_points,
        n_random=n_random,
        tol=tol,
        random_state=random_state,
        verbose=verbose,
    )


def compute_curves(
    stages, y, *, n_points=11, n_random=5, tol=1e-2, random_state=None, verbose=0
):
    """Compute `deletion_curves`, given the rows between steps.

    Parameters
    ----------
    stages : Stages
        The pipeline and its rows.

    y : array-like
        As in `deletion_curves`, like the other parameters.

    n_points : int, default=11
        Number of shares of atoms to remove, from none to all.

    n_random : int, default=5
        Number of random orders to compare with.

    tol : float, default=1e-2
        Passed to `attribute`.

    random_state : int, RandomState instance or None, default=None
        Source of the random orders.

    verbose : int, default=0
        Whether to print one line per scored order.

    Returns
    -------
    curves : sklearn.utils.Bunch
        As from `deletion_curves`.
    """
    rng = check_random_state(random_state)
    is_classifier = hasattr(stages.network, "classes_")
    several = is_classifier and stages.network.predict(stages.rows[-1][:1]).ndim == 2
    wanted = "predicted" if is_classifier and not several else None
    report = ProgressLines("deletion_curves", verbose)
    found = attribute_stages(stages, outputs=wanted, features=False, tol=tol)
    report("predictions are attributed")
    codes, shares = to_array(found.codes), np.linspace(0, 1, n_points)
    score = _Score(stages, codes, y, accuracy_score if is_classifier else r2_score)
    if wanted is not None:
        gains = found.atoms[:, 0]
    else:
        gains = _measure_support(found) if several else _measure_movement(found)
    orders = [_rank(gains, codes)]
    orders += [_rank(rng.random(codes.shape), codes) for _ in range(n_random)]
    n_used = np.count_nonzero(codes, axis=1)[:, None]
    counts = [np.ceil(share * n_used - 1e-9) for share in shares]
    deletion, insertion = [], []
    for number, order in enumerate(orders, 1):
        deletion.append([score(order >= n) for n in counts])
        insertion.append([score(order < n) for n in counts])
        report(f"order {number} of {len(orders)}")
    deletion, insertion = np.array(deletion), np.array(insertion)
    return Bunch(
        shares=shares,
        deletion=deletion[0],
        insertion=insertion[0],
        random_deletion=deletion[1:],
        random_insertion=insertion[1:],
        score_name="accuracy" if is_classifier else "r2",
    )


class _Score:
    """Scores predictions from a part of the codes."""

    def __init__(self, stages, codes, y, metric):
        self._steps = stages.transformers[stages.atoms :]
        self._network, self._metric = stages.network, metric
        self._codes, self._y = codes, y

    def __call__(self, kept):
        rows = np.where(kept, self._codes, 0)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            for step in self._steps:
                rows = step.transform(rows)
            return self._metric(self._y, self._network.predict(rows))


def _measure_support(found):
    """Return how much atoms support the prediction of each label."""
    return (found.atoms * np.sign(found.outputs)[:, :, None]).sum(axis=1)


def _measure_movement(found):
    """Return how much atoms move targets, each in units of its standard deviation."""
    spread = found.outputs.std(axis=0)
    scaled = np.abs(found.atoms) / np.where(spread > 0, spread, 1)[None, :, None]
    return scaled.sum(axis=1)


def _rank(gains, codes):
    """Rank the atoms of each sample by decreasing gain."""
    is_used = codes != 0
    order = np.argsort(np.where(is_used, -gains, np.inf), axis=1, kind="stable")
    ranks = np.empty(codes.shape)
    np.put_along_axis(ranks, order, np.arange(codes.shape[1])[None], axis=1)
    return np.where(is_used, ranks, -1)
