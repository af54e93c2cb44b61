"""Look at the activation of a layer while a module runs, and put another in its place.

Activations are shown as arrays of a row a sample, whatever their shape in the module.
"""

from contextlib import contextmanager
from threading import get_ident

import numpy as np
import torch

from sksparse_nn.modules._places import find_place


@contextmanager
def shown(module, layer, see):
    """Show the activation of a layer to a function, whenever the module runs.

    The module answers as in use, without dropout. Afterwards it is as it was, also if
    the body raises; other threads that run it meanwhile see nothing of this.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    layer : str, int or None
        As `find_place` takes it.

    see : callable
        Takes the activation, an ndarray of shape (n_rows, n_units) of its own. What it
        returns, unless None, goes on through the module in its place.

    Raises
    ------
    ValueError
        When the module runs, if the layer does not run once, or its activation is no
        tensor of a row a sample.
    """
    place = find_place(module, layer)
    watch = _Watch(place, see)
    handles = [module.register_forward_pre_hook(watch.begin)]
    if place.is_input:
        handles.append(place.layer.register_forward_pre_hook(watch.see_input))
    else:
        handles.append(place.layer.register_forward_hook(watch.see_output))
    handles.append(module.register_forward_hook(watch.end))
    try:
        with evaluating(module):
            yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def hooked(layers, see, *, inputs=False):
    """Call a function whenever one of some layers runs.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        Which.

    see : callable
        Takes the layer, and its output or its first input. What it returns is not used.

    inputs : bool, default=False
        Whether to look at inputs.
    """

    def before(layer, given):
        see(layer, given[0])

    def after(layer, given, output):
        see(layer, output)

    if inputs:
        handles = [layer.register_forward_pre_hook(before) for layer in layers]
    else:
        handles = [layer.register_forward_hook(after) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(module):
    """Let a module answer as in use, and be as it was afterwards.

    Parameters
    ----------
    module : torch.nn.Module
        Each of its parts gets its own mode back.
    """
    modes = {part: part.training for part in module.modules()}
    if any(modes.values()):
        module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


class _Watch:
    """The hooks of one place, which act in the thread that made them only."""

    def __init__(self, place, see):
        self._place = place
        self._see = see
        self._thread = get_ident()
        self._n_rows, self._n_runs = None, 0

    def begin(self, module, inputs):
        if self._is_elsewhere():
            return
        self._n_rows, self._n_runs = len(inputs[0]) if inputs else None, 0

    def end(self, module, inputs, output):
        if self._is_elsewhere() or self._n_runs == 1:
            return
        raise ValueError(
            f"layer {self._place.name!r} must run once when the network answers. It "
            f"ran {self._n_runs} times; choose another."
        )

    def see_input(self, layer, inputs):
        if self._is_elsewhere():
            return None
        other = self._shown(inputs[0] if inputs else None)
        return None if other is None else (other, *inputs[1:])

    def see_output(self, layer, inputs, output):
        return None if self._is_elsewhere() else self._shown(output)

    def _is_elsewhere(self):
        return get_ident() != self._thread

    def _shown(self, activation):
        self._check(activation)
        self._n_runs += 1
        rows = activation.detach().reshape(len(activation), -1).cpu()
        if rows.dtype not in (torch.float32, torch.float64):
            rows = rows.float()
        other = self._see(np.array(rows.numpy()))
        if other is None:
            return None
        if other.shape != rows.shape:
            raise ValueError(
                f"Layer {self._place.name!r} needs {rows.shape[1]} numbers a row in the"
                f" place of its activation. Got {other.shape[1]}; fit the coder to the"
                " activations of this layer."
            )
        other = np.asarray(other).reshape(activation.shape)
        return torch.from_numpy(np.array(other, order="C")).to(activation)

    def _check(self, activation):
        is_tensor = isinstance(activation, torch.Tensor)
        shape = tuple(activation.shape) if is_tensor else None
        if not shape or self._n_rows not in (None, shape[0]):
            found = f"shape {shape}" if is_tensor else type(activation).__name__
            raise ValueError(
                f"layer {self._place.name!r} must have an activation of a row a sample."
                f" Got {found} from {self._n_rows} samples; choose another."
            )
