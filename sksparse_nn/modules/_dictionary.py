"""What layers with atoms have in common: checks, and numbers that stay positive."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sksparse_nn.modules._facts import count_multiply_adds
from sksparse_nn.modules._sparse_input import SparseBatch


def check_dictionary(dictionary, *, name="dictionary", zeros=False):
    """Copy atoms to start a layer from.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms.

    name : str, default="dictionary"
        What they are called in messages.

    zeros : bool, default=False
        Whether an atom may be zero.

    Returns
    -------
    atoms : Tensor of shape (n_components, n_features)
        A copy of a float type.

    Raises
    ------
    ValueError
        If they are no matrix of finite numbers, or one is zero.
    """
    atoms = torch.as_tensor(dictionary).detach().clone()
    if not atoms.is_floating_point():
        atoms = atoms.float()
    if atoms.ndim != 2 or 0 in atoms.shape:
        raise ValueError(
            f"{name} must be of shape (n_components, n_features). Got "
            f"{tuple(atoms.shape)}."
        )
    if not atoms.isfinite().all():
        raise ValueError(f"{name} must be finite. Got NaN or infinity.")
    if not zeros and not atoms.norm(dim=1).all():
        raise ValueError(
            f"{name} must have rows of norms above zero. Got one of zeros; leave it "
            "out."
        )
    return atoms


def check_samples(X, atoms):
    """Check the shape of samples.

    Parameters
    ----------
    X : Tensor or SparseBatch
        Samples.

    atoms : Tensor of shape (n_components, n_features)
        What they are coded by.

    Raises
    ------
    ValueError
        If they are not of shape (n_samples, n_features).
    """
    is_sparse = isinstance(X, SparseBatch)
    shape = (len(X), X.n_features) if is_sparse else tuple(X.shape)
    if len(shape) != 2 or shape[1] != atoms.shape[1]:
        raise ValueError(
            f"X must be of shape (n_samples, {atoms.shape[1]}), as the atoms are. Got "
            f"{shape}."
        )


class PositiveNumber(nn.Module):
    """A number above zero that is trained.

    Parameters
    ----------
    value : float
        To start from.

    name : str
        What it is called in messages.

    Attributes
    ----------
    raw : torch.nn.Parameter of shape ()
        The number is the softplus of it.
    """

    def __init__(self, value, name):
        super().__init__()
        check_positive(value, name)
        raw = value + np.log(-np.expm1(-value))
        self.raw = nn.Parameter(torch.tensor(raw, dtype=torch.float64))

    def forward(self):
        """Return the number.

        Returns
        -------
        value : Tensor of shape ()
            Above zero.
        """
        return functional.softplus(self.raw)


@count_multiply_adds.register
def _(layer: PositiveNumber, shape):
    return 0


def check_positive(value, name):
    """Check a number.

    Parameters
    ----------
    value : float
        The number.

    name : str
        What it is called.

    Raises
    ------
    ValueError
        If it is not above zero, or not finite.
    """
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a number above zero. Got {value!r}.")
