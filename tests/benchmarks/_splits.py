"""Shuffled splits of a table, prepared as a user would, by the training part alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler
from sklearn.utils import _safe_indexing

_TEST_SIZE = 0.25

# Rows to be tested on, over all splits of a table, and splits at least and at most.
_N_TESTED = 2000
_FEWEST, _MOST = 3, 10


@dataclass(frozen=True)
class Split:
    """Rows to fit on and rows to be tested on, each as (prepared, as it came).

    Parameters
    ----------
    seed : int
        Number of the split, and `random_state` of all that is fitted on it.

    train, test : tuple of arrays
        Prepared rows, and rows as they came.

    y_train, y_test : ndarray of shape (n_rows,)
        Targets.
    """

    seed: int
    train: tuple[Any, Any]
    test: tuple[Any, Any]
    y_train: np.ndarray
    y_test: np.ndarray


def splits_of(table):
    """Yield the splits of a table.

    Parameters
    ----------
    table : Table
        Its labels are stratified.
    """
    X, y = table.load()
    kind = StratifiedShuffleSplit if table.has_classes else ShuffleSplit
    cut = kind(_n_splits(len(y)), test_size=_TEST_SIZE, random_state=0)
    for seed, parts in enumerate(cut.split(np.zeros(len(y)), y)):
        train, test = (_safe_indexing(X, part) for part in parts)
        preparation = _preparation(X).fit(train)
        yield Split(
            seed,
            (preparation.transform(train), train),
            (preparation.transform(test), test),
            *(y[part] for part in parts),
        )


def _n_splits(n_rows):
    """Return how often a table is split: small test parts differ by chance."""
    wanted = -(-_N_TESTED // int(_TEST_SIZE * n_rows))
    return min(max(wanted, _FEWEST), _MOST)


def _preparation(X):
    if sparse.issparse(X):
        return MaxAbsScaler()
    if not isinstance(X, pd.DataFrame):
        return StandardScaler()
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("categories", categories, make_column_selector(dtype_exclude="number")),
        ]
    )
