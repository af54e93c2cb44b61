"""Factorization of layers into products of smaller ones."""

from __future__ import annotations

from numbers import Integral, Real

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sksparse_nn.compression._base import Compressor
from sksparse_nn.compression._fine_tuning import fine_tune
from sksparse_nn.compression._layer_ranks import find_spectra
from sksparse_nn.compression._layer_sums import calls_from, count_calls
from sksparse_nn.compression._matching import refit_layer, wanted_outputs
from sksparse_nn.compression._networks import (
    refuse_atoms_alone,
    refuse_quantized,
    set_module,
)
from sksparse_nn.compression._samples import choose_for_layers
from sksparse_nn.modules._facts import factorize, traits
from sksparse_nn.modules._linear_layers import (
    multiplies_by_weights,
    replace_layers,
    select_layers,
)
from sksparse_nn.solvers.layers import (
    choose_exactly,
    choose_share,
    even_units,
    spend_loss,
    spend_weights,
)

# Share of the variance of its outputs that a layer may lose in the mean.
_LOST_SHARE = 0.01

# How weights are solved that are trained afterwards. With a tenth of this ridge, few
# factors of ResNet-8 came nearer to its outputs, but by weights so large that training
# diverged.
_TRAINED = {"ridge": 1e-2, "units": even_units}


