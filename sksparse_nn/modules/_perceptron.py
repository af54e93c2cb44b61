"""Layers whose first one takes sparse rows as they are, forward and backward.

Its weights may be stored a feature after the other, so that a value of the input meets
neighbouring numbers: in torch's eyes the matrix is the same, transposed in memory.
"""

from torch import nn

from sksparse_nn.modules._sparse_input import SparseBatch, SparseProduct, is_thin


class Perceptron(nn.Sequential):
    """Layers whose first one is linear, and takes `SparseBatch` too.

    Attributes
    ----------
    trainer : FirstLayerAdam or None
        Multiplies by the first weights, and makes their steps in the backward pass in
        place of their gradient. Not copied.
    """

    trainer = None

    def __getstate__(self):
        return {key: x for key, x in vars(self).items() if key != "trainer"}

    def forward(self, X):
        """Answer rows.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features) or SparseBatch
            Rows.

        Returns
        -------
        outputs : Tensor of shape (n_rows, n_outputs)
            What the last layer answers.
        """
        if not isinstance(X, SparseBatch):
            return super().forward(X)
        first, *others = self
        trainer = self.trainer
        if trainer is not None and not trainer.is_alone:
            trainer = None
        hidden = SparseProduct.apply(first.weight, X, trainer)
        if first.bias is not None:
            hidden = hidden + first.bias
        for layer in others:
            hidden = layer(hidden)
        return hidden


def stays_sparse(X, module):
    """Tell whether a network is given sparse rows as they are.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Input.

    module : torch.nn.Module
        The network.

    Returns
    -------
    stays_sparse : bool
        If not, rows are made dense a mini-batch at a time.
    """
    if not is_thin(X):  # first, since it is soonest known of dense rows
        return False
    if not (isinstance(module, Perceptron) and isinstance(module[0], nn.Linear)):
        return False
    if module[0]._forward_hooks or module[0]._forward_pre_hooks:
        return False  # they are made for tensors
    return module[0].weight.device.type == "cpu"


def store_by_feature(layer):
    """Store the weights of a linear layer a feature after the other.

    Parameters
    ----------
    layer : torch.nn.Linear
        Its weights keep their shape and values.
    """
    weight = layer.weight.detach()
    layer.weight = nn.Parameter(weight.t().contiguous().t())
