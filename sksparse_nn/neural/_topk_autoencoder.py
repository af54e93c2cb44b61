"""A sparse autoencoder, as a transformer."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Self

import numpy as np
import torch
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._history import add_epochs
from sksparse_nn._interrupts import keeps_interrupted
from sksparse_nn._methods import fits
from sksparse_nn._progress import ProgressLines
from sksparse_nn._transformers import AtomsTransformer
from sksparse_nn._typing import Codes, MatrixLike, Seed
from sksparse_nn._validation import (
    check_container,
    check_n_components,
    check_rows,
    restored_on_error,
)
from sksparse_nn._warnings import warn
from sksparse_nn.modules._device import check_device
from sksparse_nn.modules._modes import own_modes
from sksparse_nn.modules._threads import limit_threads
from sksparse_nn.modules._topk import TopKModule
from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._convergence import is_absurd
from sksparse_nn.neural._scaling import Scaling
from sksparse_nn.neural._topk_codes import compute_latents, sparsify_latents
from sksparse_nn.neural._topk_epochs import Epochs
from sksparse_nn.neural._topk_training import Training

# Latents per block.
_BLOCK_SIZE = 2**22
_NUMBERS = 2**23  # dense numbers per block, if samples are wide


class TopKAutoencoder(CallbackSupportMixin, AtomsTransformer):
    """Code each sample by the few atoms that an encoder activates most.

    A sparse autoencoder [1]_: a sample x has the latents max(0, W (x - b)), of which
    the `n_nonzero_coefs` largest are its code c, and is reconstructed as b + c D. The
    matrix W, the bias b and the atoms D are trained together. Coding a sample is one
    product with W, where `SparseDictionaryCoder` searches.

    Parameters
    ----------
    n_components : int, default=256
        Number of atoms.

    n_nonzero_coefs : int, default=16
        Nonzero codes per sample, at most.

        All atoms are active where there are fewer.

    max_epochs : int, default=50
        Passes over the samples, at most.

        The learning rate falls to zero in the last fifth.

    batch_size : int, default=512
        Samples per mini-batch.

    learning_rate : float, default=3e-3
        Step size of the optimizer.

        Samples are scaled inside, so that their own scale does not matter.

    sparse_output : bool, default=True
        Whether codes come as a CSR matrix.

    device : str or torch.device, default="cpu"
        Where to compute, such as ``"cuda"``.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They give the initial atoms and the order of the samples.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per epoch.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The atoms.

        They have unit norm.

    encoder_weights_ : ndarray of shape (n_components, n_features)
        Weights of the encoder: W.

    bias_ : ndarray of shape (n_features,)
        Subtracted before coding and added after reconstruction: b. Training starts from
        the mean.

    n_iter_ : int
        Number of epochs run.

    history_ : dict of ndarray of shape (n_iter_,)
        Values per epoch, an array per quantity.

        "epoch", "train_loss", "n_dead" and "dur" in seconds. The loss is the share of
        the variance that is lost, while training; dead atoms are those that no sample
        has used for long. A call of `partial_fit` is one epoch.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    SparseDictionaryCoder : Codes by search, with atoms by dictionary learning.
    LayerActivations : Activations of a layer of a network.

    Notes
    -----
    Atoms that no sample has used for long are trained on the reconstruction error of
    the others, which revives most of them.

    There is no `merge`: the weights of two networks that were trained apart do not add
    up to those of a network trained on the samples of both.

    References
    ----------
    .. [1] L. Gao et al., "Scaling and Evaluating Sparse Autoencoders", ICLR 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import TopKAutoencoder
    >>> from sksparse_nn.inspection import explained_variance
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = TopKAutoencoder(64, n_nonzero_coefs=8, random_state=0)
    >>> codes = autoencoder.fit_transform(X)
    >>> codes.shape, int(codes.getnnz(axis=1).max())
    ((1797, 64), 8)
    >>> explained_variance(X, autoencoder.inverse_transform(codes)) > 0.7
    True
    """

    # What `transform` does without.
    _only_for_fitting = ("_state",)

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "sparse_output": ["boolean"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 256,
        *,
        n_nonzero_coefs: int = 16,
        max_epochs: int = 50,
        batch_size: int = 512,
        learning_rate: float = 3e-3,
        sparse_output: bool = True,
        device: str | torch.device = "cpu",
        random_state: Seed = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.n_nonzero_coefs = n_nonzero_coefs
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.sparse_output = sparse_output
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @fits
    def fit(self, X: MatrixLike, y: object = None) -> Self:
        """Train encoder and atoms.

        Ctrl-C keeps the epochs that are done, with a warning, if your own code calls
        this method or that of a pipeline that ends here; otherwise it is raised.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. float64 trains in float64, all else in float32.

        y : Ignored
            Present by convention.

        Returns
        -------
        self : TopKAutoencoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If the data or the device cannot be used, or the loss becomes infinite or
            NaN. The estimator is then as it was before.
        """
        with fit_task(self, self.max_epochs, X, y) as task, restored_on_error(self):
            device = check_device(self.device)
            X = check_rows(self, X, reset=True)
            check_n_components(self.n_components, X.shape[1])
            with own_modes(), torch.inference_mode(False), torch.enable_grad():
                self._train(X, device, task)
        return self

    @fits
    def partial_fit(self, X: MatrixLike, y: object = None) -> Self:
        """Train for one more epoch, on the samples of a chunk.

        The state of the optimizer, and how long each atom has waited for a sample, are
        those of the former call or of `fit`. The learning rate does not fall, as a
        stream has no known end. The scaling of samples is that of the first chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, one or more. They are converted to the float type of the first
            chunk.

        y : Ignored
            Present by convention.

        Returns
        -------
        self : TopKAutoencoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If the data or the device cannot be used, or the loss becomes infinite or
            NaN. The estimator is then as it was before.
        """
        with restored_on_error(self):
            device = check_device(self.device)
            X = check_rows(self, X, reset=not hasattr(self, "components_"))
            check_n_components(self.n_components, X.shape[1])
            with own_modes(), torch.inference_mode(False), torch.enable_grad():
                self._train_once(X, device)
        return self

    def transform(self, X: MatrixLike) -> Codes:
        """Code samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : CSR matrix or ndarray of shape (n_samples, n_components)
            Nonnegative codes, in the float type of `X`.
        """
        check_is_fitted(self)
        check_container(self)
        X = check_rows(self, X, reset=False)
        n_rows = max(
            1, min(_BLOCK_SIZE // len(self.components_), _NUMBERS // X.shape[1])
        )
        n_rows = min(X.shape[0], n_rows)
        weights, bias = self._on_device(X.dtype)
        n_active, parts = min(self.n_nonzero_coefs, len(weights)), []
        modes, few = own_modes(), limit_threads([weights], n_rows)
        with modes, torch.inference_mode(), few:
            for start in range(0, X.shape[0], n_rows):
                rows = np.arange(start, min(start + n_rows, X.shape[0]))
                rows = torch.from_numpy(dense_rows(X, rows)).to(weights.device)
                latents = compute_latents(rows, weights, bias)
                largest = latents.topk(n_active, dim=1, sorted=False)
                parts.append(sparsify_latents(*largest, len(weights)))
        codes = parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")
        return codes if self.sparse_output else codes.toarray()

    def _reconstruct(self, codes):
        return super()._reconstruct(codes) + self.bias_.astype(codes.dtype, copy=False)

    def _draw_atoms(self, dtype, rng):
        atoms = rng.standard_normal((self.n_components, self.n_features_in_))
        atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
        return torch.from_numpy(atoms.astype(dtype))

    def _train(self, X, device, task):
        n_batches = math.ceil(X.shape[0] / self.batch_size)
        epochs = self._begin(X, device, self.max_epochs * n_batches)
        history, learnt = [], None

        def epoch():
            nonlocal history, learnt
            learnt = epochs.arrays() if history else None
            record = self._run_epoch(epochs, len(history) + 1, X, report)
            learnt, history = None, [*history, record]

        def fitted():
            record = {"history_": add_epochs({}, history), "n_iter_": len(history)}
            return record | _attributes(epochs.arrays(), epochs.scaling)

        report = self._report()
        with self._limit_threads(epochs, X):
            try:
                task.run(epoch, self.max_epochs, fitted)
            except KeyboardInterrupt:
                if not (history and self._keeps(history)):
                    raise
        self.history_, self.n_iter_ = add_epochs({}, history), len(history)
        self._warn_if_diverged(self.learning_rate * n_batches * self.n_iter_)
        self._store(learnt or epochs.arrays(copy=False), epochs.scaling)

    def _train_once(self, X, device):
        """Train for one more epoch, from the present state if there is one."""
        new = not hasattr(self, "components_")
        epochs = self._begin(X, device) if new else self._resume(device)
        number, former = (1, {}) if new else (self.n_iter_ + 1, self.history_)
        with self._limit_threads(epochs, X):
            record = self._run_epoch(epochs, number, X, self._report())
        self.history_, self.n_iter_ = add_epochs(former, [record]), number
        learnt = epochs.arrays(copy=False)
        self._warn_if_diverged(self.learning_rate * learnt["n_steps"])
        self._store(learnt, epochs.scaling)

    def _begin(self, X, device, n_steps=None):
        scaling, rng = Scaling.of(X), check_random_state(self.random_state)
        atoms = self._draw_atoms(X.dtype, rng).to(device)
        module = TopKModule(atoms, min(self.n_nonzero_coefs, len(atoms)))
        return Epochs(Training(module, self.learning_rate, n_steps), scaling, rng)

    def _resume(self, device):
        if not hasattr(self, "_state"):
            raise ValueError(
                "partial_fit continues from the optimizer's state. Got an autoencoder "
                "that was reduced to prediction, which has none; train the original."
            )
        n_atoms = len(self.components_)
        if self.n_components != n_atoms:
            raise ValueError(
                f"partial_fit continues with the {n_atoms} atoms that are there. Got "
                f"n_components={self.n_components}; set it back, or call fit."
            )
        n_active = min(self.n_nonzero_coefs, n_atoms)
        return Epochs.from_arrays(self._state, n_active, self.learning_rate, device)

    def _limit_threads(self, epochs, X):
        n_rows = min(self.batch_size, X.shape[0])
        return limit_threads(epochs.training.module.parameters(), n_rows)

    def _report(self):
        return ProgressLines(type(self).__name__, self.verbose)

    def _run_epoch(self, epochs, number, X, report):
        record = {"epoch": number} | epochs.run(X, self.batch_size)
        self._check_loss(record)
        loss, n_dead = record["train_loss"], record["n_dead"]
        report(f"epoch {number}: train loss {loss:.5f}, {n_dead} atoms dead")
        return record

    def _warn_if_diverged(self, path):
        loss = self.history_["train_loss"][-1]
        if is_absurd(loss, 1.0, path):
            warn(
                "Training has diverged: the loss of the last epoch is "
                f"{loss:.3g}, where no atoms at all would give 1. Lower "
                f"learning_rate={self.learning_rate}.",
                ConvergenceWarning,
            )

    def _keeps(self, history):
        return keeps_interrupted(self, len(history), self.max_epochs)

    def _check_loss(self, record):
        if not math.isfinite(record["train_loss"]):
            raise ValueError(
                f"Training met a loss of {record['train_loss']} in epoch "
                f"{record['epoch']}. Lower learning_rate={self.learning_rate}."
            )

    def _store(self, state, scaling):
        vars(self).update(_attributes(state, scaling))

    def _on_device(self, dtype):
        device = check_device(self.device)
        return [
            torch.from_numpy(part.astype(dtype)).to(device)
            for part in (self.encoder_weights_, self.bias_)
        ]


def _attributes(state, scaling):
    bias = scaling.undo(state["bias"]).astype(state["bias"].dtype)
    return {
        "components_": state["decoder"],
        "encoder_weights_": state["encoder"],
        "bias_": bias,
        "_state": state,
    }