class NetFactorizer(Compressor):
    """Fit a network and replace its layers by products of smaller ones.

    The factors keep the directions in which the outputs of a layer vary most for up to
    5000 training samples [1]_. Those of a convolution are one with the same kernel to
    as many channels as the rank, and one of single positions behind it. A layer stays
    as it is if its factors would not hold fewer numbers. So do convolutions of several
    groups, whose matrices are small, and layers of codes, which need the atoms
    themselves.

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
        Rank of each layer.

        - int: the same for all layers;
        - float between 0 and 1: the smallest rank of each layer that keeps this share
          of the variance of its outputs;
        - "auto": those that leave the fewest weights in all, where layers may lose 0.01
          of the variance of their outputs in the mean. Those with much to save lose
          more than others.

    method : {"svd", "tucker2"}, default="svd"
        Factors of a convolution. "tucker2" combines its input channels too: a layer of
        single positions, a smaller kernel, another layer of single positions [2]_. All
        layers of one position have two factors.

    amount : float or None, default=None
        Share to remove, of all layers together.

        It is one of the weights, which go where they cost least. It needs
        ``rank="auto"``. None removes as many as the loss allows.

    refit : bool, default=True
        Whether to solve weights again afterwards, without labels.

        In the order of their calls, the last factor of each layer, and the layers
        behind, come as near to the outputs before as ridge least squares can bring
        them, for up to 5000 training samples, or 1280 where there are convolutions.
        Changes are penalised ten times as much where `fine_tune_epochs` follow, since
        training diverges from large weights.

    fine_tune_epochs : int, default=0
        Epochs of training after the change, at 0.3 of the network's `learning_rate`.

    distill : bool, default=False
        Whether to train on the outputs of the network before the change, not on `y`.

        Then `fine_tune_epochs` need no targets. For classes and for several labels the
        divergence of probabilities is minimised, as by Hinton, Vinyals and Dean (2014),
        for numbers the squared difference. Of a net of skorch the criterion tells
        whether outputs are logits.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`. The estimator inside has a `verbose` of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.

        Its network is the smaller one.

    ranks_ : list of int, tuple or None
        Rank of each linear layer and convolution, None if it was not factorized. That
        of "tucker2" is a tuple of the numbers of input and of output channels.

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
    .. [1] X. Zhang, J. Zou, K. He, J. Sun, "Accelerating Very Deep Convolutional
       Networks for Classification and Detection", IEEE Transactions on Pattern Analysis
       and Machine Intelligence 38, 2016.
    .. [2] Y.-D. Kim, E. Park, S. Yoo, T. Choi, L. Yang, D. Shin, "Compression of Deep
       Convolutional Neural Networks for Fast and Low Power Mobile Applications", ICLR
       2016.

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
        "method": [StrOptions({"svd", "tucker2"})],
        "amount": [Interval(Real, 0, 1, closed="left"), None],
        "refit": ["boolean"],
        "fine_tune_epochs": [Interval(Integral, 0, None, closed="left")],
        "distill": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        rank: int | float | str = "auto",
        method: str = "svd",
        amount: float | None = None,
        refit: bool = True,
        fine_tune_epochs: int = 0,
        distill: bool = False,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.rank = rank
        self.method = method
        self.amount = amount
        self.refit = refit
        self.fine_tune_epochs = fine_tune_epochs
        self.distill = distill
        self.verbose = verbose

    def _check_parameters(self):
        super()._check_parameters()
        if self.amount is not None and self.rank != "auto":
            raise ValueError(
                f"amount needs rank='auto'. Got rank={self.rank!r} and "
                f"amount={self.amount!r}; set one of the two."
            )

    @property
    def _n_tuning_epochs(self):
        return self.fine_tune_epochs

    @property
    def _reads_targets(self):
        return self.fine_tune_epochs > 0 and not self.distill

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

    def _compress(self, network, data, report):
        module = network.net_.module_.cpu()
        samples = choose_for_layers(module, data[0], data[2])
        splits = self.method == "tucker2"
        spectra = find_spectra(module, samples, splits_inputs=splits)
        ranks = dict(zip(spectra, self._choose_ranks(spectra), strict=True))
        smaller, ends = _replace(module, spectra, ranks)
        self.ranks_ = [_as_rank(ranks.get(name)) for name in ends]
        trains = self.fine_tune_epochs > 0
        if self.refit:
            settings = _TRAINED if trains else {}
            _refit(smaller, module, (ranks, ends), samples, settings)
        set_module(network, smaller, trains=trains)
        teacher = module if self.distill else None
        options = {"teacher": teacher, "report": report}
        fine_tune(network, data, self.fine_tune_epochs, **options)
        set_module(network, network.net_.module_)

    def _choose_ranks(self, spectra):
        options = [spectrum.list_options() for spectrum in spectra.values()]
        if self.amount is not None:
            n_whole = sum(spectrum.n_whole for spectrum in spectra.values())
            return spend_weights(options, (1 - self.amount) * n_whole)
        if self.rank == "auto":
            return spend_loss(options, _LOST_SHARE)
        if isinstance(self.rank, Integral):
            pairs = zip(spectra.values(), options, strict=True)
            return [_clip_rank(spectrum, part, self.rank) for spectrum, part in pairs]
        return [choose_share(part, 1 - self.rank) for part in options]


def _clip_rank(spectrum, options, rank):
    """Return a rank, or all directions where they are fewer, if that pays."""
    return choose_exactly(options, [min(rank, n) for n in spectrum.n_directions])


def _as_rank(rank):
    """Return a rank as a number, where it is one, or None for a layer left alone."""
    if not rank:
        return None
    return rank[0] if len(rank) == 1 else rank


def _replace(module, spectra, ranks):
    """Return a copy with factors, and the layers that end what each layer became."""
    names = {layer: name for name, layer in module.named_modules()}
    layers = iter(names[x] for x in select_layers(module, multiplies_by_weights))
    ends = {}

    def replace(layer):
        if not multiplies_by_weights(layer):
            return [layer]
        name, found = next(layers), [layer]
        if ranks.get(name):
            found = factorize(layer, spectra[name].split(ranks[name]))
        ends[name] = found[-1]
        return found

    return replace_layers(module, replace), ends


def _refit(smaller, module, replaced, samples, settings):
    """Solve the last factors, and all layers behind them, again, in place."""
    ranks, ends = replaced
    behind = calls_from(count_calls(module, samples), ranks.get)
    names = {layer: name for name, layer in smaller.named_modules()}
    for name, wanted in wanted_outputs(module, behind, samples):
        refit_layer(smaller, names[ends[name]], wanted, samples, **settings)
