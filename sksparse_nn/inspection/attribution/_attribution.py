"""What each atom, and each feature behind it, adds to a prediction."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from sksparse_nn._warnings import warn
from sksparse_nn.inspection.atoms._codes import dense
from sksparse_nn.inspection.attribution._path_gradients import (
    DoubleNet,
    integrated_gradients,
)
from sksparse_nn.inspection.attribution._pullback import pull_back
from sksparse_nn.inspection.attribution._stages import read_stages
from sksparse_nn.neural._nesting import NETWORKS

# Of numbers that are subtracted, what rounding leaves.
_ROUNDING = 1e-9


def attribute(estimator, X, *, outputs=None, features=True, tol=1e-3):
    """Say what atoms and features add to the predictions of a fitted pipeline.

    An output of the network is written as a sum over the atoms that a row uses, and a
    bias. Outputs are the logits of classes or labels, or targets; their logarithms if
    the network was trained with ``loss="poisson"``. With a linear network the sum is
    exact: the code of an atom times its weight. With a deeper one it is what integrated
    gradients [1]_ say, on the way from the row without any atom to the row as it is.
    What an atom adds is then passed on to the features that its code was computed from.

    Parameters
    ----------
    estimator : estimator
        A fitted `SparseNetClassifier` or `SparseNetRegressor`, a linear model or MLP of
        scikit-learn, or a pipeline, search, compressor or frozen estimator that ends in
        one. Outputs of a linear classifier are its decision function, of two classes
        that of the second, and of the first with the other sign.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Samples. The result is dense, so give the rows that are to be read.

    outputs : None, "predicted" or array-like, default=None
        Which outputs: all of them, that of the predicted class (of several labels per
        row, of the most probable one), or classes by their labels (several labels and
        targets of a regressor by number).

    features : bool, default=True
        Whether to go on to the features.

    tol : float, default=1e-3
        What an atom's contribution may be off by, as a share of the largest of its row
        and output. The path of integration gets more points until that holds. Networks
        of linear layers and ReLU or its leaky kin are followed from kink to kink, which
        is exact.

    Returns
    -------
    attribution : sklearn.utils.Bunch
        With the fields

        - ``atoms``, ndarray of shape (n_samples, n_targets, n_atoms): what each atom
          adds. Without a step that has atoms these are the features;
        - ``bias``, ndarray of shape (n_samples, n_targets): the output without atoms;
        - ``outputs``, ndarray of shape (n_samples, n_targets): the outputs, computed in
          double precision;
        - ``errors``, ndarray of shape (n_samples, n_targets): outputs less bias less
          the sum of atoms; rounding with a linear network;
        - ``bounds``, ndarray of shape (n_samples, n_targets): what the contribution of
          no atom is further off by; estimated from above where points were used, no
          less than ``errors``, and rounding where kinks were followed;
        - ``features``, ndarray of shape (n_samples, n_targets, n_features): what each
          feature adds through the atoms; numbers that the first numeric step is given,
          which of a text are its words;
        - ``feature_bias``, ndarray of shape (n_samples, n_targets): the rest of the
          output, that comes from no feature, such as a mean that was taken off;
        - ``codes``, ndarray or CSR array of shape (n_samples, n_atoms);
        - ``targets``, ndarray of shape (n_samples, n_targets): labels of the classes,
          or numbers of the targets;
        - ``atom_names`` and ``feature_names``, ndarrays of str.

    Raises
    ------
    TypeError
        If there is no network of this package at the end, or a step stands behind the
        atoms, or with `features` ahead of them, that is not known.

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
    """Do what `attribute` does, with rows that have gone through a pipeline.

    Parameters
    ----------
    stages : Stages
        The pipeline, and the rows.

    outputs : None, "predicted" or array-like, default=None
        Of `attribute`.

    features : bool, default=True
        Of `attribute`.

    tol : float, default=1e-3
        Of `attribute`.

    Returns
    -------
    attribution : sklearn.utils.Bunch
        As from `attribute`.
    """
    net, Z = DoubleNet(stages.network), _dense(stages.rows[-1])
    answers = net.outputs(Z)
    which, targets = _wanted(stages, answers, outputs)
    start = _without_atoms(stages)
    bias = np.take_along_axis(net.outputs(start[:1]), which, axis=1)
    worths, bounds = integrated_gradients(net, Z, start, which, tol)
    floor = net.floor(which) + _rounding(stages.rows[-1], Z, start, worths)
    worths = _back(stages, worths, len(stages.transformers), stages.atoms)
    codes = stages.rows[stages.atoms]
    found = Bunch(
        atoms=worths * _dense(codes)[:, None],
        bias=bias,
        outputs=np.take_along_axis(answers, which, axis=1),
        codes=codes,
        targets=targets,
        atom_names=_atom_names(stages),
    )
    found.errors = found.outputs - found.bias - found.atoms.sum(axis=2)
    found.bounds = np.maximum(bounds, np.abs(found.errors))
    _warn(found, tol, floor)
    if features:
        _check_nothing_is_missing(stages.rows[stages.first])
        worths = _back(stages, worths, stages.atoms, stages.first)
        found.features = worths * _dense(stages.rows[stages.first])[:, None]
        found.feature_bias = found.outputs - found.features.sum(axis=2)
        found.feature_names = stages.feature_names(stages.first)
    return found


