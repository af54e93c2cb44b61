"""A network behind a layer of codes that is trained with it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Self

import torch
from torch import nn

from sksparse_nn.modules._modes import full_precision
from sksparse_nn.modules._sparse_input import SparseBatch


class CodedNetwork(nn.Sequential):
    """A layer of codes, a fixed scale, and a network that takes the codes.

    Made by `of`.

    Attributes
    ----------
    coding : torch.nn.Module
        Codes samples.

    scale : torch.nn.Module
        Brings the codes to a mean square of about one.

    head : torch.nn.Module
        Takes the codes.

    dropout : float
        Share of the codes that is dropped in training.

    reconstruction : float
        Weight of the reconstruction in training.

    energy : float
        Mean square of the norms of samples, of which the reconstruction loses a share.
    """

    dropout = 0.0
    reconstruction = 0.0
    energy = 1.0

    @classmethod
    def of(
        cls, coding: torch.nn.Module, scale: torch.nn.Module, head: torch.nn.Module
    ) -> Self:
        """Put the parts together.

        Parameters
        ----------
        coding : torch.nn.Module
            Codes samples.

        scale : torch.nn.Module
            Multiplies the codes.

        head : torch.nn.Module
            Takes the codes.

        Returns
        -------
        network : CodedNetwork
            Of these parts, not of copies.
        """
        parts = {"coding": coding, "scale": scale, "head": head}
        return cls(OrderedDict(parts))

    def as_sequence(self) -> Any:
        """Return the layers in one sequence.

        Returns
        -------
        layers : torch.nn.Sequential or None
            The layers themselves, not copies; None if the head is no sequence.
        """
        if not isinstance(self.head, nn.Sequential):
            return None
        scales = self.scale if isinstance(self.scale, nn.Sequential) else [self.scale]
        return nn.Sequential(self.coding, *scales, *self.head)

    def with_sequence(self, layers: Any) -> Self:
        """Return a network of other layers.

        Parameters
        ----------
        layers : torch.nn.Sequential
            As many as `as_sequence` returns.

        Returns
        -------
        network : CodedNetwork
            With the settings of this one.
        """
        n_head = len(self.head)
        head = type(self.head)(*layers[-n_head:])
        twin = CodedNetwork.of(layers[0], self.scale, head)
        for name in ("dropout", "reconstruction", "energy"):
            setattr(twin, name, getattr(self, name))
        return twin.train(self.training)

    @property
    def sparse_layer(self) -> torch.nn.Module | None:
        """The first layer, if it takes a `SparseBatch`.

        Returns
        -------
        layer : torch.nn.Module or None
            None if it needs dense rows.
        """
        return self.coding if getattr(self.coding, "takes_sparse", False) else None

    def forward(
        self, X: torch.Tensor | SparseBatch, weight: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Run the network.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features) or SparseBatch
            Samples.

        weight : Tensor of shape (n_rows,) or None, default=None
            Weights of the samples in the reconstruction, which counts in training.

        Returns
        -------
        outputs : Tensor of shape (n_rows, n_outputs)
            Of the head.
        """
        if getattr(X, "dtype", None) == torch.uint8:  # pixels
            X = X.to(next(self.parameters()).dtype)
        with full_precision():
            codes = self.coding(X)
            if self.training and self.reconstruction > 0:
                lost = self._lost_share(X, codes, weight)
                codes = _WithLoss.apply(codes, self.reconstruction * lost)
            codes = self.scale(codes)
        if self.training and self.dropout > 0:
            codes = nn.functional.dropout(codes, self.dropout)
        return self.head(codes)

    def _lost_share(self, X, codes, weight):
        """Return the share of the samples' squares that codes do not reconstruct."""
        X = X.to_dense() if isinstance(X, SparseBatch) else X
        squares = (X - self.coding.reconstruct(codes)).square().sum(dim=1)
        if weight is not None:
            squares = squares * weight.to(squares)
        return squares.mean() / self.energy


class _WithLoss(torch.autograd.Function):
    """Codes as they are, whose backward pass also descends on another loss.

    The loss that is recorded is then that of the predictions alone.
    """

    @staticmethod
    def forward(ctx, codes, loss):
        ctx.one = torch.ones_like(loss)
        return codes.view_as(codes)

    @staticmethod
    def backward(ctx, gradients):
        return gradients, ctx.one


class Scale(nn.Module):
    """Multiply by a fixed number.

    Parameters
    ----------
    factor : float
        The number.
    """

    def __init__(self, factor):
        super().__init__()
        self.register_buffer("factor", torch.tensor(float(factor)))

    def forward(self, X):
        """Multiply.

        Parameters
        ----------
        X : Tensor
            Any numbers.

        Returns
        -------
        X : Tensor
            Each times the factor.
        """
        return X * self.factor


class SplitSign(nn.Module):
    """What is above zero, and beside it what is below."""

    def forward(self, codes):
        """Split codes by their sign.

        Parameters
        ----------
        codes : Tensor of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        halves : Tensor of shape (n_samples, 2 * n_components)
            None below zero.
        """
        return torch.cat([torch.relu(codes), torch.relu(-codes)], dim=1)
