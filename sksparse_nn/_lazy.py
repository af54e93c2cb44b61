"""Public names that load on first use, so that a package imports fast."""

from importlib import import_module


def load_on_use(package, homes):
    """Return what a package needs to load its public names on first use.

    Parameters
    ----------
    package : str
        Name of the package.

    homes : dict of str to str
        Module below the package that has each public name.

    Returns
    -------
    __getattr__, __dir__ : callable
        To be defined in the package.
    """

    def find(name):
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def list_names():
        return sorted([*vars(import_module(package)), *homes])

    return find, list_names
