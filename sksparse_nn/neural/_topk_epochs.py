"""Epochs of a sparse autoencoder over samples in their own unit."""

import numpy as np
import torch

from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._scaling import Scaling
from sksparse_nn.neural._topk_training import Training
from sksparse_nn.solvers._state import prefix_names, split_prefixed

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

    def arrays(self):
        """Return all that a further epoch needs.

        Returns
        -------
        arrays : dict
            NumPy arrays, numbers and strings by name.
        """
        scaling = {name: getattr(self.scaling, name) for name in _SCALING}
        rng = self.rng.get_state(legacy=False)
        rng |= prefix_names(_STATE, rng.pop("state"))
        return self.training.arrays() | scaling | prefix_names(_RNG, rng)

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
        decoder, order = self.training.module.decoder, self.rng.permutation(X.shape[0])
        dtype = str(decoder.dtype).removeprefix("torch.")
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            # One expression: a name would keep a batch while it is learnt from.
            yield torch.from_numpy(
                self.scaling.apply(dense_rows(X, chosen)).astype(dtype, copy=False)
            ).to(decoder.device)


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
