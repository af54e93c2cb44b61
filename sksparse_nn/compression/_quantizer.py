"""Quantization of weights, and of inputs of layers, to small integers."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Options, StrOptions

from sksparse_nn.compression._base import Compressor
from sksparse_nn.compression._networks import refuse_quantized, set_module
from sksparse_nn.compression._rounding import round_layers
from sksparse_nn.compression._samples import choose_for_layers, choose_samples
from sksparse_nn.modules._facts import quantize, traits
from sksparse_nn.modules._folding import fold_batch_norms
from sksparse_nn.modules._linear_layers import (
    multiplies_by_weights,
    replace_layers,
    select_layers,
    watch_inputs,
)


class NetQuantizer(Compressor):
    """Fit a network and store its weights as small integers.

    Each row of a weight matrix has its own scale, and so has each output channel of a
    convolution [1]_. The prediction for a sample does not depend on the other samples
    of a batch. Batch normalisation becomes part of the layer ahead of it, where that
    leaves the outputs as they are. Atoms of layers of codes become integers too; the
    inputs of these layers are never rounded. Atoms of patches that are not pruned take
    in the whitening, which is not stored then.

    Parameters
    ----------
    estimator : estimator
        The estimator that this one wraps.

        A `SparseNetClassifier` or `SparseNetRegressor`, a net of skorch, an
        ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn, a Pipeline that ends in
        one, or another compressor of one. It is cloned and fitted; one in a
        scikit-learn ``FrozenEstimator`` is copied as it is. An MLP becomes a
        `SparseNetClassifier` or `SparseNetRegressor` that predicts the same.

    scheme : {"dynamic", "static", "weight_only"}, default="dynamic"
        Treatment of the inputs of layers. "dynamic" rounds them to integers with a
        scale per sample, by its largest input. "static" does so with a scale per layer,
        by the largest input among up to 5000 training samples. "weight_only" leaves
        them as they are.

    n_bits : {8, 4}, default=8
        Bits per weight. 4 bits need ``scheme="weight_only"``; then every 32 weights of
        a row have a scale.

    refit : bool or "auto", default="auto"
        Whether to solve weights again afterwards, without labels.

        In the order of their calls, layers come as near to their outputs before as
        ridge least squares can bring them, for up to 5000 training samples, or 1280
        where there are convolutions. Then they are rounded, column by column, where
        those that follow make up for the error of each [2]_. Zeros of pruned layers
        stay zero. Layers of more than 4096 inputs are only rounded. "auto" is True for
        4 bits: with 8, there is little to gain.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`. The estimator inside has a `verbose` of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.

        Its network is the smaller one, on the CPU.

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
    NetFactorizer : Products of two smaller matrices.

    References
    ----------
    .. [1] B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
       Integer-Arithmetic-Only Inference", CVPR 2018.
    .. [2] E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: Accurate
       Post-Training Quantization for Generative Pre-trained Transformers", ICLR 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import NetQuantizer, SparseNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> net = SparseNetClassifier((64,), learning_rate=0.01, random_state=0)
    >>> NetQuantizer(net).fit(X / 16, y).score(X / 16, y) > 0.95
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "scheme": [StrOptions({"dynamic", "static", "weight_only"})],
        "n_bits": [Options(int, {4, 8})],
        "refit": [StrOptions({"auto"}), "boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        scheme: str = "dynamic",
        n_bits: int = 8,
        refit: bool | str = "auto",
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.scheme = scheme
        self.n_bits = n_bits
        self.refit = refit
        self.verbose = verbose

    def _check_kind(self, network):
        refuse_quantized(network.net_.module_, "NetQuantizer")
        if self.n_bits == 4 and self.scheme != "weight_only":
            raise ValueError(
                f"n_bits=4 needs scheme='weight_only'. Got scheme={self.scheme!r}; set "
                f"one of the two."
            )

    def _compress(self, network, data, report):
        module = fold_batch_norms(
            network.net_.module_.cpu(), choose_samples(data[0])[0]
        )
        names = {layer: name for name, layer in module.named_modules()}
        layers = select_layers(module, multiplies_by_weights)
        scales = self._find_input_scales(module, layers, data[0])
        scales = {
            names[layer]: scale for layer, scale in zip(layers, scales, strict=True)
        }
        if self._is_refitted:
            samples = choose_for_layers(module, data[0], data[2])
            module = round_layers(module, self.n_bits, scales, samples)
        rest = iter(scales.values())

        def integers(layer):
            scale = next(rest) if multiplies_by_weights(layer) else None
            is_done = traits(layer).holds_integers
            return [layer if is_done else quantize(layer, self.n_bits, scale)]

        set_module(network, replace_layers(module, integers))

    @property
    def _is_refitted(self):
        return self.n_bits == 4 if self.refit == "auto" else self.refit

    def _find_input_scales(self, module, layers, X):
        if self.scheme == "static":
            return _scales_of_largest(module, layers, choose_samples(X)[0])
        return [{"dynamic": "row", "weight_only": None}[self.scheme]] * len(layers)


def _scales_of_largest(module, layers, X):
    """Return the scales by which the largest input of each layer becomes 127."""
    largest = dict.fromkeys(layers, 0.0)

    def see(layer, given, which):
        if given.numel():
            largest[layer] = max(largest[layer], given.abs().max().item())

    watch_inputs(module, largest, X, see)
    return [value / 127 or 1.0 for value in largest.values()]
