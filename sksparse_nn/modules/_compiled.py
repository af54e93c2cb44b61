"""Compiled modules, whose layers can be neither watched nor replaced."""

from torch import nn
from torch._dynamo import OptimizedModule


def uncompile(module):
    """Return the module inside a compiled one, with no compiled part.

    Parameters
    ----------
    module : torch.nn.Module
        A network, which is changed where parts of it are compiled.

    Returns
    -------
    module : torch.nn.Module
        It has the same weights.
    """
    if isinstance(module, OptimizedModule):
        return uncompile(module._orig_mod)
    _forget_compiled_call(module)
    for parent in list(module.modules()):
        for name, child in parent._modules.items():
            if isinstance(child, OptimizedModule):
                setattr(parent, name, uncompile(child))
    return module


def _forget_compiled_call(module: nn.Module):
    """Undo ``Module.compile``, which works in place."""
    for part in module.modules():
        part._compiled_call_impl = None
