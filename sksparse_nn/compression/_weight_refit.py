"""New values for the weights that pruning leaves."""

from sksparse_nn.compression._layer_sums import calls_from, column_parts, count_calls
from sksparse_nn.compression._matching import refit_layer, wanted_outputs
from sksparse_nn.modules._layer_rows import matrices
from sksparse_nn.solvers.layers import even_units


def refit_weights(module, original, masks, samples):
    """Solve the weights that are left again, in place.

    In the order of their calls, outputs of layers come as near to those of the same
    layer of the original network as ridge least squares can bring them. Removed weights
    stay zero.

    Parameters
    ----------
    module : torch.nn.Module
        The network without these weights, on the CPU.

    original : torch.nn.Module
        The network with them.

    masks : dict of str to ndarray of bool
        Weights to keep, of the shape of each layer's weight.

    samples : tuple
        Input of the network, of which up to 5000 samples are read, and their weights or
        None.
    """
    n_calls = calls_from(
        count_calls(original, samples), lambda name: not masks[name].all()
    )
    n_calls = {
        name: n
        for name, n in n_calls.items()
        if len(column_parts(original.get_submodule(name))) == 1
    }
    for name, wanted in wanted_outputs(original, n_calls, samples):
        kept = None
        if not masks[name].all():
            kept = masks[name].reshape(matrices(module.get_submodule(name)).shape)
        refit_layer(module, name, wanted, samples, units=even_units, kept=kept)
