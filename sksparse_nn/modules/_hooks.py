"""Read, and optionally replace, the activation of a layer while a module runs.

Activations are passed as arrays with one row per sample, whatever their shape in the
module.
"""

from contextlib import contextmanager
from threading import get_ident

import numpy as np
import torch

from sksparse_nn.modules._places import find_place


@contextmanager
def watch_activation(module, layer, see):
    """Pass the activation of a layer to a function whenever the module runs.

    The module is in evaluation mode meanwhile. Its state is restored afterwards, also
    if the body raises. Other threads that run the module are not affected.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    layer : str, int or None
        As `find_place` takes it.

    see : callable
        Takes a copy of the activation, an ndarray of shape (n_samples, n_units). What
        it returns, unless None, replaces the activation.

    Raises
    ------
    ValueError
        When the module runs, if the layer does not run exactly once, or its activation
        is not a tensor with one row per sample.
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
        with evaluation_mode(module):
            yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watch_layers(layers, see, *, inputs=False):
    """Call a function whenever one of some layers runs.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        The layers.

    see : callable
        Takes the layer, and its output or its first input. What it returns is not used.

    inputs : bool, default=False
        Whether to pass inputs instead of outputs.
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
def evaluation_mode(module):
    """Set a module to evaluation mode and restore it afterwards.

    Parameters
    ----------
    module : torch.nn.Module
        The mode of each sublayer is restored.
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
    """The hooks of one place, which act only in the thread that made them."""

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
            f"layer {self._place.name!r} must run once per forward pass. It "
            f"ran {self._n_runs} times; choose another layer."
        )

    def see_input(self, layer, inputs):
        if self._is_elsewhere():
            return None
        other = self._show(inputs[0] if inputs else None)
        return None if other is None else (other, *inputs[1:])

    def see_output(self, layer, inputs, output):
        return None if self._is_elsewhere() else self._show(output)

    def _is_elsewhere(self):
        return get_ident() != self._thread

    def _show(self, activation):
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
                f"Layer {self._place.name!r} needs {rows.shape[1]} numbers per sample "
                f"to replace its activation. Got {other.shape[1]}; fit the coder to "
                "the activations of this layer."
            )
        other = np.asarray(other).reshape(activation.shape)
        return torch.from_numpy(np.array(other, order="C")).to(activation)

    def _check(self, activation):
        is_tensor = isinstance(activation, torch.Tensor)
        shape = tuple(activation.shape) if is_tensor else None
        if not shape or self._n_rows not in (None, shape[0]):
            found = f"shape {shape}" if is_tensor else type(activation).__name__
            raise ValueError(
                f"layer {self._place.name!r} must have an activation of one row per "
                f"sample. Got {found} for {self._n_rows} samples; choose another layer."
            )
