"""The activations of a network's layer, as features."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
)
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing, check_array, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._documented import Documented
from sksparse_nn._methods import available_if, fits_others
from sksparse_nn._progress import ProgressLines
from sksparse_nn._saved import Saved
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import restored_on_error
from sksparse_nn.inspection.activations._networks import (
    activations,
    check_network,
    find_network_and_rows,
)
from sksparse_nn.neural._nesting import RoutesFit, fit_copy


def _has_positions(estimator):
    return bool(estimator.positions)


class LayerActivations(
    CallbackSupportMixin,
    RoutesFit,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    Saved,
    Documented,
    BaseEstimator,
):
    """Transform samples into the activations of a layer of a network.

    Ahead of a `SparseDictionaryCoder` or a `TopKAutoencoder` in a pipeline it is
    dictionary learning on activations [1]_: each activation combines few atoms, and an
    atom is easier to interpret than a unit of the layer.

    Parameters
    ----------
    estimator : estimator
        The estimator that this one wraps.

        A `SparseNetClassifier`, a `SparseNetRegressor`, a net of skorch, a Pipeline
        that ends in one, or a compressor of one. It is cloned and fitted; one in a
        scikit-learn ``FrozenEstimator`` is copied as it is, and needs no targets.

    layer : str, int or None, default=None
        Layer whose output to return: a name of ``module.named_modules()``, or a
        position among the layers without sublayers, from the end if negative. None is
        the input of the last linear layer, which is the last hidden representation.

    positions : bool or "channels_last", default=False
        Whether to return one row per position of the layer.

        Channels of images or sequences, at each place, are then the features: a
        dictionary of them is learnt as for activations of language models. True takes
        the first dimension of a sample as channels, as those of convolutions are,
        "channels_last" the last, as in transformers. The rows of a sample follow one
        another, and a step behind that needs targets does not fit them.

    batch_size : int, default=1024
        Samples per mini-batch.

        Number of samples per forward pass.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`. The estimator inside has a `verbose` of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.

    n_positions_ : int
        Rows per sample.

        One, unless `positions` is set.

    n_features_in_ : int
        Number of features seen in `fit`.

        Only defined if the estimator defines it.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    explained_variance : Share of the variance that a reconstruction explains.
    loss_recovered : Loss of the network with a reconstruction.
    steer : Predictions of the network without an atom.

    Notes
    -----
    Activations of more than two dimensions are flattened, unless `positions` is set:
    those of a convolution have a column for each channel and position, in channel-major
    order.

    References
    ----------
    .. [1] T. Bricken et al., "Towards Monosemanticity: Decomposing Language Models With
       Dictionary Learning", Transformer Circuits Thread 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import (
    ...     LayerActivations, SparseDictionaryCoder, SparseNetClassifier
    ... )
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((32,), learning_rate=0.01, random_state=0)
    >>> net = net.fit(X / 16, y)
    >>> LayerActivations(FrozenEstimator(net)).fit_transform(X / 16).shape
    (1797, 32)
    >>> atoms = make_pipeline(
    ...     LayerActivations(FrozenEstimator(net)),
    ...     SparseDictionaryCoder(
    ...         64, algorithm="omp", n_nonzero_coefs=4, random_state=0
    ...     ),
    ... )
    >>> atoms.fit_transform(X / 16).shape
    (1797, 64)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "layer": [str, Integral, None],
        "positions": ["boolean", StrOptions({"channels_last"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        layer: str | int | None = None,
        positions: bool | str = False,
        batch_size: int = 1024,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.layer = layer
        self.positions = positions
        self.batch_size = batch_size
        self.verbose = verbose

    @fits_others
    def fit(self, X: MatrixLike, y: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Fit the estimator, unless it is frozen, and find the layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; not used if the estimator is frozen.

        **fit_params : dict
            Further parameters of the estimator's `fit`, such as `sample_weight`. With
            ``enable_metadata_routing`` they are routed to where they are requested.

        Returns
        -------
        self : LayerActivations
            The fitted transformer.

        Raises
        ------
        TypeError
            If there is no network at the end of the estimator.
        ValueError
            If the network has no such layer.
        """
        with fit_task(self, 1, X, y) as task, restored_on_error(self):
            self._validate_params()
            check_network(self.estimator, type(self).__name__)
            check_structure(X)
            check_structure(y, "y")
            report = ProgressLines(type(self).__name__, self.verbose)
            self.estimator_ = fit_copy(self, task, X, y, **fit_params)
            report(f"fitted {type(self.estimator_).__name__}")
            found = self._activations(_first_row(X))
            self.n_positions_, self._n_features_out = found.shape
            for name in ("n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
                if hasattr(self.estimator_, name):
                    setattr(self, name, getattr(self.estimator_, name))
        return self

    def transform(self, X: MatrixLike) -> NDArray:
        """Return the activations.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        activations : ndarray of shape (n_samples, n_units) \
                or (n_samples * n_positions, n_channels)
            In the float type of the network.
        """
        check_is_fitted(self, "estimator_")
        check_structure(X)
        return self._activations(X)

    @available_if(_has_positions)
    def inverse_transform(self, X: ArrayLike) -> NDArray:
        """Join the rows of each sample again.

        Parameters
        ----------
        X : array-like of shape (n_samples * n_positions, n_channels)
            Activations by position, such as a coder's reconstruction. Only with
            `positions`.

        Returns
        -------
        activations : ndarray of shape (n_samples, n_units)
            What `transform` without `positions` returns.

        Raises
        ------
        ValueError
            If there is a part of a sample.
        """
        check_is_fitted(self, "estimator_")
        rows = check_array(X, dtype=[np.float64, np.float32])
        shape = self.n_positions_, self._n_features_out
        if rows.shape[1] != shape[1] or len(rows) % shape[0]:
            raise ValueError(
                f"X must have {shape[0]} rows per sample, and {shape[1]} columns. Got "
                f"X of shape {rows.shape}."
            )
        samples = rows.reshape(-1, *shape)
        if self.positions != "channels_last":
            samples = samples.swapaxes(1, 2)
        return samples.reshape(len(samples), -1)

    def _activations(self, X):
        network, Z = find_network_and_rows(self.estimator_, X)
        return activations(network, Z, self.layer, self.batch_size, self.positions)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        is_frozen = isinstance(self.estimator, FrozenEstimator)
        tags.target_tags = inner.target_tags
        tags.target_tags.required = inner.target_tags.required and not is_frozen
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _first_row(X):
    if sparse.issparse(X):
        X = X.tocsr()
    elif not hasattr(X, "shape"):
        X = np.asarray(X)
    return _safe_indexing(X, slice(0, 1))
