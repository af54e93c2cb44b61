"""Parameters, memory and multiply-adds of a network, per layer."""

from sksparse_nn._warnings import warn
from sksparse_nn.modules._facts import count_multiply_adds, is_known, measure_buffers
from sksparse_nn.modules._functional_work import FunctionalWork
from sksparse_nn.modules._hooks import evaluation_mode, watch_layers
from sksparse_nn.modules._run import run
from sksparse_nn.modules._size import Size


def count_in_network(module, row, what):
    """Count the parameters of a network, and its multiply-adds for a sample.

    Warns about layers that do not run, whose parameters count all the same.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    row : {ndarray, CSR matrix} of shape (1, ...)
        A sample to run through it.

    what : str
        Caller, as named in an error.

    Returns
    -------
    counts : list of dict
        For each layer its ``parameters``, those that are ``nonzero``,
        ``bytes_memory``, and ``multiply_adds`` for the sample. A weight that several
        layers share is counted in the first. The last of them has the multiply-adds of
        functions that the network calls without a layer.

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
    shapes, outside = _run_once(module, layers.values(), row)
    _warn_if_idle({name: x for name, x in layers.items() if not shapes[x]}, what)
    counted, seen = [], set()
    for layer in layers.values():
        size = _measure_unseen(layer, seen) + measure_buffers(layer)
        work = sum(count_multiply_adds(layer, shape) for shape in shapes[layer])
        counted.append(_as_row(size, work))
    return [*counted, _as_row(Size(), outside)]


def _as_row(size, work):
    return {
        "parameters": size.parameters,
        "nonzero": size.nonzero,
        "bytes_memory": size.n_bytes,
        "multiply_adds": work,
    }


def _warn_if_idle(layers, what):
    if layers:
        named = [f"{type(x).__name__} ({name!r})" for name, x in layers.items()]
        warn(
            f"{what} counts the parameters of layers that a prediction does not call: "
            f"{', '.join(named)}."
        )


def _holds(layer):
    """Return whether a layer itself has parameters, not only its sublayers."""
    own = next(layer.parameters(recurse=False), None)
    return own is not None or measure_buffers(layer).parameters > 0


def _measure_unseen(layer, seen):
    """Measure the parameters that no earlier layer has."""
    own = [p for p in layer.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    return Size.of(own)


def _run_once(module, layers, row):
    """Return the output shapes of each layer, one per call, and the work outside."""
    found = {layer: [] for layer in layers}
    work = FunctionalWork(found)

    def see(layer, output):
        found[layer].append(tuple(output.shape))

    with evaluation_mode(module), watch_layers(found, see), work.counting():
        run(module, row, 1)
    return found, work.multiply_adds
