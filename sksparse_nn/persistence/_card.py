"""A model card of an estimator: what it is, and what it takes."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_regressor

import sksparse_nn
from sksparse_nn._typing import MatrixLike
from sksparse_nn.compression import compression_report

# Columns of the report that are the same on every machine, and their names in a card.
_SIZES = {
    "parameters": "Parameters",
    "nonzero": "of which not zero",
    "bytes_memory": "Bytes in memory",
    "bytes_disk": "Bytes on disk, for prediction",
    "multiply_adds": "Multiply-adds per sample",
}


def model_card(
    estimator: BaseEstimator, X: MatrixLike | None = None, y: ArrayLike | None = None
) -> Any:
    """Fill a model card of skops from an estimator.

    It has the diagram and the parameters of the estimator, says how it is loaded, and
    with samples how well it predicts and what it takes. What it is for and where it
    fails are yours to write.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
        Samples that were not trained on, for the score and sizes of
        `compression_report`. They need a fitted estimator that the report takes, and
        pandas.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Their targets.

    Returns
    -------
    card : skops.card.Card
        To be added to, and saved as Markdown by its `save`.

    Raises
    ------
    ValueError
        If only one of `X` and `y` is given.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseNetClassifier
    >>> from sksparse_nn.persistence import model_card
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((16,), max_epochs=2, random_state=0).fit(X / 16, y)
    >>> card = model_card(net, X / 16, y)
    >>> card = card.add(**{"Limitations": "Digits of one size, written upright."})
    >>> card.select("Model description/Size").table["Value"][0]
    '1,210'
    """
    if (X is None) != (y is None):
        given = "X" if y is None else "y"
        raise ValueError(
            f"X and y must be given together. Got {given} alone; give both for a score "
            "and sizes, or neither."
        )
    from skops.card import Card

    card = Card(estimator)
    card.add(**{"How to Get Started with the Model": _describe_loading()})
    if X is not None:
        _add_measures(card, estimator, X, y)
    return card


def _describe_loading():
    return (
        f"Saved with sksparse_nn {sksparse_nn.__version__}. Load it by\n\n"
        "```python\nimport skops.io\nfrom sksparse_nn.persistence import "
        'TRUSTED_TYPES\n\nmodel = skops.io.load("model.skops", trusted=TRUSTED_TYPES)\n'
        "```"
    )


def _add_measures(card, estimator, X, y):
    report = compression_report({"model": estimator}, X, y).loc["model"]
    name = "r2" if is_regressor(estimator) else "accuracy"
    card.add_metrics(**{name: round(float(report[name]), 4)})
    sizes = {
        "Quantity": list(_SIZES.values()),
        "Value": [f"{int(report[column]):,}" for column in _SIZES],
    }
    card.add_table(**{"Model description/Size": sizes})
