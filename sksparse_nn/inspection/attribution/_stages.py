"""A fitted pipeline as a network and the steps ahead of it."""

from dataclasses import dataclass, replace
from numbers import Number

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._pipelines import split_steps
from sksparse_nn._structure import check_structure
from sksparse_nn._validation import check_rows
from sksparse_nn.neural._heads import as_module
from sksparse_nn.neural._nesting import NETWORKS


@dataclass(frozen=True)
class Stages:
    """Transformers in order, the network behind them, and the rows between them.

    Attributes
    ----------
    transformers : list of transformer
        Fitted.

    network : SparseNetClassifier, SparseNetRegressor or model of scikit-learn
        Fitted.

    rows : list of {ndarray, sparse matrix}
        Input of each transformer, and at the end the input of the network.

    first : int
        The first transformer whose input is a matrix of numbers.

    atoms : int
        Index of the codes in `rows`: behind the last transformer that has atoms, or at
        the first numbers if none has.
    """

    transformers: list
    network: object
    rows: list
    first: int
    atoms: int

    def take(self, chosen):
        """Select samples.

        Parameters
        ----------
        chosen : slice or array-like of int
            Indices of the samples.

        Returns
        -------
        stages : Stages
            The selected samples, without transforming them again.
        """
        rows = [_safe_indexing(part, chosen) for part in self.rows]
        return replace(self, rows=rows)

    def feature_names(self, place):
        """Return the names of columns.

        Parameters
        ----------
        place : int
            Index in `rows`.

        Returns
        -------
        names : ndarray of shape (n_columns,)
            Strings; ``x0``, ``x1`` and so on if no step has names.
        """
        names = getattr(
            [*self.transformers, self.network][0], "feature_names_in_", None
        )
        for transformer in self.transformers[:place]:
            if not hasattr(transformer, "get_feature_names_out"):
                names = None
                continue
            names = transformer.get_feature_names_out(names)
        if names is None:
            width = self.rows[place].shape[1]
            names = [f"x{i}" for i in range(width)]
        return np.asarray(names, dtype=object)


def read_stages(estimator, X):
    """Split a fitted estimator into stages and transform samples.

    Parameters
    ----------
    estimator : estimator
        A network, or a linear model or MLP of scikit-learn, or a pipeline that ends in
        one, in any nesting of pipelines, compressors, searches and frozen estimators.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Input of the estimator.

    Returns
    -------
    stages : Stages
        The stages.

    Raises
    ------
    TypeError
        If the estimator ends neither in a network of this package nor in a linear model
        or MLP of scikit-learn.

    ValueError
        If the network cannot take the output of the steps ahead of it, or the indices
        of a sparse `X` are not within its shape.
    """
    check_structure(X)
    *steps, network = split_steps(estimator)
    check_is_fitted(network)
    if as_module(network) is None:
        raise TypeError(
            "estimator must be a SparseNetClassifier or SparseNetRegressor, a linear "
            "model or an MLP of scikit-learn, or a Pipeline that ends in one. Got "
            f"{type(network).__name__}."
        )
    rows = [X.tocsr() if sparse.issparse(X) else X]
    for transformer in steps:
        rows.append(transformer.transform(rows[-1]))
    if isinstance(network, NETWORKS):
        rows[-1] = check_rows(network, rows[-1], reset=False)
    first = next(i for i, part in enumerate(rows) if _is_numeric(part))
    rows = [_matrix(part) if i >= first else part for i, part in enumerate(rows)]
    with_atoms = [i + 1 for i, step in enumerate(steps) if hasattr(step, "components_")]
    return Stages(
        steps,
        network,
        rows,
        first,
        with_atoms[-1] if with_atoms else first,
    )


def _is_numeric(rows):
    if sparse.issparse(rows):
        return True
    try:
        array = np.asarray(rows)
    except ValueError:  # lists of different lengths, such as words of texts
        return False
    if array.dtype == object:
        return array.ndim == 2 and all(isinstance(x, Number) for x in array.flat)
    return array.ndim == 2 and array.dtype.kind in "biuf"


def _matrix(rows):
    if sparse.issparse(rows):
        return sparse.csr_array(rows)
    array = np.asarray(rows)
    return array if array.dtype.kind in "iuf" else array.astype(np.float64)
