"""Parameters, memory and multiply-adds of a network, per layer."""

import numpy as np
from scipy import sparse

from sksparse_nn.modules._facts import count_multiply_adds, is_known, measure_buffers
from sksparse_nn.modules._hooks import evaluation_mode, watch_layers
from sksparse_nn.modules._run import module_float_type, run
from sksparse_nn.modules._size import Size


def network_counts(module, row, what):
    """Count the parameters of a network, and its multiply-adds for a sample.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    row : {array-like, sparse matrix} of shape (1, n_inputs)
        A sample to run through it.

    what : str
        Caller, as named in an error.

    Returns
    -------
    counts : list of dict
        For each layer its ``parameters``, those that are ``nonzero``,
        ``bytes_memory``, and ``multiply_adds`` for the sample. A weight that several
        layers share is counted in the first.

    Raises
    ------
    TypeError
        If the multiply-adds of a layer are not known.
    """
    layers = {name: layer for name, layer in module.named_modules() if _holds(layer)}
    for name, layer in layers.items():
        if not is_known(count_multiply_adds, layer):
            raise TypeError(
                f"{what} cannot count the multiply-adds of {type(layer).__name__} "
                f"({name!r} of the network). It knows linear layers, convolutions, "
                "normalisations, PReLU and embeddings."
            )
    shapes = _output_shapes(module, layers.values(), row)
    counted, seen = [], set()
    for layer in layers.values():
        size = _measure_unseen(layer, seen) + measure_buffers(layer)
        work = sum(count_multiply_adds(layer, shape) for shape in shapes[layer])
        counted.append(
            {
                "parameters": size.parameters,
                "nonzero": size.nonzero,
                "bytes_memory": size.n_bytes,
                "multiply_adds": work,
            }
        )
    return counted


def _holds(layer):
    """Return whether a layer itself has parameters, not only its sublayers."""
    own = next(layer.parameters(recurse=False), None)
    return own is not None or measure_buffers(layer).parameters > 0


def _measure_unseen(layer, seen):
    """Measure the parameters that no earlier layer has."""
    own = [p for p in layer.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    return Size.of(own)


def _output_shapes(module, layers, row):
    """Return the output shapes of each layer for a sample, one per call."""
    found = {layer: [] for layer in layers}
    row = (row if sparse.issparse(row) else np.asarray(row)).astype(
        module_float_type(module)
    )
    with (
        evaluation_mode(module),
        watch_layers(
            found, lambda layer, output: found[layer].append(tuple(output.shape))
        ),
    ):
        run(module, row, 1)
    return found
