"""Epochs of a sparse autoencoder over samples in their own unit."""

import numpy as np
import torch

from sksparse_nn._read_ahead import ReadAhead
from sksparse_nn._shuffled_rows import shuffle_rows
from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._scaling import Scaling
from sksparse_nn.neural._topk_training import Training
from sksparse_nn.solvers._state import prefix_names, split_prefixed

# Numbers of samples that are dense at a time.
_NUMBERS = 2**22

# The fields of a `Scaling`, in order.
_SCALING = "mean", "scale", "unit"

_RNG, _STATE = "rng_", "state_"


class Epochs:
    """A training, the scaling of its samples, and the source of their order.

    Parameters
    ----------
    training : Training
        Trained in place.

    scaling : Scaling
        Of the first samples.

    rng : RandomState
        Draws the order of the samples of each epoch.
    """

    def __init__(self, training, scaling, rng):
        self.training, self.scaling, self.rng = training, scaling, rng

    @classmethod
    def from_arrays(cls, arrays, n_active, learning_rate, device):
        """Restore a training, to continue it with a constant learning rate.

        Parameters
        ----------
        arrays : dict
            A result of `arrays`, which does not change.

        n_active : int
            Nonzero codes per sample, at most.

        learning_rate : float
            Step size of Adam from now on.

        device : torch.device
            Where to train.

        Returns
        -------
        epochs : Epochs
            At the end of the last epoch.
        """
        training = Training.from_arrays(arrays, n_active, learning_rate, device)
        scaling = Scaling(*(arrays[name] for name in _SCALING))
        return cls(training, scaling, _restore_rng(arrays))

    def arrays(self, *, copy=True):
        """Return all that a further epoch needs.

        Parameters
        ----------
        copy : bool, default=True
            Whether the arrays are copies; otherwise no epoch may follow.

        Returns
        -------
        arrays : dict
            NumPy arrays, numbers and strings by name.
        """
        scaling = {name: getattr(self.scaling, name) for name in _SCALING}
        rng = self.rng.get_state(legacy=False)
        rng |= prefix_names(_STATE, rng.pop("state"))
        found = self.training.arrays(copy=copy) | scaling
        return found | prefix_names(_RNG, rng)

    def run(self, X, batch_size):
        """Train on all samples once, in random order.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Samples.

        batch_size : int
            Samples per mini-batch.

        Returns
        -------
        record : dict
            What `Training.run_epoch` returns.
        """
        return self.training.run_epoch(self._batches(X, batch_size))

    def _batches(self, X, batch_size):
        order = shuffle_rows(X, X.shape[0], self.rng)
        with ReadAhead(X) as ahead:
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                ahead.announce(rows)
                yield Batch(self._read, X, rows)

    def _read(self, X, rows):
        decoder = self.training.module.decoder
        dtype = str(decoder.dtype).removeprefix("torch.")
        scaled = self.scaling.apply(dense_rows(X, rows)).astype(dtype, copy=False)
        return torch.from_numpy(scaled).to(decoder.device)


class Batch:
    """A mini-batch, in parts of which each takes little memory when it is dense.

    Parameters
    ----------
    read : callable
        Takes `X` and indices of samples, and returns these as a scaled Tensor.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        All samples.

    rows : ndarray of int
        The samples of the batch.

    Attributes
    ----------
    n_rows, n_parts : int
        Number of samples, and of parts.
    """

    def __init__(self, read, X, rows):
        self._read, self._X = read, X
        size = max(1, _NUMBERS // X.shape[1])
        self._parts = [rows[i : i + size] for i in range(0, len(rows), size)]
        self.n_rows, self.n_parts = len(rows), len(self._parts)

    def __iter__(self):
        """Yield the parts; none is kept while the next one is read."""
        for rows in self._parts:
            yield self._read(self._X, rows)


def _restore_rng(arrays):
    known, _ = split_prefixed(_RNG, arrays)
    inner, known = split_prefixed(_STATE, known)
    name = known["bit_generator"]
    kind = getattr(np.random, name, None)
    if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
        raise ValueError(
            "partial_fit continues from random numbers of a generator of NumPy. Got "
            f"{name!r}; the file that the autoencoder is from is damaged or forged."
        )
    rng = np.random.RandomState(kind())
    rng.set_state(known | {"state": inner})
    return rng
