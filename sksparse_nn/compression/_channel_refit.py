"""New weights for the layers behind channels that were removed."""

import numpy as np
import torch

from sksparse_nn.compression._layer_sums import calls_from, count_calls, sum_inputs
from sksparse_nn.compression._matching import refit_layer, wanted_outputs
from sksparse_nn.modules._layer_rows import matrices, mixes_channels


def refit_channels(module, original, couplings, keeps, samples):
    """Solve the weights behind removed channels again, in place.

    In the order of their calls, outputs of layers come as near to those of the same
    layer of the original network as ridge least squares can bring them.

    Parameters
    ----------
    module : torch.nn.Module
        The network without these channels, on the CPU.

    original : torch.nn.Module
        The network with them.

    couplings : Couplings
        Units of the original network.

    keeps : ndarray of bool of shape (n_units,)
        Units that are left.

    samples : tuple
        Input of the network, read where `choose_samples` says, and weights or None.
    """
    n_calls = calls_from(
        count_calls(original, samples),
        lambda name: not _keeps_all(couplings, name, keeps),
    )
    kept = {name: couplings.kept(couplings.outputs[name], keeps) for name in n_calls}
    for name, wanted in wanted_outputs(original, n_calls, samples, kept):
        refit_layer(module, name, wanted, samples)


def _keeps_all(couplings, name, keeps):
    return np.append(keeps, True)[couplings.inputs[name]].all()


def keep_means(module, original, couplings, keeps, samples):
    """Add what removed channels contribute in the mean to biases, in place.

    Parameters
    ----------
    module, original, couplings, keeps, samples : object
        As for `refit_channels`. Layers without a bias are left as they are.
    """
    narrower = {
        name: n_calls
        for name, n_calls in count_calls(original, samples).items()
        if not _keeps_all(couplings, name, keeps)
        if original.get_submodule(name).bias is not None
        if mixes_channels(original.get_submodule(name))
    }
    sums = sum_inputs(original, narrower, samples, centres=True)
    for name in sums:
        rows = couplings.kept(couplings.outputs[name], keeps)
        units = couplings.inputs[name]
        gone = ~np.append(keeps, True)[units]
        shift = _mean_outputs(original.get_submodule(name), sums[name], gone)
        with torch.no_grad():
            module.get_submodule(name).bias += torch.from_numpy(shift[rows])


def _mean_outputs(layer, sums, gone):
    """Return the mean contribution of some input channels to each output."""
    gone = np.repeat(gone, layer.weight[0, 0].numel())
    means = [np.concatenate([part.centred()[0] for part in group]) for group in sums]
    parts = zip(matrices(layer).numpy(), means, np.split(gone, len(sums)), strict=True)
    return np.concatenate([W @ (mean * part) for W, mean, part in parts])
