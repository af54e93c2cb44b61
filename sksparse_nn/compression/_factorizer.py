"""Factorization of weight matrices into products of two smaller ones."""

from functools import partial
from numbers import Integral, Real

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sksparse_nn.compression._base import Compressor
from sksparse_nn.compression._fine_tuning import fine_tune
from sksparse_nn.compression._networks import (
    read_weighted_products,
    refuse_atoms_alone,
    refuse_quantized,
    set_module,
)
from sksparse_nn.modules._facts import factorize, traits
from sksparse_nn.modules._linear_layers import multiplies_by_weights, replace_layers
from sksparse_nn.solvers.layers import factorize_for_products, factorize_matrix

# Share of the squared norm of a layer's outputs that "auto" may lose.
_LOST_SHARE = 0.01


class NetFactorizer(Compressor):
    """Fit a network and replace its weight matrices by products of two smaller ones.

    The factors are those of a truncated SVD. Of a convolution they are one with the
    same kernel to as many channels as the rank, and one of single positions behind it.
    A layer stays as it is if its factors would not hold fewer numbers. So do
    convolutions of several groups, whose matrices are small, and layers of codes, which
    need the atoms themselves.

    Parameters
    ----------
    estimator : estimator
        The estimator that this one wraps.

        A `SparseNetClassifier` or `SparseNetRegressor`, a net of skorch, an
        ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn, a Pipeline that ends in
        one, or another compressor of one. It is cloned and fitted; one in a
        scikit-learn ``FrozenEstimator`` is copied as it is. An MLP becomes a
        `SparseNetClassifier` or `SparseNetRegressor` that predicts the same.

    rank : int, float or "auto", default="auto"
        Rank of each layer; the share of a layer's squared norm to keep, between 0 and
        1; or "auto": the smallest rank that keeps 0.99 of the squared norm of the
        layer's outputs for up to 5000 training samples. The SVD is then that of the
        outputs.

    fine_tune_epochs : int, default=0
        Epochs of training after the change, at 0.3 of the network's `learning_rate`.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`. The estimator inside has a `verbose` of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.

        Its network is the smaller one.

    ranks_ : list of int or None
        Rank of each linear layer and convolution, None if it was not factorized.

    classes_ : ndarray of shape (n_classes,)
        The labels.

        Only of a classifier.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    NetPruner : Fewer weights or neurons.
    NetQuantizer : Small integers.

    References
    ----------
    J. Xue, J. Li, Y. Gong, "Restructuring of Deep Neural Network Acoustic Models with
    Singular Value Decomposition", Interspeech 2013.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import NetFactorizer, SparseNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((64,), learning_rate=0.01, random_state=0)
    >>> factorizer = NetFactorizer(net, rank=16).fit(X / 16, y)
    >>> factorizer.ranks_
    [16, None]
    >>> factorizer.score(X / 16, y) > 0.9
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "rank": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"auto"}),
        ],
        "fine_tune_epochs": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(self, estimator, *, rank="auto", fine_tune_epochs=0, verbose=0):
        self.estimator = estimator
        self.rank = rank
        self.fine_tune_epochs = fine_tune_epochs
        self.verbose = verbose

    def _check_kind(self, network):
        module = network.net_.module_
        refuse_quantized(module, "NetFactorizer")
        refuse_atoms_alone(module, "NetFactorizer")
        if any(traits(layer).keeps_zeros for layer in module.modules()):
            raise ValueError(
                "NetFactorizer would fill in the zeros of pruned weights. Got a "
                "network of NetPruner(structure='weight'); factorize first and prune "
                "the factors: NetPruner(NetFactorizer(...))."
            )

    def _compress(self, network, data):
        self.ranks_ = []
        module = network.net_.module_
        found = read_weighted_products(module, data) if self.rank == "auto" else []
        products = iter(found)
        module = replace_layers(
            module, lambda layer: self._factorize_layer(layer, products)
        )
        set_module(network, module, trains=self.fine_tune_epochs > 0)
        fine_tune(network, data, self.fine_tune_epochs)
        set_module(network, network.net_.module_)

    def _factorize_layer(self, layer, products):
        if not multiplies_by_weights(layer):
            return [layer]
        if self.rank == "auto":
            products = next(products)
            split = partial(factorize_for_products, products=products, lost=_LOST_SHARE)
        else:
            split = partial(factorize_matrix, rank=self.rank)
        factors = factorize(layer, split)
        self.ranks_.append(None if factors is None else len(factors[0].weight))
        return factors or [layer]
