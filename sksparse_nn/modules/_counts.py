"""Numbers that a network holds, layer by layer, and the work that they make."""

import numpy as np
from scipy import sparse

from sksparse_nn.modules._facts import is_known, multiply_adds, stored
from sksparse_nn.modules._hooks import evaluating, hooked
from sksparse_nn.modules._run import float_type, run
from sksparse_nn.modules._size import Size


def network_counts(module, row, what):
    """Count the numbers of a network, and its multiplications for a row.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    row : {array-like, sparse matrix} of shape (1, n_inputs)
        What goes through it.

    what : str
        What counts, in the words of an error.

    Returns
    -------
    counts : list of dict
        For each layer its ``parameters``, those that are ``nonzero``,
        ``bytes_memory``, and ``multiply_adds`` of the row. A weight that several layers
        share is counted in the first.

    Raises
    ------
    TypeError
        If the work of a layer is not known.
    """
    layers = {name: layer for name, layer in module.named_modules() if _holds(layer)}
    for name, layer in layers.items():
        if not is_known(multiply_adds, layer):
            raise TypeError(
                f"{what} cannot count the work of {type(layer).__name__} "
                f"({name!r} of the network). It knows linear layers, convolutions, "
                "normalisations, PReLU and embeddings."
            )
    shapes = _output_shapes(module, layers.values(), row)
    counted, seen = [], set()
    for layer in layers.values():
        size = _unseen(layer, seen) + stored(layer)
        work = sum(multiply_adds(layer, shape) for shape in shapes[layer])
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
    """Tell whether a layer has numbers of its own, not only in its parts."""
    own = next(layer.parameters(recurse=False), None)
    return own is not None or stored(layer).parameters > 0


def _unseen(layer, seen):
    """Measure the parameters that no layer before this one has."""
    own = [p for p in layer.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    return Size.of(own)


def _output_shapes(module, layers, row):
    """Return the shapes of what each layer gives for a row, at each call."""
    found = {layer: [] for layer in layers}
    row = (row if sparse.issparse(row) else np.asarray(row)).astype(float_type(module))
    with (
        evaluating(module),
        hooked(found, lambda layer, output: found[layer].append(tuple(output.shape))),
    ):
        run(module, row, 1)
    return found
