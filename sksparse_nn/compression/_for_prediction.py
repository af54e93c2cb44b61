"""Copies of estimators without what only training needs."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass

from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from skorch.history import History
from torch.nn import Module

from sksparse_nn._pipelines import (
    drop_samplers,
    is_frame,
    is_screened,
    replace_leaves,
    unwrap,
)
from sksparse_nn.compression._last_network import MLPS
from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.modules._compiled import uncompile
from sksparse_nn.modules._folded_patches import fold_whitening
from sksparse_nn.neural._nesting import NETWORKS
from sksparse_nn.neural._skorch_networks import SkorchNetwork

# What an MLP needs to go on with its training.
_UNUSED = "_optimizer", "_best_coefs", "_best_intercepts"

# What networks hold themselves, and share between their parts.
_OF_NETWORKS = "net_", "_targets"

_OURS = __name__.partition(".")[0]


def for_prediction(estimator: BaseEstimator) -> BaseEstimator:
    """Return a copy of a fitted estimator that holds only what predictions need.

    The copy has neither the state of training nor the estimator before compression,
    and no whitening where trained atoms of patches can contain it.
    Pickle it to get the size that `compression_report` shows.

    Parameters
    ----------
    estimator : estimator
        A fitted network of this package or of skorch, an MLP of scikit-learn, a
        compressor, transformer, or pipeline of these; a search is replaced by its best
        estimator.

    Returns
    -------
    copy : estimator
        Makes the same predictions, but has no `partial_fit`, and no `fit` where
        `module` was given as an instance, which is left out. A compressor is replaced
        by the network or the pipeline inside; a `ScreenedEstimator` keeps its rules,
        not its table of what was excluded. Pipelines keep their class but not their
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
    if is_screened(estimator):
        return _strip_inside(copy(estimator))
    if is_frame(estimator):
        return for_prediction(unwrap(estimator))
    if isinstance(estimator, NETWORKS):
        return _drop_training(estimator)
    if isinstance(estimator, NeuralNet):
        return _drop_training_of_net(estimator)
    slim = deepcopy(estimator)
    unused = _UNUSED if isinstance(slim, MLPS) else ()
    for name in getattr(slim, "_only_for_fitting", unused):
        vars(slim).pop(name, None)
    return _strip_inside(slim) if type(slim).__module__.startswith(_OURS) else slim


def _strip_inside(slim):
    """Strip the estimators that one has fitted, and empty those that it was given."""
    parameters = slim.get_params(deep=False)
    inside = {
        name: value
        for name, value in vars(slim).items()
        if isinstance(value, BaseEstimator) and name not in _OF_NETWORKS
    }
    for name, value in inside.items():
        is_given = name in parameters
        setattr(slim, name, _drop_fit(value) if is_given else for_prediction(value))
    return slim


def _drop_training(network):
    network = deepcopy(network)
    vars(network).pop("_coder_record", None)
    if network._is_tuned:
        vars(network).pop("coder_", None)  # its atoms are in the network
        _fold_coding(network.net_.module_)
    if isinstance(network.module, Module):
        # An untrained twin of the network, as large as it is.
        network.module = network.net_.module = LeftOut(type(network.module).__name__)
    network.net_.optimizer_ = None
    network.net_.history_ = type(network.net_.history)()
    network.history_ = {}
    network._rng = None
    if "coder_" in vars(network):
        network._coder_record = {}  # coders may be others from here on
    network.net_.average = None
    return _strip_inside(network)


def _fold_coding(module):
    if isinstance(module, CodedNetwork):
        module.coding = fold_whitening(module.coding)


def _drop_fit(estimator):
    """Return an estimator as it was before it was fitted, frozen if it is."""
    if isinstance(estimator, FrozenEstimator):
        return FrozenEstimator(_drop_fit(estimator.estimator))
    return clone(estimator)


def _drop_training_of_net(net):
    net = deepcopy(net)
    net.module_ = uncompile(net.module_).eval()
    if isinstance(net.module, Module):
        net.module = LeftOut(type(net.module).__name__)
    SkorchNetwork(net, None, None).drop_optimizers()
    net.callbacks, net.callbacks_, net.history_ = None, [], History()
    return net


@dataclass(frozen=True)
class LeftOut:
    """Stands for a module that was given as an instance."""

    name: str

    def __call__(self, *sizes, **settings):
        raise ValueError(
            f"module must be there to fit a network. Got a copy for prediction, which "
            f"left out the {self.name} that it was given; fit the original."
        )
