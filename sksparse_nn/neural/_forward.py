"""Forward pass of a trained network."""

import torch

from sksparse_nn.modules._run import rows_per_block, run


def compute_outputs(net, X, *, private, then=None):
    """Return the outputs of a network for samples.

    Parameters
    ----------
    net : skorch.NeuralNet
        A trained net, its module in evaluation mode.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples of any float type; they are cast to that of the module.

    private : bool
        Whether the module gets copies, because it may work in place.

    then : callable or None, default=None
        Applied to the outputs, on the threads that the forward pass used.

    Returns
    -------
    outputs : Tensor of shape (n_samples, n_outputs)
        On the CPU, in the module's float type.
    """

    def join(outputs):
        parts = [output.detach().cpu() for output in outputs]
        joined = parts[0] if len(parts) == 1 else torch.cat(parts)
        return joined if then is None else then(joined)

    n_rows = rows_per_block(net.module_, X, net.batch_size)
    return run(net.module_, X, n_rows, use=join, private=private)
