"""Contribution of each atom, and of each feature behind it, to a prediction."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from sksparse_nn._typing import MatrixLike
from sksparse_nn._warnings import warn
from sksparse_nn.inspection.atoms._codes import to_array
from sksparse_nn.inspection.attribution._path_gradients import (
    DoubleNet,
    integrated_gradients,
)
from sksparse_nn.inspection.attribution._pullback import check_behind_atoms, pull_back
from sksparse_nn.inspection.attribution._stages import read_stages
from sksparse_nn.neural._nesting import NETWORKS

# Relative rounding of a difference.
_ROUNDING = 1e-9


def attribute(
    estimator: BaseEstimator,
    X: MatrixLike | Sequence[str],
    *,
    outputs: str | ArrayLike | None = None,
    features: bool = True,
    tol: float = 1e-3,
) -> Bunch:
    """Attribute the predictions of a fitted pipeline to atoms and features.

    An output of the network is written as a sum over the atoms that a sample uses, and
    a bias. Outputs are the logits of classes or labels, or targets; their logarithms if
    the network was trained with ``loss="poisson"``. With a linear network the sum is
    exact: the code of an atom times its weight. With a deeper one it is given by
    integrated gradients [1]_, from the sample without any atom to the sample itself.
    The attribution of an atom is then passed on to the features of its code.

    Parameters
    ----------
    estimator : estimator
        A fitted `SparseNetClassifier` or `SparseNetRegressor`, a linear model or MLP of
        scikit-learn, or a pipeline, search, compressor or frozen estimator that ends in
        one. Outputs of a linear classifier are its decision function; with two
        classes it belongs to the second, and negated to the first.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Samples. The result is dense, so pass few of them.

    outputs : None, "predicted" or array-like, default=None
        Outputs to attribute: all of them, that of the predicted class (with several
        labels per sample, the most probable one), or classes by their labels (several
        labels and targets of a regressor by number).

    features : bool, default=True
        Whether to attribute to features too.

    tol : float, default=1e-3
        Error that an atom's contribution may have, as a share of the largest of its
        sample and output. The path of integration is refined until that holds. Networks
        of linear layers and ReLU or its leaky variants are integrated exactly, from
        kink to kink.

    Returns
    -------
    attribution : sklearn.utils.Bunch
        With the fields

        - ``atoms``, ndarray of shape (n_samples, n_targets, n_atoms): contribution of
          each atom. Without a step that has atoms these are the features;
        - ``bias``, ndarray of shape (n_samples, n_targets): the output without atoms;
        - ``outputs``, ndarray of shape (n_samples, n_targets): the outputs, computed in
          double precision;
        - ``errors``, ndarray of shape (n_samples, n_targets): outputs minus bias
          minus the sum of atoms; rounding with a linear network;
        - ``bounds``, ndarray of shape (n_samples, n_targets): bounds on the error of
          each contribution; estimated from above if the path has points, at least
          ``errors``, and rounding if the path is exact;
        - ``features``, ndarray of shape (n_samples, n_targets, n_features):
          contribution of each feature through the atoms; features are the input of the
          first numeric step, such as the words of a text;
        - ``feature_bias``, ndarray of shape (n_samples, n_targets): the rest of the
          output, which comes from no feature, such as a subtracted mean;
        - ``codes``, ndarray or CSR array of shape (n_samples, n_atoms);
        - ``targets``, ndarray of shape (n_samples, n_targets): labels of the classes,
          or numbers of the targets;
        - ``atom_names`` and ``feature_names``, ndarrays of str.

    Raises
    ------
    TypeError
        If the estimator does not end in a supported model, or a step behind the atoms,
        or with `features` ahead of them, is not supported.

    ValueError
        If the estimator cannot take `X`, or, with `features`, values are missing.

    Warns
    -----
    ConvergenceWarning
        If `tol` is not reached.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan (2017), Axiomatic attribution for deep
       networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer
    >>> from sksparse_nn.inspection import attribute
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(
    ...     TruncatedSVDReducer(16), SparseNetClassifier((), max_epochs=5)
    ... ).fit(X / 16, y)
    >>> found = attribute(model, X[:3] / 16, outputs="predicted")
    >>> found.atoms.shape, found.features.shape
    ((3, 1, 16), (3, 1, 64))
    >>> bool(abs(found.errors).max() < 1e-10)
    True
    """
    stages = read_stages(estimator, X)
    return attribute_stages(stages, outputs=outputs, features=features, tol=tol)


def attribute_stages(stages, *, outputs=None, features=True, tol=1e-3):
    """Attribute predictions as `attribute` does, given the rows between steps.

    Parameters
    ----------
    stages : Stages
        The pipeline and its rows.

    outputs : None, "predicted" or array-like, default=None
        Passed to `attribute`.

    features : bool, default=True
        Passed to `attribute`.

    tol : float, default=1e-3
        Passed to `attribute`.

    Returns
    -------
    attribution : sklearn.utils.Bunch
        As from `attribute`.
    """
    net, Z = DoubleNet(stages.network), _to_float64(stages.rows[-1])
    predictions = net.outputs(Z)
    which, targets = _select_outputs(stages, predictions, outputs)
    start = _transform_zero_codes(stages)
    bias = np.take_along_axis(net.outputs(start[:1]), which, axis=1)
    attributions, bounds = integrated_gradients(net, Z, start, which, tol)
    floor = net.floor(which) + _bound_rounding(stages.rows[-1], Z, start, attributions)
    attributions = _pull_back_through(
        stages, attributions, len(stages.transformers), stages.atoms
    )
    codes = stages.rows[stages.atoms]
    found = Bunch(
        atoms=attributions * _to_float64(codes)[:, None],
        bias=bias,
        outputs=np.take_along_axis(predictions, which, axis=1),
        codes=codes,
        targets=targets,
        atom_names=_atom_names(stages),
    )
    found.errors = found.outputs - found.bias - found.atoms.sum(axis=2)
    found.bounds = np.maximum(bounds, np.abs(found.errors))
    _warn(found, tol, floor)
    if features:
        _check_nothing_is_missing(stages.rows[stages.first])
        attributions = _pull_back_through(
            stages, attributions, stages.atoms, stages.first
        )
        found.features = attributions * _to_float64(stages.rows[stages.first])[:, None]
        found.feature_bias = found.outputs - found.features.sum(axis=2)
        found.feature_names = stages.feature_names(stages.first)
    return found


def _atom_names(stages):
    """Return names of atoms, or of outputs if there are several per atom."""
    width = stages.rows[stages.atoms].shape[1]
    coder = stages.transformers[stages.atoms - 1] if stages.atoms else None
    if width == getattr(coder, "components_", np.empty(0)).shape[0]:
        return np.array([f"atom {atom}" for atom in range(width)], dtype=object)
    return stages.feature_names(stages.atoms)


def _pull_back_through(stages, attributions, begin, end):
    for place in range(begin, end, -1):
        X, Z = stages.rows[place - 1], stages.rows[place]
        attributions = pull_back(stages.transformers[place - 1], X, Z, attributions)
    return attributions


def _transform_zero_codes(stages):
    """Return the input of the network for rows whose codes are zero."""
    codes = stages.rows[stages.atoms]
    check_behind_atoms(stages.transformers[stages.atoms :])
    rows = np.zeros((1, codes.shape[1]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        for transformer in stages.transformers[stages.atoms :]:
            rows = transformer.transform(rows)
    return np.repeat(_to_float64(rows), codes.shape[0], axis=0)


def _select_outputs(stages, predictions, outputs):
    """Return indices and names of the outputs to attribute for each row."""
    network = stages.network
    names = getattr(network, "classes_", np.arange(predictions.shape[1]))
    if isinstance(outputs, str):
        if outputs != "predicted" or not hasattr(network, "classes_"):
            raise ValueError(
                'outputs must be None, an array of classes, or "predicted" for a '
                f"classifier. Got {outputs!r} for {type(network).__name__}."
            )
        if isinstance(network, NETWORKS):
            predictions = network._outputs(stages.rows[-1]).numpy()
        which = predictions.argmax(axis=1)[:, None]
        return which, names[which]
    which = np.arange(len(names))
    if outputs is not None:
        which = _find_outputs(names, np.atleast_1d(outputs))
    which = np.repeat(which[None], len(predictions), axis=0)
    return which, names[which]


def _find_outputs(names, outputs):
    places = {name: place for place, name in enumerate(names.tolist())}
    unknown = [name for name in outputs.tolist() if name not in places]
    if unknown:
        raise ValueError(f"outputs must be among {names}. Got {unknown}.")
    return np.array([places[name] for name in outputs.tolist()], dtype=np.intp)


def _bound_rounding(given, Z, start, attributions):
    """Bound the error from rounding the input of the network."""
    eps = np.finfo(np.float32 if given.dtype == np.float32 else np.float64).eps
    return eps * (np.abs(attributions) * (np.abs(Z) + np.abs(start))[:, None]).sum(
        axis=2
    )


def _warn(found, tol, floor):
    """Warn once if contributions may be off by more than `tol` allows."""
    largest = np.abs(found.atoms).max(axis=2, initial=0.0)
    sizes = np.abs(found.outputs) + np.abs(found.bias)
    allowed = tol * largest + floor + _ROUNDING * (sizes + largest)
    is_far = found.bounds > allowed
    if is_far.any():
        worst = np.unravel_index((found.bounds - allowed).argmax(), is_far.shape)
        warn(
            f"The contribution of an atom is off by up to {found.bounds[worst]:.2g} in "
            f"{is_far.any(axis=1).sum()} of {len(is_far)} samples, where tol={tol} "
            f"allows {allowed[worst]:.2g}. The network bends sharply, or a step behind "
            "atoms is not affine. Raise tol or use a smoother activation.",
            ConvergenceWarning,
        )


def _check_nothing_is_missing(rows):
    values = rows.data if sparse.issparse(rows) else rows
    if np.isnan(values).any():
        raise ValueError(
            "Predictions of samples with missing values cannot be attributed to "
            "features. Got NaN in X; fill them, or use features=False."
        )


def _to_float64(rows):
    return to_array(rows).astype(np.float64, copy=False)