def _atom_names(stages):
    """Return numbered atoms, or outputs if codes say more than one thing of one."""
    width = stages.rows[stages.atoms].shape[1]
    coder = stages.transformers[stages.atoms - 1] if stages.atoms else None
    if width == getattr(coder, "components_", np.empty(0)).shape[0]:
        return np.array([f"atom {atom}" for atom in range(width)], dtype=object)
    return stages.feature_names(stages.atoms)


def _back(stages, worths, begin, end):
    for place in range(begin, end, -1):
        X, Z = stages.rows[place - 1], stages.rows[place]
        worths = pull_back(stages.transformers[place - 1], X, Z, worths)
    return worths


def _without_atoms(stages):
    """Return what the network is given for rows whose codes are zero."""
    codes = stages.rows[stages.atoms]
    rows = np.zeros((1, codes.shape[1]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        for transformer in stages.transformers[stages.atoms :]:
            rows = transformer.transform(rows)
    return np.repeat(_dense(rows), codes.shape[0], axis=0)


def _wanted(stages, answers, outputs):
    """Return numbers and names of the outputs that are wanted of each row."""
    network = stages.network
    names = getattr(network, "classes_", np.arange(answers.shape[1]))
    if isinstance(outputs, str):
        if outputs != "predicted" or not hasattr(network, "classes_"):
            raise ValueError(
                'outputs must be None, an array of classes, or "predicted" for a '
                f"classifier. Got {outputs!r} for {type(network).__name__}."
            )
        if isinstance(network, NETWORKS):
            answers = network._outputs(stages.rows[-1]).numpy()
        which = answers.argmax(axis=1)[:, None]
        return which, names[which]
    which = np.arange(len(names))
    if outputs is not None:
        which = _numbers_of(names, np.atleast_1d(outputs))
    which = np.repeat(which[None], len(answers), axis=0)
    return which, names[which]


def _numbers_of(names, outputs):
    places = {name: place for place, name in enumerate(names.tolist())}
    unknown = [name for name in outputs.tolist() if name not in places]
    if unknown:
        raise ValueError(f"outputs must be among {names}. Got {unknown}.")
    return np.array([places[name] for name in outputs.tolist()], dtype=np.intp)


def _rounding(given, Z, start, worths):
    """Return what the rounding of the rows that a network is given may add."""
    eps = np.finfo(np.float32 if given.dtype == np.float32 else np.float64).eps
    return eps * (np.abs(worths) * (np.abs(Z) + np.abs(start))[:, None]).sum(axis=2)


def _warn(found, tol, floor):
    """Say once what atoms' contributions may be off by, as `attribute` promises."""
    largest = np.abs(found.atoms).max(axis=2, initial=0.0)
    sizes = np.abs(found.outputs) + np.abs(found.bias)
    allowed = tol * largest + floor + _ROUNDING * (sizes + largest)
    is_far = found.bounds > allowed
    if is_far.any():
        worst = np.unravel_index((found.bounds - allowed).argmax(), is_far.shape)
        warn(
            f"What an atom adds is off by up to {found.bounds[worst]:.2g} in "
            f"{is_far.any(axis=1).sum()} of {len(is_far)} rows, where tol={tol} allows "
            f"{allowed[worst]:.2g}. The network bends sharply, or a step behind atoms "
            "is not affine. Raise tol or use a smoother activation.",
            ConvergenceWarning,
        )


def _check_nothing_is_missing(rows):
    values = rows.data if sparse.issparse(rows) else rows
    if np.isnan(values).any():
        raise ValueError(
            "Features of rows with missing values are not told apart. Got NaN in X; "
            "fill them, or use features=False."
        )


def _dense(rows):
    return dense(rows).astype(np.float64, copy=False)
