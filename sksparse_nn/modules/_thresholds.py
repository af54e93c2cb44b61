"""Layers that look at a sample once: what is above a level, or nearer than the mean."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional

from sksparse_nn.modules._coding import CodingLayer
from sksparse_nn.modules._dictionary import (
    PositiveNumber,
    check_dictionary,
    check_positive,
    check_samples,
)
from sksparse_nn.modules._facts import count_multiply_adds


class SoftThresholdLayer(CodingLayer):
    """Products of samples and unit atoms, shrunk towards zero by a level.

    The codes are those of :class:`~sksparse_nn.SparseDictionaryCoder` with
    ``algorithm="soft_threshold"`` in atoms of unit norm.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        Atoms to start from, of any norm above zero.

    alpha : float
        The level, in the units of the samples.

    positive_code : bool, default=False
        Whether products below zero become zero.

    learn_alpha : bool, default=False
        Whether `alpha` is trained too. It stays above zero.

    Attributes
    ----------
    dictionary : torch.nn.Parameter of shape (n_components, n_features)
        The atoms as they are trained.

    See Also
    --------
    SparseCodingLayer : Codes that reconstruct a sample, which these do not.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import SoftThresholdLayer
    >>> SoftThresholdLayer(torch.eye(2), alpha=0.5)(torch.tensor([[2.0, -0.25]]))
    tensor([[1.5000, 0.0000]], grad_fn=<SubBackward0>)
    """

    def __init__(
        self,
        dictionary: ArrayLike,
        alpha: float,
        *,
        positive_code: bool = False,
        learn_alpha: bool = False,
    ) -> None:
        super().__init__()
        check_positive(alpha, "alpha")
        self.dictionary = nn.Parameter(check_dictionary(dictionary))
        self.positive_code = positive_code
        self._fixed = float(alpha)
        number = PositiveNumber(alpha, "alpha")
        self.learnt_alpha = number if learn_alpha else None

    @property
    def alpha(self) -> torch.Tensor | float:
        """The level as it stands.

        Returns
        -------
        alpha : Tensor of shape () or float
            A tensor where it is trained.
        """
        return self._fixed if self.learnt_alpha is None else self.learnt_alpha()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Code samples.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_components)
            In the float type of the samples.

        Raises
        ------
        ValueError
            If samples have another width.
        """
        check_samples(X, self.dictionary)
        products = X @ functional.normalize(self.dictionary, dim=1).T
        codes = torch.relu(products - self.alpha)
        if not self.positive_code:
            codes = codes - torch.relu(-products - self.alpha)
        return codes.to(X.dtype)


class TriangleLayer(CodingLayer):
    """By how much each atom is nearer to a sample than atoms are on average.

    The codes are those of :class:`~sksparse_nn.SparseDictionaryCoder` with
    ``algorithm="triangle"``.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        Atoms to start from, of any norm.

    Attributes
    ----------
    dictionary : torch.nn.Parameter of shape (n_components, n_features)
        The atoms as they are trained.

    References
    ----------
    A. Coates, A. Ng, H. Lee (2011), An analysis of single-layer networks in
    unsupervised feature learning. AISTATS.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import TriangleLayer
    >>> TriangleLayer(torch.tensor([[0.0], [4.0]]))(torch.tensor([[1.0]]))
    tensor([[1., 0.]], grad_fn=<ReluBackward0>)
    """

    normalises_atoms = False

    def __init__(self, dictionary: ArrayLike) -> None:
        super().__init__()
        self.dictionary = nn.Parameter(check_dictionary(dictionary, zeros=True))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Code samples.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_components)
            Not below zero.

        Raises
        ------
        ValueError
            If samples have another width.
        """
        check_samples(X, self.dictionary)
        distances = torch.cdist(X, self.dictionary)
        return torch.relu(distances.mean(dim=1, keepdim=True) - distances)


@count_multiply_adds.register
def _(layer: SoftThresholdLayer | TriangleLayer, shape):
    return shape[0] * layer.dictionary.numel()
