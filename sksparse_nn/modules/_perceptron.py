"""Layers of which the first takes sparse rows, forward and backward.

Its weights may be stored feature by feature, so that a value of the input meets
contiguous numbers. To torch it is the same matrix, transposed in memory.
"""

from __future__ import annotations

import torch
from torch import nn

from sksparse_nn.modules._sparse_input import (
    SparseBatch,
    SparseProduct,
    is_thin,
    multiply,
)


class Perceptron(nn.Sequential):
    """Layers of which the first is linear and also takes a `SparseBatch`.

    Attributes
    ----------
    trainer : FirstLayerAdam or None
        Multiplies by the first weights and updates them in the backward pass, instead
        of computing their gradient. Not copied.
    """

    trainer = None

    def __getstate__(self):
        return {key: x for key, x in vars(self).items() if key != "trainer"}

    @property
    def sparse_layer(self) -> torch.nn.Module | None:
        """The first layer, if it takes a `SparseBatch`.

        Returns
        -------
        layer : torch.nn.Linear or None
            None if the layer is of another kind, such as a compressed one.
        """
        first = self[0]
        return first if isinstance(first, nn.Linear) else None

    def forward(self, X: torch.Tensor | SparseBatch) -> torch.Tensor:
        """Run the layers.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features) or SparseBatch
            Rows.

        Returns
        -------
        outputs : Tensor of shape (n_rows, n_outputs)
            Output of the last layer.
        """
        if not isinstance(X, SparseBatch):
            return super().forward(X)
        first, *others = self
        trainer = self.trainer
        if trainer is not None and not trainer.is_alone:
            trainer = None
        if torch.is_grad_enabled():
            hidden = SparseProduct.apply(first.weight, X, trainer)
        else:
            hidden = multiply(X, first.weight, trainer)
        if first.bias is not None:
            hidden = hidden + first.bias
        for layer in others:
            hidden = layer(hidden)
        return hidden


def stays_sparse(X, module):
    """Return whether a network takes sparse rows without making them dense.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Input.

    module : torch.nn.Module
        The network.

    Returns
    -------
    stays_sparse : bool
        If False, rows are made dense, one mini-batch at a time.
    """
    if not is_thin(X):  # first, as the quickest check for dense rows
        return False
    layer = getattr(module, "sparse_layer", None)
    if layer is None:
        return False
    if layer._forward_hooks or layer._forward_pre_hooks:
        return False  # hooks expect tensors
    return next(layer.parameters()).device.type == "cpu"


def store_by_feature(layer):
    """Store the weights of a linear layer feature by feature.

    Parameters
    ----------
    layer : torch.nn.Linear
        Its weights keep their shape and values.
    """
    weight = layer.weight.detach()
    layer.weight = nn.Parameter(weight.t().contiguous().t())
