"""Read, and optionally replace, the activation of a layer while a module runs.

Activations are passed as arrays with one row per sample, whatever their shape in the
module, or with one row per position.
"""

from contextlib import contextmanager
from threading import get_ident

import numpy as np
import torch

from sksparse_nn.modules._places import find_place


@contextmanager
def watch_activation(module, layer, see, positions=False):
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

    positions : bool or "channels_last", default=False
        Whether the activation comes as an array of shape (n_samples * n_positions,
        n_channels). Channels are the first dimension of a sample, or the last.

    Raises
    ------
    ValueError
        When the module runs, if the layer does not run exactly once, or its activation
        is not a tensor with one row per sample.
    """
    place = find_place(module, layer)
    watch = _Watch(place, see, positions)
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

    def __init__(self, place, see, positions):
        self._place = place
        self._see = see
        self._positions = positions
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
        last = self._with_channels_last(activation.detach())
        rows = last.reshape(-1, last.shape[-1]).cpu()
        if rows.dtype not in (torch.float32, torch.float64):
            rows = rows.float()
        other = self._see(np.array(rows.numpy()))
        if other is None:
            return None
        if other.shape != rows.shape:
            raise ValueError(
                f"Layer {self._place.name!r} needs {rows.shape[1]} numbers per "
                f"{'position' if self._positions else 'sample'} to replace its "
                f"activation. Got {other.shape[1]}; fit the coder to the activations "
                "of this layer."
            )
        other = np.asarray(other).reshape(last.shape)
        other = torch.from_numpy(np.array(other, order="C")).to(activation)
        return self._as_before(other).reshape(activation.shape)

    def _with_channels_last(self, activation):
        if not self._positions:
            return activation.reshape(len(activation), -1)
        if self._positions == "channels_last" or activation.ndim < 3:
            return activation
        return activation.movedim(1, -1)

    def _as_before(self, activation):
        is_moved = self._positions is True and activation.ndim > 2
        return activation.movedim(-1, 1) if is_moved else activation

    def _check(self, activation):
        is_tensor = isinstance(activation, torch.Tensor)
        shape = tuple(activation.shape) if is_tensor else None
        if not shape or self._n_rows not in (None, shape[0]):
            found = f"shape {shape}" if is_tensor else type(activation).__name__
            raise ValueError(
                f"layer {self._place.name!r} must have an activation of one row per "
                f"sample. Got {found} for {self._n_rows} samples; choose another layer."
            )
