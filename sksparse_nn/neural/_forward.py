"""Run a trained module over the rows of a matrix, block by block."""

import numpy as np
import torch
from scipy import sparse

from sksparse_nn.neural._torch_threads import threads_worth

# Numbers of input in a block: 16 MB of float32.
_BLOCK_SIZE = 2**22


def network_outputs(net, X, *, private):
    """Return what the network answers for each row.

    Parameters
    ----------
    net : skorch.NeuralNet
        A trained net, its module in evaluation mode.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows of any float type; they are cast to the module's.

    private : bool
        Whether the module must get copies, since it may work in place.

    Returns
    -------
    outputs : Tensor of shape (n_samples, n_outputs)
        On the CPU, in the module's float type.
    """
    placement = next(net.module_.parameters())
    size = max(net.batch_size, _BLOCK_SIZE // X.shape[1])
    starts = range(0, X.shape[0], size)
    n_rows = min(size, X.shape[0])
    with torch.inference_mode(), threads_worth(net.module_, n_rows):
        blocks = (_tensor(X[start : start + size], private) for start in starts)
        outputs = [net.module_(block.to(placement)).cpu() for block in blocks]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs)


def _tensor(block, private):
    if sparse.issparse(block):
        return torch.from_numpy(block.toarray())
    if private:
        return torch.from_numpy(np.array(block, order="C"))
    # A view where torch can have one: not of read-only memory, not of negative strides.
    return torch.from_numpy(np.require(block, requirements=["C", "W"]))
