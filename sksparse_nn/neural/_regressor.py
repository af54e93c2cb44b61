"""A network that predicts numbers."""

import numpy as np
from sklearn.base import RegressorMixin, _fit_context

from sksparse_nn._validation import restored_on_error
from sksparse_nn.neural._base import SparseNet
from sksparse_nn.neural._net import RegressorNet


class SparseNetRegressor(RegressorMixin, SparseNet):
    """A network regressor that owns a skorch net.

    Layers of given sizes, or a torch module of your own, trained on the squared error.
    Targets are standardised inside: neither their unit nor their offset matters.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Widths of the hidden layers; ``()`` is a linear model.

    activation : {"relu", "elu", "gelu", "identity", "leaky_relu", "logistic", "silu", \
            "tanh"}, default="relu"
        What follows each hidden layer.

    module : callable or torch.nn.Module, default=None
        A network of your own in place of the layers above: a module class or function,
        called as ``module(n_features, n_outputs)``, or a module, of which a copy is
        trained on from its weights. It takes rows of ``n_features`` numbers and answers
        rows of ``n_outputs`` standardised targets.

    module_params : dict, default=None
        Keyword arguments of a callable `module`. Each is a parameter of its own too:
        ``module__width`` is the entry ``"width"``.

    l1 : float, default=0.0
        Penalty of the absolute weights of all layers: ``l1`` times their sum is added
        to the loss, by a soft threshold after each step, so that weights become exactly
        zero.

    group_lasso : float, default=0.0
        Penalty of the norms of the first layer's columns, which belong to the input
        features: ``group_lasso`` times their sum is added to the loss, by shrinking the
        columns after each step. Those of features of no use become exactly zero.

    dropout : float, default=0.0
        Share of each hidden layer's values that is dropped in training.

    optimizer : {"adamw", "adam", "adagrad", "rmsprop", "sgd"} or callable, \
            default="adamw"
        The optimizer, or a class such as ``torch.optim.NAdam``. "sgd" has a Nesterov
        momentum of 0.9.

    optimizer_params : dict, default=None
        Further keyword arguments of the optimizer, such as ``{"betas": (0.9, 0.99)}``.
        Each is a parameter of its own too, ``optimizer__betas``.

    learning_rate : float, default=1e-3
        Step size.

    scheduler : "cosine" or callable, default=None
        How the learning rate changes during `fit`. "cosine" lets it fall to zero along
        half a cosine. A callable takes the optimizer and returns one of torch's
        schedulers, which is asked after each epoch, such as
        ``functools.partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9)``.

    weight_decay : float, default=0.0
        Decay of the weights, as the optimizer defines it.

    max_epochs : int, default=50
        Number of passes over the data, or the most of them with `early_stopping`.

    batch_size : int or "auto", default="auto"
        Rows per mini-batch; -1 for all of them. "auto" is a 32nd of the rows that
        `fit` learns from, as a power of two from 16 to 256: small tables then see as
        many steps as they need. Fewer than 32 rows are one batch, and `partial_fit`
        takes 256, whatever the size of a chunk.

    last_batch : {"keep", "drop", "join"}, default="keep"
        What becomes of the rows at the end of an epoch that do not fill a mini-batch:
        they are one of their own, are left out of that epoch, or join the batch before.

    early_stopping : bool, default=False
        Whether to hold a part of the data out, stop when its loss no longer falls and
        go back to the weights of its lowest loss. Equal rows are never on both sides.

    validation_fraction : float, default=0.1
        Share of the data to hold out.

    n_iter_no_change : int, default=5
        Number of epochs without a lower loss before stopping.

    device : str or torch.device, default="cpu"
        Where to train and predict, such as ``"cuda"``.

    warm_start : bool, default=False
        Whether `fit` continues from the weights of the former fit, in the scale of its
        targets.

    callbacks : list, default=None
        Callbacks of skorch, or pairs of a name and one. Shallow copies of them work
        during a training; what they record stands in `history_`. Of a pair, the
        callback's parameters can be set and searched as ``callbacks__NAME__PARAMETER``.

    random_state : int, RandomState instance or None, default=None
        Draws the initial weights, the order of the rows, dropout and the part held out.
        Torch's own generators are left as they were.

    verbose : int, default=0
        Whether to write a line an epoch.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The net; the torch module is ``net_.module_``. It answers standardised targets.

    n_outputs_ : int
        Number of targets of a row.

    n_iter_ : int
        Number of epochs trained.

    history_ : list of dict
        For each epoch ``epoch``, ``train_loss``, ``valid_loss`` if a part was held out,
        and ``dur`` in seconds. Losses are weighted means of half the squared error of
        the standardised targets, without penalties.

    feature_importances_ : ndarray of shape (n_features_in_,)
        Norms of the first layer's columns, of sum one; zero for a feature that
        `group_lasso` has switched off. They compare features of one scale.

    selected_features_ : ndarray of int
        Indices of the features that the network uses, ascending.

    n_features_in_ : int
        Number of features.

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

    _net_class = RegressorNet
    _target_checks = {"multi_output": True, "y_numeric": True}
    _n_classes = 1

    def __init__(
        self,
        hidden_layer_sizes=(128,),
        *,
        activation="relu",
        module=None,
        module_params=None,
        l1=0.0,
        group_lasso=0.0,
        dropout=0.0,
        optimizer="adamw",
        optimizer_params=None,
        learning_rate=1e-3,
        scheduler=None,
        weight_decay=0.0,
        max_epochs=50,
        batch_size="auto",
        last_batch="keep",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        device="cpu",
        warm_start=False,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.module_params = module_params
        self.l1 = l1
        self.group_lasso = group_lasso
        self.dropout = dropout
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.learning_rate = learning_rate
        self.scheduler = scheduler
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.last_batch = last_batch
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on some rows, on from where the net stands.

        The optimizer goes on too. Nothing is held out, whatever `early_stopping`.
        Weights are normalised over all the rows given so far. The first rows set the
        scale of the targets; of a target that does not vary in them, the first that do.

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
            If the data cannot be used, or the loss becomes infinite or NaN. The
            estimator is then as it was before.
        """
        with restored_on_error(self):
            self._train_once(X, y, sample_weight, learn=True)
        return self

    def predict(self, X):
        """Return the predicted targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Shaped as the targets were; float32 if they were, float64 otherwise.
        """
        standardised = self._outputs(X).numpy().astype(np.float64)
        y = (standardised * self._y_scale + self._y_mean).astype(self._y_dtype)
        return y[:, 0] if self._y_is_flat else y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _read_targets(self, y, *, learn):
        targets = y.reshape(len(y), -1)
        if learn:
            self._y_is_flat = y.ndim == 1
            self._y_dtype = np.float32 if y.dtype == np.float32 else np.float64
            self.n_outputs_ = targets.shape[1]
        if targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y must have n_outputs={self.n_outputs_} columns, as in the first "
                f"fit. Got {targets.shape[1]}; set warm_start=False to start anew."
            )
        return targets.astype(np.float64)

    def _learn_scale(self, samples, new):
        mean, scale = _mean_and_scale(samples)
        if not new:
            mean, scale = self._filled_in(mean, scale)
        # A scale of zero: what never varies is answered by its mean alone.
        self._y_mean, self._y_scale = mean, scale

    def _filled_in(self, mean, scale):
        """Take new means and scales where targets have not varied so far."""
        former, known = self._y_mean, self._y_scale > 0
        # Rows of one value, but another than before, vary all the same.
        moved = np.where(
            _is_rounding(mean - former, former), 0.0, np.abs(mean - former)
        )
        varies = scale > 0
        new_mean = np.where(varies, mean, former)
        new_scale = np.where(varies, scale, moved)
        return (
            np.where(known, former, new_mean),
            np.where(known, self._y_scale, new_scale),
        )

    def _check_warm_start(self, samples):
        """Check nothing: the number of outputs was."""

    def _codes(self, y):
        return np.zeros(len(y), dtype=np.intp)

    def _factors(self):
        return np.ones(1)

    def _network_targets(self, y, dtype):
        varies = self._y_scale > 0
        scale = np.where(varies, self._y_scale, 1.0)
        return (varies * (y - self._y_mean) / scale).astype(dtype)


def _mean_and_scale(samples):
    """Return the mean and the standard deviation of each target, zero if constant."""
    mean = np.average(samples.y, axis=0, weights=samples.weight)
    variance = np.average((samples.y - mean) ** 2, axis=0, weights=samples.weight)
    scale = np.sqrt(variance)
    return mean, np.where(_is_rounding(scale, mean), 0.0, scale)


def _is_rounding(deviation, value):
    return np.abs(deviation) <= 10 * np.finfo(np.float64).eps * np.abs(value)
