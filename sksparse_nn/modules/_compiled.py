"""Compiled modules, whose layers can be neither watched nor replaced."""


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
    # Importing the class of compiled modules takes seconds.
    if "_orig_mod" in module._modules:
        return uncompile(module._orig_mod)
    for part in list(module.modules()):
        part._compiled_call_impl = None  # of `Module.compile`, which works in place
        for name, child in part._modules.items():
            if child is not None and "_orig_mod" in child._modules:
                setattr(part, name, uncompile(child))
    return module


def is_compiled(module):
    """Return whether a module has a compiled part.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    Returns
    -------
    is_compiled : bool
        Whether `uncompile` changes it.
    """
    return any(
        "_orig_mod" in part._modules or part._compiled_call_impl is not None
        for part in module.modules()
    )
