"""What a trained network answers."""

import torch

from sksparse_nn.modules._run import rows_per_block, run


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

    def join(outputs):
        parts = [output.detach().cpu() for output in outputs]
        joined = parts[0] if len(parts) == 1 else torch.cat(parts)
        return joined if then is None else then(joined)

    n_rows = max(net.batch_size, rows_per_block(net.module_, X))
    return run(net.module_, X, n_rows, use=join, private=private)
