"""Base of the classifier and the regressor: validation, training, outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from functools import partial
from numbers import Integral, Real
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
)
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._documented import Documented
from sksparse_nn._history import add_epochs, first_epochs
from sksparse_nn._holdout import hold_out
from sksparse_nn._interrupts import keeps_interrupted
from sksparse_nn._methods import fits
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import (
    FLOAT_TYPES,
    check_fitted,
    check_rows,
    counting_rows,
    restored_on_error,
)
from sksparse_nn.modules._device import check_device
from sksparse_nn.modules._first_layer import check_first_layer, first_weight
from sksparse_nn.modules._mixed_precision import may_lower
from sksparse_nn.modules._networks import NETWORKS, PATCH_NET
from sksparse_nn.modules._perceptron import stays_sparse
from sksparse_nn.modules._spec import ACTIVATIONS
from sksparse_nn.neural._augmenting import Augmenter, read_augment
from sksparse_nn.neural._batches import STREAMED, TrainingSamples, rows_per_batch
from sksparse_nn.neural._coder import HasCoder, head_of
from sksparse_nn.neural._constant_predictions import warn_if_worse
from sksparse_nn.neural._construction import (
    make_callbacks,
    make_net,
)
from sksparse_nn.neural._continuing import (
    check_partial_fit,
    check_warm_start,
    resume_net,
    take_over,
)
from sksparse_nn.neural._convergence import (
    warn_if_constant,
    warn_if_short,
)
from sksparse_nn.neural._epoch_tasks import EpochTasks, copy_for_prediction
from sksparse_nn.neural._forward import compute_outputs
from sksparse_nn.neural._images import HasImages
from sksparse_nn.neural._net import list_epoch_records
from sksparse_nn.neural._optimizers import OPTIMIZERS
from sksparse_nn.neural._plain_state import HasPlainState
from sksparse_nn.neural._schedule import SCHEDULES
from sksparse_nn.neural._settings import NestedSettings
from sksparse_nn.neural._torch_state import borrow_torch
from sksparse_nn.neural._weight_averaging import WeightAverage
from sksparse_nn.neural._weights import drop_ones, scale_to_mean_one
from sksparse_nn.neural.augmentation import AbstractAugmentation

_NO_EPOCHS = {"epoch": np.empty(0, dtype=int), "train_loss": np.empty(0)}
_MAX_SEED = np.iinfo(np.int32).max
_SMALL_SIZE = 2**14


class SparseNet(
    CallbackSupportMixin,
    HasCoder,
    HasImages,
    NestedSettings,
    HasPlainState,
    Documented,
    BaseEstimator,
    ABC,
):
    """A network as an estimator; subclasses define targets and predictions."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "module": [
            None,
            torch.nn.Module,
            callable,
            StrOptions({*NETWORKS, PATCH_NET}),
        ],
        "coder": [HasMethods(["fit", "transform"]), None],
        "tune_coder": ["boolean", StrOptions({"all"})],
        "reconstruction": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "group_lasso": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "module_params": [dict, None],
        "image_shape": ["array-like", None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "optimizer_params": [dict, None],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "augment": ["array-like", str, AbstractAugmentation, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "scheduler": [StrOptions(set(SCHEDULES)), callable, None],
        "weight_averaging": [Interval(Real, 0, 1, closed="neither"), None],
        "mixed_precision": ["boolean"],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Options(Integral, {-1}),
        ],
        "last_batch": [StrOptions({"keep", "drop", "join"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "device": [str, torch.device],
        "warm_start": ["boolean"],
        "callbacks": [None, list, tuple],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _class_weight = None

    @fits
    def fit(
        self,
        X: MatrixLike,
        y: MatrixLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train a network.

        Ctrl-C stops the training and keeps the epochs that are done, with a warning, if
        your own code calls this method or that of a pipeline that ends here. Inside
        searches, compressors and other estimators it is raised.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. float64 trains in float64, all else in float32. A CSR matrix of at
            most a tenth nonzeros stays sparse through the first layer, forward and
            backward. Otherwise, with a `module` of your own, or on a GPU, samples are
            made dense one mini-batch at a time. Images may also be of shape
            (n_samples, channels, height, width).

        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Targets: labels for a classifier, or an indicator of several labels, zeros
            and ones, dense or sparse; numbers for a regressor.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, of which only the ratios count. Samples of weight
            zero are ignored.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Samples for the ``valid_loss`` of `history_`, and to stop by with
            `early_stopping`; nothing of `X` is then held out.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of `X_val`.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of `X_val`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data, the device or a parameter cannot be used, or the loss becomes
            infinite or NaN. The estimator is then as it was before.
        """
        n_tasks = self.max_epochs + (self.coder is not None or self._has_patch_net)
        given = X, y, sample_weight
        with fit_task(self, n_tasks, *given) as task, restored_on_error(self):
            device = check_device(self.device)
            former = self._find_former()
            new = former is None
            samples = self._read(X, y, sample_weight, reset=new, learn=new)
            self._check_images_are_there()
            self._read_augment()
            self._renew_random_state(new)
            if new:
                self._fit_coder(samples, task)
            samples = self._encode(samples)
            held = self._read_validation(X_val, y_val, sample_weight_val)
            train, valid = (samples, held) if held else self._split(samples)
            if not new:
                self._targets.check_again(samples.y)
            self._targets = self._targets.learn_scale(train.y, train.weight, new)
            self._seen = self._targets.start_sums()
            with borrow_torch(self._rng.randint(_MAX_SEED), device):
                size = rows_per_batch(self.batch_size, len(train))
                net = make_net(self, train, batch_size=size, device=device)
                if not new:
                    take_over(net, former)
                n_run, learnt = self._train(net, train, valid, self.max_epochs, task)
            self._store_coder(train)
            if not warn_if_worse(self, learnt) and n_run == self.max_epochs:
                warn_if_short(self, net.path)
            warn_if_constant(self, train)
        return self

    def _find_former(self):
        """Return the net that a warm start goes on with, or None for a new start."""
        if not (self.warm_start and hasattr(self, "net_")):
            return None
        check_warm_start(self)
        return self.net_

    def _train_once(self, X, y, sample_weight, *, learn):
        """Train for one more epoch."""
        device = check_device(self.device)
        new = not hasattr(self, "net_")
        if not new:
            check_partial_fit(self)
        samples = self._read(X, y, sample_weight, reset=new, learn=learn and new)
        self._check_images_are_there()
        self._read_augment()
        self._renew_random_state(new)
        if new:
            self._fit_coder(samples)
        samples = self._encode(samples)
        self._targets = self._targets.learn_scale(samples.y, samples.weight, new)
        if new:
            self._seen = self._targets.start_sums()
        with borrow_torch(self._rng.randint(_MAX_SEED), device):
            # The size of a chunk does not determine that of a batch.
            size = STREAMED if self.batch_size == "auto" else self.batch_size
            size = rows_per_batch(size, len(samples))
            if new:
                net = make_net(self, samples, batch_size=size, device=device)
            else:
                net = resume_net(self, batch_size=size)
            _, seen = self._train(net, samples, None, 1)
        self._store_coder(samples)
        warn_if_worse(self, seen, is_part=True)

    def _read(self, X, y, sample_weight, *, reset, learn):
        X, y = check_rows(self, X, y=y, reset=reset, **self._target_checks(y))
        rows, weight = counting_rows(X, sample_weight)
        y = y if rows is None else y[rows]
        y, is_known = self._fill_unlabelled(y, learn=learn)
        y = self._read_targets(y, learn=learn)
        weight = drop_ones(weight)
        if is_known is None:
            return TrainingSamples(X, y, weight, rows)
        return TrainingSamples(X, y, weight * is_known, rows, row_weight=weight)

    def _fill_unlabelled(self, y, *, learn):
        """Return targets, any label where there is none, and where there is one.

        That is None for everywhere.
        """
        return y, None

    def _read_validation(self, X, y, sample_weight):
        """Return the validation samples, if any are given."""
        given = {"X_val": X, "y_val": y, "sample_weight_val": sample_weight}
        names = [name for name, value in given.items() if value is not None]
        if not names:
            return None
        if X is None or y is None:
            raise ValueError(
                f"X_val and y_val must be given together. Got {' and '.join(names)} "
                "alone."
            )
        try:
            samples = self._read(X, y, sample_weight, reset=False, learn=False)
            return self._encode(samples)
        except ValueError as error:
            raise ValueError(
                f"X_val and y_val must be like X and y: {error}"
            ) from error

    def _renew_random_state(self, new):
        """Start a stream of random numbers, or continue a copy of the former one."""
        if new or self._rng is None:  # as in a copy for prediction
            self._seed = check_random_state(self.random_state).randint(_MAX_SEED)
            self._rng = np.random.RandomState(self._seed)
        else:
            self._rng = deepcopy(self._rng)

    def _split(self, samples):
        """Hold out samples; a warm start holds out the same ones again."""
        if not self.early_stopping or self.validation_fraction is None:
            return samples, None
        train, valid = hold_out(
            samples.picked,
            samples.weight,
            self._targets.strata(samples.y),
            fraction=self.validation_fraction,
            random_state=np.random.RandomState(self._seed),
        )
        return samples.subset(train), samples.subset(valid)

    def _train(self, net, train, valid, epochs, task=None):
        """Train a net, and make it the net of the estimator; a fit has a task.

        Returns the number of epochs run, and the training samples in the form that the
        loss takes.
        """
        scheduled = task is not None
        self._seen = self._targets.add_to_sums(self._seen, train.y, train.weight)
        former, n_known = net.history, len(net.history)
        train = self._weight_samples(train, self._seen, net)
        train.shuffle = self._rng
        train.augment = self._make_augmenter(train, net)
        if valid is not None:
            valid = self._weight_samples(valid, self._sum_weights(valid), net)
        loss = "train_loss" if valid is None else "valid_loss"
        stop_by = loss if self.early_stopping and scheduled else None
        net.targets_ = self._targets
        net.is_lowered = may_lower(self.mixed_precision, torch.device(net.device))
        self._average_weights(net)
        fitted = partial(self._copy_results, n_known)
        tasks = EpochTasks(task, fitted) if scheduled else None
        net.train(
            train,
            valid,
            epochs=epochs,
            keeps=partial(self._keeps, epochs) if scheduled else None,
            callbacks=make_callbacks(
                self,
                n_epochs=epochs if scheduled else None,
                stop_by=stop_by,
                tasks=tasks,
            ),
        )
        if scheduled:
            net.average = None  # only streams go on with it
        if net.history is not former:
            n_known = 0  # a callback has loaded another history
        vars(self).update(self._results(n_known, net))
        return self.n_iter_ - n_known, train

    def _copy_results(self, n_known, net):
        """Return the results of a training that goes on."""
        return self._results(n_known, net) | {"net_": copy_for_prediction(net)}

    def _results(self, n_known, net):
        known = first_epochs(getattr(self, "history_", _NO_EPOCHS), n_known)
        return {
            "net_": net,
            "history_": add_epochs(known, list_epoch_records(net, n_known)),
            "n_iter_": len(net.history),
        }

    def _average_weights(self, net):
        decay = self.weight_averaging
        if decay is None:
            net.average = None
        elif net.average is None:
            net.average = WeightAverage(net.module_, decay)
        else:
            net.average.decay = decay

    def _keeps(self, n_epochs, n_done):
        return keeps_interrupted(self, n_done, n_epochs)

    def _sum_weights(self, samples):
        nothing = self._targets.start_sums()
        return self._targets.add_to_sums(nothing, samples.y, samples.weight)

    def _weight_samples(self, samples, seen, net):
        """Return samples with targets and weights in the form that the loss takes."""
        factors = self._targets.factors(self._class_weight, self._seen)
        weight = self._targets.loss_weights(
            samples.y, samples.weight, factors=factors, seen=seen
        )
        dtype = net.float_type
        weighted = samples.replace(
            self._targets.encode(samples.y, dtype),
            drop_ones(weight.astype(dtype)),
            scale_to_mean_one(samples.row_weight),
        )
        if stays_sparse(samples.matrix, net.module_):
            weighted.sparse_dtype = dtype
        return weighted

    def _read_augment(self):
        """Return the augmentations; raise if these samples cannot have them."""
        steps = read_augment(self.augment, vars(self).get("image_shape_"))
        codes_first = self.coder is not None and not self.tune_coder
        if steps and codes_first and not self._has_patch_net:
            raise ValueError(
                "augment changes samples ahead of the coder, which has to code them "
                f"anew each time. Got augment={self.augment!r} with tune_coder=False; "
                "set tune_coder=True, or augment=None."
            )
        return steps

    def _make_augmenter(self, samples, net):
        steps = self._read_augment()
        if not steps:
            return None
        samples.sparse_dtype = None
        return Augmenter(
            steps,
            samples,
            vars(self).get("image_shape_"),
            seed=self._rng.randint(_MAX_SEED),
            like=next(net.module_.parameters()).detach(),
        )

    def _outputs(self, X, then=None):
        check_fitted(self, "net_")
        if not self._is_clean_array(X):
            X = check_rows(self, X, reset=False)
        X, private = self._code(X), self.module is not None
        return compute_outputs(self.net_, X, private=private, then=then)

    def _is_clean_array(self, X):
        """Return whether an array is small and clean, so that checks can be skipped."""
        return (
            type(X) is np.ndarray
            and X.dtype in FLOAT_TYPES
            and X.ndim == 2
            and X.shape[1] == self.n_features_in_
            and 0 < X.size <= _SMALL_SIZE
            and not hasattr(self, "feature_names_in_")
            and bool(np.isfinite(X).all())
        )

    @property
    def feature_importances_(self) -> NDArray:
        """Measure the importance of each input feature.

        Returns
        -------
        importances : ndarray of shape (n_features_in_,)
            Norms of the columns of the first layer, divided by their sum; behind a
            coder, of the columns of that layer times the atoms. They compare features
            of the same scale. A feature that `group_lasso` has removed has exactly
            zero.
        """
        check_is_fitted(self, "net_")
        atoms = self._atoms()
        width = self.n_features_in_ if atoms is None else len(atoms)
        module = self.net_.module_
        head = module if atoms is None else head_of(module)
        check_first_layer(head, width, "feature importances")
        weight = first_weight(head).detach().double().cpu().numpy()
        weight = weight if atoms is None else weight @ atoms
        norms = np.linalg.norm(weight, axis=0)
        return norms / (norms.sum() or 1)

    @property
    def selected_features_(self) -> NDArray:
        """List the input features that the network uses.

        Returns
        -------
        indices : ndarray of int
            In ascending order.
        """
        return np.flatnonzero(self.feature_importances_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def _net_class(self):
        return self._targets.net_class

    @property
    @abstractmethod
    def _criterion(self):
        """Callable that makes the loss."""

    @abstractmethod
    def _target_checks(self, y):
        """Return the options with which targets are validated."""

    @abstractmethod
    def _read_targets(self, y, *, learn):
        """Return targets as numbers, and learn or check their kind."""
