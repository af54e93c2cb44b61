"""Multiply-adds of functions that a module calls without a layer."""

from contextlib import contextmanager

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class FunctionalWork(TorchDispatchMode):
    """Count multiply-adds as torch's own counter does, outside of some layers.

    That counter imports torch's compiler, which takes seconds.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        Layers that are counted otherwise.

    Attributes
    ----------
    multiply_adds : int
        The count.
    """

    def __init__(self, layers):
        super().__init__()
        self._layers = list(layers)
        self._n_inside = 0
        self._n_flops = 0

    @property
    def multiply_adds(self):
        """Return the count, half of the floating point operations.

        Returns
        -------
        multiply_adds : int
            So far.
        """
        return self._n_flops // 2

    @contextmanager
    def counting(self):
        """Count while the body runs, which calls the layers as often as it likes."""
        handles = [
            handle
            for layer in self._layers
            for handle in (
                layer.register_forward_pre_hook(self._enter),
                layer.register_forward_hook(self._leave),
            )
        ]
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, layer, inputs):
        self._n_inside += 1

    def _leave(self, layer, inputs, output):
        self._n_inside -= 1

    @classmethod
    def _should_skip_dynamo(cls):
        return False  # otherwise torch imports its compiler

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call a function of torch, and count its work."""
        kwargs = kwargs or {}
        if self._n_inside:
            return func(*args, **kwargs)
        count = flop_registry.get(func._overloadpacket)
        if count is None:
            with self:
                output = func.decompose(*args, **kwargs)
            return func(*args, **kwargs) if output is NotImplemented else output
        output = func(*args, **kwargs)
        self._n_flops += count(*args, **kwargs, out_val=output)
        return output
