"""A layer of sparse attention over keys, which are trained with the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.autograd.function import once_differentiable

from sksparse_nn.modules._coding import CodingLayer
from sksparse_nn.modules._dictionary import (
    PositiveNumber,
    check_dictionary,
    check_positive,
    check_samples,
)
from sksparse_nn.modules._facts import count_multiply_adds
from sksparse_nn.modules._modes import in_full_precision
from sksparse_nn.solvers.coding import allocate_codes
from sksparse_nn.solvers.simplex import MAPPINGS


class AttentionLayer(CodingLayer):
    """Shares of the keys that samples are near, sparse and of sum one.

    The codes are those of :class:`~sksparse_nn.SparseAttentionCoder` with
    ``iterate=False``. Keys, samples and, if wanted, the temperature are trained.

    Parameters
    ----------
    keys : array-like of shape (n_components, n_features)
        Keys to start from: a fitted coder's `keys_`.

    temperature : float
        Divides half the squared distances of samples and keys; the more, the more keys
        share a sample. A fitted coder has one that suits its samples, `temperature_`.

    mapping : {"sparsemax", "entmax15"} or AbstractMapping, default="sparsemax"
        Function of scores, or an object of the same contract.

    learn_temperature : bool, default=False
        Whether `temperature` is trained too. It stays above zero.

    Attributes
    ----------
    keys : torch.nn.Parameter of shape (n_components, n_features)
        The keys as they are trained.

    n_active : float
        Mean number of nonzero shares per sample, of those coded last.

    See Also
    --------
    SparseCodingLayer : Coefficients of atoms instead of shares of keys.

    References
    ----------
    A. F. T. Martins, R. F. Astudillo (2016), From softmax to sparsemax: a sparse model
    of attention and multi-label classification. ICML.

    B. Peters, V. Niculae, A. F. T. Martins (2019), Sparse sequence-to-sequence models.
    ACL.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import AttentionLayer
    >>> keys = torch.eye(4)
    >>> AttentionLayer(keys, temperature=2.0)(torch.tensor([[1.0, 0.5, 0.0, 0.0]]))
    tensor([[0.5625, 0.3125, 0.0625, 0.0625]], grad_fn=<_SharesBackward>)
    """

    atoms_name = "keys"
    normalises_atoms = False

    def __init__(
        self,
        keys: ArrayLike,
        temperature: float,
        mapping: Any = "sparsemax",
        *,
        learn_temperature: bool = False,
    ) -> None:
        super().__init__()
        keys = check_dictionary(keys, name="keys", zeros=True)
        check_positive(temperature, "temperature")
        self.keys = nn.Parameter(keys)
        self.mapping = MAPPINGS.resolve(mapping, {})
        self._fixed = float(temperature)
        number = PositiveNumber(temperature, "temperature")
        self.learnt_temperature = number if learn_temperature else None
        self.register_buffer("temperature_factor", torch.ones(()))
        self.n_active = 0.0

    @property
    def temperature(self) -> torch.Tensor | float:
        """The temperature as it stands.

        Returns
        -------
        temperature : Tensor of shape () or float
            A tensor where it is trained.
        """
        learnt = self.learnt_temperature
        if learnt is not None:
            return learnt()
        return self._fixed * float(self.temperature_factor)

    def sparsify(self, factor: float) -> None:
        """Divide the temperature.

        Parameters
        ----------
        factor : float
            Above one for fewer nonzeros, below one for more.
        """
        self.temperature_factor /= factor

    @in_full_precision
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Code samples.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_components)
            Not below zero; each row adds up to one.

        Raises
        ------
        ValueError
            If samples have another width.
        """
        check_samples(X, self.keys)
        # What all keys of a sample have in common changes no share.
        centre, unit = self.keys.detach().mean(dim=0), self.temperature**0.5
        # In this unit, squares of large and small numbers stay within their type.
        keys = (self.keys - centre) / unit
        scores = ((X - centre) / unit) @ keys.T - keys.square().sum(dim=1) / 2
        shares = _Shares.apply(scores.to(X.dtype), self.mapping)
        n_active = shares.detach().count_nonzero() / max(len(shares), 1)
        vars(self)["n_active"] = float(n_active)
        return shares

    def reconstruct(self, shares: torch.Tensor) -> torch.Tensor:
        """Return the samples that shares stand for.

        Parameters
        ----------
        shares : Tensor of shape (n_samples, n_components)
            Result of `forward`.

        Returns
        -------
        X : Tensor of shape (n_samples, n_features)
            Means of keys.
        """
        return shares @ self.keys

    def extra_repr(self) -> str:
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shape and its mapping.
        """
        n_keys, n_features = self.keys.shape
        return f"{n_features}, {n_keys}, mapping={self.mapping!r}"


@count_multiply_adds.register
def _(layer: AttentionLayer, shape):
    return shape[0] * layer.keys.numel()


class _Shares(torch.autograd.Function):
    """A mapping of scores onto the simplex, and the gradients of the scores."""

    @staticmethod
    def forward(ctx, scores, mapping):
        numbers = np.ascontiguousarray(scores.detach().cpu().numpy())
        ctx.codes, ctx.mapping = map_scores(numbers, mapping), mapping
        return torch.from_numpy(ctx.codes.copy()).to(scores.device)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradients):
        adjoint = ctx.mapping.adjoint(ctx.codes, gradients.cpu().numpy())
        adjoint = adjoint.astype(ctx.codes.dtype, copy=False)
        return torch.from_numpy(adjoint).to(gradients.device), None


def map_scores(scores, mapping):
    """Return the shares of scores.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_components)
        C-contiguous.

    mapping : AbstractMapping
        The function.

    Returns
    -------
    shares : ndarray of shape (n_samples, n_components)
        Of the same float type.
    """
    n_keys = scores.shape[1]
    codes = allocate_codes(scores, n_keys)
    mapping.encode(_Scores(scores), np.zeros(n_keys), 1.0, codes)
    return codes.dense(n_keys)


class _Scores:
    """Scores in the place of products of samples and keys."""

    def __init__(self, scores):
        self.products, self.norms = scores, np.ones(len(scores))
