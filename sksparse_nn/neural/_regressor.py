"""A network that predicts numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Real
from typing import Any, Self

import torch
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions

from sksparse_nn._methods import fits
from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn._validation import restored_on_error
from sksparse_nn.neural._base import SparseNet
from sksparse_nn.neural._losses import NumberLoss
from sksparse_nn.neural._targets import LOSSES, Numbers, make_loss


class SparseNetRegressor(RegressorMixin, SparseNet):
    """A network regressor that owns a skorch net.

    Layers of given sizes, or a torch module of your own, trained on the squared error
    or another loss. Targets are standardised inside: neither their unit nor their
    offset matters, and of counts with ``loss="poisson"`` not their unit.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Widths of the hidden layers; ``()`` is a linear model.

    activation : {"relu", "elu", "gelu", "identity", "leaky_relu", "logistic", "silu", \
            "tanh"}, default="relu"
        What follows each hidden layer.

    module : {"resnet8", "plain_conv_net", "patch_net"}, callable or \
            torch.nn.Module, default=None
        A network for images, or one of your own, in place of the layers above.

        Names are of networks in `sksparse_nn.modules` for images: `ResNet8`,
        `PlainConvNet`, and `PatchNet`, whose first layer are the atoms of `coder`, or
        of an `ImagePatchCoder` of 32 atoms.

        A module class or function is called as ``module(n_features, n_outputs)``, with
        ``image_shape`` too if it has such an argument. Of a module, a copy is trained
        on from its weights. It maps rows of ``n_features`` numbers, or images, to rows
        of ``n_outputs`` standardised targets.

    module_params : dict, default=None
        Keyword arguments of a `module` that is named or called. Each is a parameter of
        its own too: ``module__width`` is the entry ``"width"``.

    image_shape : tuple of int, default=None
        Shape of the images that samples are: (channels, height, width), or (height,
        width) if there is one channel.

        A sample then has one channel after the other, and a `module` gets images of
        shape (n_rows, channels, height, width), whose channels have mean zero and
        deviation one over the samples of the first training. Images of uint8 stay so
        until their mini-batch is made. None takes the shape of samples of shape
        (n_samples, channels, height, width); others are flat. With a `coder`,
        which takes pixels as they are, only `augment` reads it.

    coder : transformer, default=None
        What writes each sample with few atoms, ahead of the layers.

        It is fitted without the targets first. A `SparseDictionaryCoder`, a
        `SparseAttentionCoder`, a `TruncatedSVDReducer` or an `ImagePatchCoder` with
        thresholds or "triangle" is then trained together with the layers, which take
        its codes; any other transformer needs ``tune_coder=False``. Its parameters can
        be searched as ``coder__alpha``. A coder in a ``FrozenEstimator`` is taken as it
        is fitted.

    tune_coder : bool or "all", default=True
        Whether the atoms of `coder` are trained with the layers.

        "all" trains the `alpha` of a dictionary coder or of soft thresholds of patches,
        or the temperature of an attention coder too. With False this is a pipeline of
        coder and network.

    reconstruction : float, default=0.0
        Weight of the reconstruction in the training of a coder.

        The share of the samples' squares that the codes lose, times this, is added to
        the loss, so that atoms still describe the samples. 0.5 is a start.

    augment : str, AbstractAugmentation, or tuple of these, default=None
        Random changes of the samples of each mini-batch, in this order.

        Of images, "mirror" exchanges left and right in half of them, "shift" moves each
        by up to an eighth of its side, and "cutout" replaces a square of a quarter of
        the side by the mean. Of any samples, "mixup" mixes pairs and their losses, and
        "noise" adds Gaussian noise of half their standard deviation. Objects of
        `sksparse_nn.neural.augmentation` have parameters, such as ``(Mirror(),
        Shift(4), Noise(0.1))``. Samples of a coder that is tuned are changed ahead of
        it. Losses in `history_` are of the changed samples, held-out ones stay as they
        are, and sparse ones are made dense one mini-batch at a time.

    l1 : float, default=0.0
        Penalty of the absolute weights of all layers: ``l1`` times their sum is added
        to the loss, by a soft threshold after each step, so that weights become exactly
        zero.

    group_lasso : float, default=0.0
        Penalty of the norms of the first layer's columns, which belong to the input
        features: ``group_lasso`` times their sum is added to the loss, by shrinking the
        columns after each step. Those of features of no use become exactly zero.

    dropout : float, default=0.0
        Share of each hidden layer's values that is dropped in training, and of the
        codes of a coder that is tuned.

    optimizer : {"adamw", "adam", "adagrad", "rmsprop", "sgd"} or callable, \
            default="adamw"
        The optimizer, or a class such as ``torch.optim.NAdam``. "sgd" has a Nesterov
        momentum of 0.9.

    optimizer_params : dict, default=None
        Further keyword arguments of the optimizer, such as ``{"betas": (0.9, 0.99)}``.
        Each is a parameter of its own too, ``optimizer__betas``.

    learning_rate : float, default=1e-3
        Step size of the optimizer.

    scheduler : {"cosine", "one_cycle"} or callable, default=None
        How the learning rate changes during `fit`. "cosine" lets it fall to zero along
        half a cosine. "one_cycle" lets it rise from a 25th during the first quarter of
        the steps, and then fall to zero. A callable takes the optimizer and returns one
        of torch's schedulers, which is asked after each epoch, such as
        ``functools.partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9)``.

    weight_averaging : float or None, default=None
        Decay of a moving average of the weights, which the network then has, such as
        0.999.

        It averages over about one by one minus this steps, over fewer at first.
        Training itself goes on with its own weights, and with them `partial_fit` goes
        on. Losses of held-out samples are those of the averages.

    weight_decay : float, default=0.0
        Decay of the weights, as the optimizer defines it.

    max_epochs : int, default=50
        Passes over the samples, at most.

        Fewer with `early_stopping`. With "adam" and "adamw" a ConvergenceWarning says
        when they were too few, and how many to take.

    batch_size : int or "auto", default="auto"
        Samples per mini-batch.

        -1 takes all of them. "auto" is a 32nd of the samples that `fit` learns from, as
        a power of two from 16 to 256: small tables then see as many steps as they need.
        Fewer than 32 samples are one batch, and `partial_fit` takes 256, whatever the
        size of a chunk.

    last_batch : {"keep", "drop", "join"}, default="keep"
        What becomes of the samples at the end of an epoch that do not fill a
        mini-batch: they are one of their own, are left out of that epoch, or join the
        batch before.

    early_stopping : bool, default=False
        Whether to stop before `max_epochs` once there is no improvement.

        What is to improve is the loss, which falls. The weights of its lowest value are
        kept. Equal samples are never both held out and learnt from.

    validation_fraction : float or None, default=0.1
        Share of the samples that are held out from training to stop by. None stops by
        the samples that are learnt from.

    n_iter_no_change : int, default=5
        Epochs without improvement after which to stop.

    tol : float, default=1e-3
        When to stop iterating.

        With `early_stopping`, the share of the best loss so far by which it has to fall
        to be an improvement.

    loss : {"squared_error", "absolute_error", "huber", "quantile", "poisson"} or \
            callable, default="squared_error"
        What training makes small.

        It decides what is predicted: the mean by "squared_error", the median by
        "absolute_error", between the two by "huber", a `quantile` by "quantile".
        "poisson" is for counts and other numbers that are not negative: it predicts a
        positive mean, whose logarithm is the output of the network, and errors of small
        numbers weigh more than equal ones of large numbers. A loss of your own takes
        outputs and targets in standard deviations from the mean, both of shape
        (n_samples, n_outputs), and returns the losses per sample or per number, as
        torch's do with ``reduction="none"``.

    quantile : float, default=None
        Which quantile to predict, between 0 and 1; needed with ``loss="quantile"``, and
        read by no other.

    epsilon : float, default=None
        Error from which on "huber" is linear, in robust standard deviations of the
        targets (1.48 times the median distance to their median); None means 1.35. Read
        by no other loss.

    device : str or torch.device, default="cpu"
        Where to compute, such as ``"cuda"``.

    mixed_precision : bool, default=False
        Whether training multiplies in bfloat16 where the device has instructions for
        it, which is faster for convolutions and wide layers.

        Weights, sums and predictions stay in float32. A warning says where the device
        has none; float64 and the codes of a `coder` are computed as they are.

    warm_start : bool, default=False
        Whether `fit` goes on from the former fit.

        It starts from the weights of that fit, in the scale of its targets. Parameters
        that have changed take effect, but an error is raised for the loss, `coder`,
        `tune_coder`, `image_shape`, and what gives layers other sizes. `random_state`
        is not read again.

    callbacks : list, default=None
        Callbacks of skorch, or pairs of a name and one. Shallow copies of them work
        during a training; what they record stands in `history_`, scores in the terms of
        `y`. Of a pair, the callback's parameters can be set and searched as
        ``callbacks__NAME__PARAMETER``.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They give the initial weights, the order of the samples, dropout and the
        held-out samples. Torch's own generators are left as they were.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per epoch.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The net of skorch; its torch module is ``net_.module_``.

        It predicts standardised targets; with ``loss="poisson"`` logarithms of targets
        over their mean, divided by their coefficient of variation if that is below 1.

    coder_ : transformer
        The fitted coder, with the atoms as they are trained; only with `coder`.

    image_shape_ : tuple of int
        Channels, height and width; only if samples are images.

    n_outputs_ : int
        Number of outputs of the network.

        These are targets.

    n_iter_ : int
        Number of epochs run.

    history_ : dict of ndarray of shape (n_iter_,)
        Values per epoch, an array per quantity.

        "epoch", "train_loss", "valid_loss" if a part was held out, "dur" in seconds,
        and what callbacks record; NaN where an epoch has no such value. Losses are
        weighted means over samples and targets, without penalties, of standardised
        targets: half the squared error in standard deviations; the absolute error, the
        Huber loss or the quantile loss in robust standard deviations; half the Poisson
        deviance divided by the mean target and the square of its coefficient of
        variation, if below 1. A ``train_loss`` that still falls wants more epochs or a
        larger `learning_rate`, a ``valid_loss`` that rises fewer, or penalties.

    feature_importances_ : ndarray of shape (n_features_in_,)
        Norms of the first layer's columns, of sum one; zero for a feature that
        `group_lasso` has switched off. They compare features of one scale.

    selected_features_ : ndarray of int
        Indices of the features that the network uses, ascending.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    SparseNetClassifier : The same for labels.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sksparse_nn import SparseNetRegressor
    >>> X, y = load_diabetes(return_X_y=True, scaled=True)
    >>> net = SparseNetRegressor((32,), learning_rate=0.01, random_state=0)
    >>> net.fit(20 * X, y).score(20 * X, y) > 0.5
    True
    """

    _parameter_constraints: dict = {
        **SparseNet._parameter_constraints,
        "loss": [StrOptions(set(LOSSES)), callable],
        "quantile": [Interval(Real, 0, 1, closed="neither"), None],
        "epsilon": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        *,
        activation: str = "relu",
        module: str | Callable | torch.nn.Module | None = None,
        module_params: dict | None = None,
        image_shape: tuple[int, ...] | None = None,
        coder: BaseEstimator | None = None,
        tune_coder: bool | str = True,
        reconstruction: float = 0.0,
        augment: Any = None,
        l1: float = 0.0,
        group_lasso: float = 0.0,
        dropout: float = 0.0,
        optimizer: str | Callable = "adamw",
        optimizer_params: dict | None = None,
        learning_rate: float = 1e-3,
        scheduler: str | Callable | None = None,
        weight_averaging: float | None = None,
        weight_decay: float = 0.0,
        max_epochs: int = 50,
        batch_size: int | str = "auto",
        last_batch: str = "keep",
        early_stopping: bool = False,
        validation_fraction: float | None = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 1e-3,
        loss: str | Callable = "squared_error",
        quantile: float | None = None,
        epsilon: float | None = None,
        device: str | torch.device = "cpu",
        mixed_precision: bool = False,
        warm_start: bool = False,
        callbacks: list | None = None,
        random_state: Seed = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.module_params = module_params
        self.image_shape = image_shape
        self.coder = coder
        self.tune_coder = tune_coder
        self.reconstruction = reconstruction
        self.augment = augment
        self.l1 = l1
        self.group_lasso = group_lasso
        self.dropout = dropout
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.learning_rate = learning_rate
        self.scheduler = scheduler
        self.weight_averaging = weight_averaging
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.last_batch = last_batch
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.loss = loss
        self.quantile = quantile
        self.epsilon = epsilon
        self.device = device
        self.mixed_precision = mixed_precision
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @fits
    def partial_fit(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one more epoch on some samples.

        The optimizer keeps its state. Nothing is held out, whatever `early_stopping`.
        Weights are normalised over all the samples given so far. The first samples set
        the scale of the targets; for a target that is constant in them, the first
        samples in which it varies.

        Parameters that have changed take effect, but an error is raised for those of
        the module, the `coder`, the loss, the `optimizer` and the `device`, and for
        settings of the optimizer that need another state.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If the data or a changed parameter cannot be used, or the loss becomes
            infinite or NaN. The estimator is then as it was before.
        """
        with restored_on_error(self):
            self._train_once(X, y, sample_weight, learn=True)
        return self

    def predict(self, X: MatrixLike) -> NDArray:
        """Return the predicted targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the shape of the targets; float32 if they were, otherwise float64.
        """
        outputs = self._outputs(X).numpy()
        return self._targets.decode(outputs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        # Several counts work too, but the check of scikit-learn for several targets has
        # negative ones, whatever the line above says.
        tags.target_tags.multi_output = self.loss != "poisson"
        return tags

    @property
    def _criterion(self):
        return partial(NumberLoss, self._targets.loss)

    def _target_checks(self, y):
        if sparse.issparse(y):
            raise ValueError(
                f"y must be a dense array of numbers. Got a {type(y).__name__}; give "
                "y.toarray()."
            )
        is_column = getattr(y, "ndim", 1) == 2 and y.shape[1] == 1
        # Without the tag for several targets, a column must be raveled with a warning,
        # as scikit-learn wants.
        several = not (is_column and self.loss == "poisson")
        return {"multi_output": several, "y_numeric": True}

    def _read_targets(self, y, *, learn):
        loss = make_loss(self.loss, quantile=self.quantile, epsilon=self.epsilon)
        if learn:
            self._targets = Numbers.like(y, loss)
        elif loss != self._targets.loss:
            raise ValueError(
                "loss, quantile and epsilon must stay as in the first fit, "
                f"{self._targets.loss}. Got {loss}; call fit with warm_start=False to "
                "start anew."
            )
        self.n_outputs_ = self._targets.n_outputs
        return self._targets.read(y)
