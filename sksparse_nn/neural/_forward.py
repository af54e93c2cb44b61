"""Run a trained module over the rows of a matrix, block by block."""

import numpy as np
import torch
from scipy import sparse

from sksparse_nn.modules._perceptron import stays_sparse
from sksparse_nn.modules._sparse_input import sparse_rows
from sksparse_nn.modules._threads import threads_worth

# Numbers of input in a block, or of the first layer's output where input is sparse:
# 16 MB of float32.
_BLOCK_SIZE = 2**22


def network_outputs(net, X, *, private, then=None):
    """Return what the network answers for each row.

    Parameters
    ----------
    net : skorch.NeuralNet
        A trained net, its module in evaluation mode.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows of any float type; they are cast to the module's.

    private : bool
        Whether the module must get copies, since it may work in place.

    then : callable or None, default=None
        Applied to the outputs, on as many threads as they were worth.

    Returns
    -------
    outputs : Tensor of shape (n_samples, n_outputs)
        On the CPU, in the module's float type.
    """
    placement = next(net.module_.parameters())
    is_sparse = stays_sparse(X, net.module_)
    width = net.module_[0].out_features if is_sparse else X.shape[1]
    size = max(net.batch_size, _BLOCK_SIZE // width)

    def block(start):
        rows = X[start : start + size]
        if is_sparse:
            return sparse_rows(rows, net.float_type)
        return _tensor(rows, private).to(placement)

    starts, n_rows = range(0, X.shape[0], size), min(size, X.shape[0])
    with torch.inference_mode(), threads_worth(net.module_.parameters(), n_rows):
        outputs = [net.module_(block(start)).detach().cpu() for start in starts]
        outputs = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        return outputs if then is None else then(outputs)


def _tensor(block, private):
    if sparse.issparse(block):
        return torch.from_numpy(block.toarray())
    if private:
        return torch.from_numpy(np.array(block, order="C"))
    # A view where torch can have one: not of read-only memory, not of negative strides.
    return torch.from_numpy(np.require(block, requirements=["C", "W"]))
