"""Pruning of weights, neurons or channels."""

from __future__ import annotations

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sksparse_nn.compression._base import Compressor
from sksparse_nn.compression._channels import (
    count_channels,
    find_couplings,
    remove_channels,
)
from sksparse_nn.compression._fine_tuning import KeepZeros, fine_tune, keep_zeros
from sksparse_nn.compression._layer_sums import UnsolvableError
from sksparse_nn.compression._networks import refuse_quantized, set_module
from sksparse_nn.compression._neurons import remove_neurons
from sksparse_nn.compression._samples import choose_for_layers, spread_samples
from sksparse_nn.compression._weight_refit import refit_weights
from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.modules._coding import dense_atoms, has_atoms
from sksparse_nn.modules._facts import is_convolution, make_plain, prune
from sksparse_nn.modules._linear_layers import (
    has_matrix,
    replace_layers,
    row_scales,
    select_layers,
    trained_weight,
)
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.neural._gradients import loss_gradients
from sksparse_nn.solvers.layers import CRITERIA, choose_weights, largest_of_rows


class NetPruner(Compressor):
    """Fit a network and remove its least important weights, neurons or channels.

    Without neurons or channels layers become narrower, smaller and faster. Removed
    weights become zeros, which take one bit each in storage; large layers with at most
    3 % nonzero weights are multiplied as sparse matrices, all others as dense ones.

    Convolutions lose weights as linear layers do, and always run dense. Entries of
    atoms in layers of codes count as weights. Where a layer normalises its atoms, those
    of unit norm are compared. Each atom keeps its largest entry.

    Parameters
    ----------
    estimator : estimator
        The estimator that this one wraps.

        A `SparseNetClassifier` or `SparseNetRegressor`, a net of skorch, an
        ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn, a Pipeline that ends in
        one, or another compressor of one. It is cloned and fitted; one in a
        scikit-learn ``FrozenEstimator`` is copied as it is. An MLP becomes a
        `SparseNetClassifier` or `SparseNetRegressor` that predicts the same.

    amount : float, default=0.5
        Share to remove, of all layers together.

        It is one of the weights, or of the hidden neurons or channels. Those of all
        layers are ranked together; a layer keeps at least one neuron or channel.

    structure : {"weight", "neuron", "channel"}, default="weight"
        What to remove.

        "channel" removes channels of convolutions and neurons of the linear layers
        around them, from any module. Channels that a sum, a depthwise convolution or a
        group of a normalisation ties together go together. A nested
        ``torch.nn.Sequential`` of layers that treat channels one by one needs nothing
        else, all other modules need ``pip install "sksparse-nn[prune]"``. What cannot
        be done is an error that names the layer.

        "neuron" needs a network of `hidden_layer_sizes`, or a ``torch.nn.Sequential``
        of a layer of codes and linear layers, with layers in between that treat each
        number by itself. Atoms are neurons then.

    criterion : {"layer_adaptive", "magnitude", "first_order"}, \
            default="layer_adaptive"
        Importance of a weight. That of a neuron or channel combines all its incoming
        and outgoing weights, in units of its layer.

        - "layer_adaptive": the square of the weight, divided by the sum of all squares
          in its layer that are not smaller [3]_. Neurons and channels go one after the
          other, each time the one that the next layers miss least, as the squares of
          their outputs tell after a refit [5]_. Without `refit` the same as "magnitude"
          for neurons and channels;
        - "magnitude": the absolute value, in whichever layer. A layer of small weights
          may lose all of them;
        - "first_order": the absolute value of the product of the weight and the
          gradient of the loss [1]_.

    n_steps : int, default=1
        Number of steps in which the amount is reached, larger ones first [2]_.

    refit : bool or "auto", default="auto"
        Whether to solve weights again afterwards, without labels.

        Layer by layer from the first that has changed, outputs for up to 5000 training
        samples, or 1280 where there are convolutions, come as near to those of the
        network before the removal as ridge least squares can bring them [4]_. Removed
        weights stay zero, and layers of more than 4096 inputs that lost single weights
        are left as they are. "auto" is True; but a network whose layers do not see as
        many samples each time, or none, is an error if channels are removed, and left
        without a refit if weights are. If False, the other weights stay as they are,
        and what removed neurons and channels contribute in the mean goes into biases.

    fine_tune_epochs : int, default=5
        Epochs of training after the change, at 0.3 of the network's `learning_rate`.

        They follow each step. Removed weights stay zero.

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

    classes_ : ndarray of shape (n_classes,)
        The labels.

        Only of a classifier.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    NetFactorizer : Products of two smaller matrices.
    NetQuantizer : Small integers.

    References
    ----------
    .. [1] P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, "Pruning Convolutional
       Neural Networks for Resource Efficient Inference", ICLR 2017.
    .. [2] M. Zhu, S. Gupta, "To Prune, or Not to Prune: Exploring the Efficacy of
       Pruning for Model Compression", ICLR Workshop 2018.
    .. [3] J. Lee, S. Park, S. Mo, S. Ahn, J. Shin, "Layer-adaptive Sparsity for the
       Magnitude-based Pruning", ICLR 2021.
    .. [4] Y. He, X. Zhang, J. Sun, "Channel Pruning for Accelerating Very Deep Neural
       Networks", ICCV 2017.
    .. [5] B. Hassibi, D. G. Stork, "Second Order Derivatives for Network Pruning:
       Optimal Brain Surgeon", NIPS 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import NetPruner, SparseNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((64,), learning_rate=0.01, random_state=0)
    >>> pruner = NetPruner(net, amount=0.5, structure="neuron", fine_tune_epochs=3)
    >>> pruner.fit(X / 16, y).estimator_.net_.module_[0].out_features
    32
    >>> pruner.score(X / 16, y) > 0.95
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "amount": [Interval(Real, 0, 1, closed="left")],
        "structure": [StrOptions({"weight", "neuron", "channel"})],
        "criterion": [StrOptions(set(CRITERIA))],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "refit": [StrOptions({"auto"}), "boolean"],
        "fine_tune_epochs": [Interval(Integral, 0, None, closed="left")],
        "distill": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        amount: float = 0.5,
        structure: str = "weight",
        criterion: str = "layer_adaptive",
        n_steps: int = 1,
        refit: bool | str = "auto",
        fine_tune_epochs: int = 5,
        distill: bool = False,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.amount = amount
        self.structure = structure
        self.criterion = criterion
        self.n_steps = n_steps
        self.refit = refit
        self.fine_tune_epochs = fine_tune_epochs
        self.distill = distill
        self.verbose = verbose

    @property
    def _n_tuning_epochs(self):
        return self.n_steps * self.fine_tune_epochs

    @property
    def _reads_targets(self):
        trains_on_them = self.fine_tune_epochs > 0 and not self.distill
        return trains_on_them or self.criterion == "first_order"

    def _check_kind(self, network):
        refuse_quantized(network.net_.module_, "NetPruner")

    def _compress(self, network, data, report):
        training = {"report": report}
        if self.distill:
            training["teacher"] = deepcopy(network.net_.module_)
        module = replace_layers(network.net_.module_, lambda layer: [make_plain(layer)])
        set_module(network, module, trains=True)
        layers = select_layers(network.net_.module_, has_matrix)
        n_neurons = [len(trained_weight(layer)) for layer in layers]
        n_channels = None
        for step in range(1, self.n_steps + 1):
            amount = self.amount * (1 - (1 - step / self.n_steps) ** 3)
            if self.structure == "weight":
                self._remove_weights(network, amount, data, training)
            elif self._removes_neurons(network.net_.module_):
                args = network, amount, n_neurons, data
                self._remove_neurons(*args, training)
            else:
                args = network, amount, n_channels, data
                n_channels = self._remove_channels(*args, training)
        module = network.net_.module_
        if self.structure == "weight":
            module = replace_layers(module, lambda layer: [prune(layer)])
        set_module(network, module)

    def _removes_neurons(self, module):
        """Return whether neurons and atoms are removed, and not channels."""
        if self.structure == "channel" or isinstance(module, CodedNetwork):
            return _is_own(module)
        return True

    def _remove_weights(self, network, amount, data, training):
        ranked = self._criterion.across_layers
        scores = [ranked(layer) for layer in self._score_weights(network, data)]
        masks = choose_weights(scores, amount, _find_needed(network.net_.module_))
        original = deepcopy(network.net_.module_).cpu() if self.refit else None
        masks = [torch.from_numpy(mask).to(network.net_.device) for mask in masks]
        keep_zeros(network.net_.module_, masks)
        if self.refit:
            self._refit_weights(network.net_.module_, original, masks, data)
        keep = KeepZeros(masks)
        fine_tune(network, data, self.fine_tune_epochs, [keep], **training)

    def _refit_weights(self, module, original, masks, data):
        layers = select_layers(original, has_matrix)
        masks = {
            name: masks[layers.index(layer)].cpu().numpy()
            for name, layer in original.named_modules()
            if layer in layers
        }
        samples = choose_for_layers(original, data[0], data[2])
        smaller = deepcopy(module).cpu()
        try:
            refit_weights(smaller, original, masks, samples)
        except UnsolvableError:
            if self.refit != "auto":
                raise
        else:
            module.load_state_dict(smaller.state_dict())

    def _remove_neurons(self, network, amount, n_neurons, data, training):
        scores, refit = self._score_neurons(network, data), bool(self.refit)
        module = network.net_.module_
        module = remove_neurons(module, scores, amount, n_neurons, data, refit=refit)
        set_module(network, module, trains=True)
        fine_tune(network, data, self.fine_tune_epochs, **training)

    def _remove_channels(self, network, amount, n_channels, data, training):
        """Remove channels; return how many the network had before the first step."""
        module = deepcopy(network.net_.module_).cpu()
        couplings = find_couplings(module, data[0])
        n_left = count_channels(couplings)
        n_channels = n_left if n_channels is None else n_channels
        n_removed = n_left - round((1 - amount) * n_channels)
        scores, refit = self._score_neurons(network, data), bool(self.refit)
        module = remove_channels(
            module, couplings, scores, n_removed, data, refit=refit
        )
        set_module(network, module, trains=True)
        fine_tune(network, data, self.fine_tune_epochs, **training)
        return n_channels

    def _score_neurons(self, network, data):
        """Score weights; None where the outputs of the next layers decide."""
        by_outputs = self.refit and self.criterion == "layer_adaptive"
        return None if by_outputs else self._score_weights(network, data)

    def _score_weights(self, network, data):
        layers = select_layers(network.net_.module_, has_matrix)
        weights = [trained_weight(layer) for layer in layers]
        gradients = [np.float32(0)] * len(weights)
        if self.criterion == "first_order":
            gradients = loss_gradients(network, *spread_samples(*data), weights)
        scores = []
        for layer, weight, gradient in zip(layers, weights, gradients, strict=True):
            scales, weight = row_scales(layer), weight.detach().cpu().numpy()
            found = self._criterion.score(weight / scales, gradient * scales)
            scores.append(np.asarray(found, np.float64))
        return scores

    @property
    def _criterion(self):
        return CRITERIA[self.criterion]


def _is_own(module):
    """Return whether neurons are all that a network has: one without convolutions."""
    if isinstance(module, Perceptron):
        return True
    has_codes = any(map(has_atoms, module.modules()))
    return has_codes and not select_layers(module, is_convolution)


def _find_needed(module):
    """Return masks of the largest entries of atoms; None for other layers."""
    return [
        largest_of_rows(dense_atoms(layer)) if has_atoms(layer) else None
        for layer in select_layers(module, has_matrix)
    ]
