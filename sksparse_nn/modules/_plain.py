"""Networks as plain arrays, numbers, strings, lists and dicts, and back.

What is written is data only: no object of torch, no bytes, nothing that is called when
it is read. Layers of torch and of this package stand there by their names. A class of
the user stands there itself, so that whoever reads decides on it.
"""

import importlib

import numpy as np
import torch
from torch import nn

# Key of dicts that stand for something else.
_MARK = "$"

# Classes of torch are written by name if they are listed there.
_HOMES = {
    "torch.nn": "torch.nn.modules.",
    "torch.optim": "torch.optim.",
    "torch.optim.lr_scheduler": "torch.optim.lr_scheduler",
}

# NumPy has no such numbers; integers of the same size stand for them.
_WITHOUT_NUMPY = {torch.bfloat16: torch.int16}

# What every module has; hooks among it are functions. A compiled call is made anew.
_USUAL = {*vars(nn.Module()), "_compiled_call_impl"} - {
    *("training", "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")
}


class PlainKinds:
    """Kinds of modules that are written by their name.

    The package's own are registered, with what is to be changed in their state.
    """

    def __init__(self):
        self._kinds, self._changes, self._checks = {}, {}, {}

    def register(self, *kinds):
        """Register kinds.

        Parameters
        ----------
        *kinds : type
            Classes of modules of this package.
        """
        self._kinds |= {kind.__name__: kind for kind in kinds}

    def change(self, kind, write, read):
        """Register how a state is changed.

        Parameters
        ----------
        kind : type
            Class of modules; also for those derived from it.

        write : callable
            Takes a state that may be changed, and returns what is written.

        read : callable
            Undoes it.
        """
        self._changes[kind] = write, read

    def check(self, kind, check):
        """Register what must be true of a module that was read.

        Parameters
        ----------
        kind : type
            Class of modules; also for those derived from it.

        check : callable
            Takes a module, and raises a ValueError if its arrays do not fit together.
        """
        self._checks[kind] = check

    def name_of(self, kind):
        """Return the name of a class.

        Parameters
        ----------
        kind : type
            A class of torch, of this package or of the user.

        Returns
        -------
        name : str or None
            None if it has none.
        """
        if self._kinds.get(kind.__name__) is kind:
            return kind.__name__
        return next(
            (
                f"{home}.{kind.__name__}"
                for home in _HOMES
                if _find_in_torch(home, kind.__name__) is kind
            ),
            None,
        )

    def find(self, name):
        """Return the class of a name.

        Parameters
        ----------
        name : str
            From `name_of`.

        Returns
        -------
        kind : type
            The class.

        Raises
        ------
        ValueError
            If there is none.
        """
        home, _, last = str(name).rpartition(".")
        kind = _find_in_torch(home, last) if home else self._kinds.get(last)
        if kind is None:
            raise ValueError(
                "A saved network must be made of layers of torch and of sksparse_nn. "
                f"Got {name!r}; it was saved by a newer version, or is forged."
            )
        return kind

    def changes(self, kind):
        """Return how states of a class are changed.

        Parameters
        ----------
        kind : type
            A class of modules.

        Returns
        -------
        changes : list of tuple
            Pairs of `write` and `read`.
        """
        return [found for known, found in self._changes.items() if _is_a(kind, known)]

    def check_module(self, module):
        """Raise if the arrays of a module do not fit together.

        Compiled loops would read beyond the end of such arrays.

        Parameters
        ----------
        module : torch.nn.Module
            As it was read.

        Raises
        ------
        ValueError
            If they do not.
        """
        for kind, check in self._checks.items():
            if isinstance(module, kind):
                check(module)


KINDS = PlainKinds()


class Writer:
    """Write values; what is met again is written once."""

    def __init__(self):
        self._met = {}

    def write(self, value):
        """Return a value in plain form.

        Parameters
        ----------
        value : object
            A module, a tensor, a class of torch, or a container of such. All else
            stays as it is.

        Returns
        -------
        plain : object
            For `Reader.read`.

        Raises
        ------
        ValueError
            If a module has hooks, which are functions, or a dict of the user cannot be
            told from what stands for something else.
        """
        if isinstance(value, nn.Module):
            return self._write_once(_uncompiled(value), self._write_module)
        if isinstance(value, torch.Tensor):
            return self._write_once(value, _write_tensor)
        if isinstance(value, torch.dtype | np.dtype):
            return _write_dtype(value)
        if isinstance(value, type) and KINDS.name_of(value):
            return {_MARK: "class", "name": KINDS.name_of(value)}
        if isinstance(value, dict):
            return self._write_dict(value)
        if type(value) in (list, tuple):
            return type(value)(map(self.write, value))
        return value

    def _write_dict(self, value):
        if _MARK in value:
            raise ValueError(
                f"A dict with the key {_MARK!r} cannot be saved. Got {value!r}; rename "
                "the key."
            )
        return {key: self.write(part) for key, part in value.items()}

    def _write_once(self, value, write):
        if id(value) in self._met:
            return {_MARK: "same", "number": self._met[id(value)][0]}
        number = len(self._met)
        self._met[id(value)] = number, value  # kept, so that its id stays its own
        return write(value) | {"number": number}

    def _write_module(self, module):
        kind = type(module)
        state = dict(module.__getstate__())
        _check_hooks(module)
        for name in _USUAL:
            state.pop(name, None)
        for write, _ in KINDS.changes(kind):
            state = write(state)
        name = KINDS.name_of(kind)
        plain = {name: self.write(part) for name, part in state.items()}
        return {_MARK: "module", "kind": name or kind, "state": plain}


class Reader:
    """Read what a `Writer` wrote."""

    def __init__(self):
        self._met = {}

    def read(self, plain):
        """Return the value.

        Parameters
        ----------
        plain : object
            From `Writer.write`.

        Returns
        -------
        value : object
            The value.

        Raises
        ------
        ValueError
            If there are bytes in it, or it is not what a `Writer` writes.
        """
        if isinstance(plain, bytes | bytearray):
            raise ValueError(
                "A saved network is made of arrays, numbers and strings. Got bytes; "
                "the file is forged, or of a version that is not supported any more."
            )
        if isinstance(plain, dict):
            return self._read_dict(plain)
        if type(plain) in (list, tuple):
            return type(plain)(map(self.read, plain))
        return plain

    def _read_dict(self, plain):
        if _MARK not in plain:
            return {key: self.read(part) for key, part in plain.items()}
        readers = {
            "module": self._read_module,
            "tensor": self._read_tensor,
            "same": self._read_same,
            "dtype": _read_dtype,
            "class": _read_class,
        }
        read = readers.get(plain[_MARK])
        if read is None:
            raise ValueError(
                f"A saved network has parts of the kinds {sorted(readers)}. Got "
                f"{plain[_MARK]!r}; it was saved by a newer version, or is forged."
            )
        return read(plain)

    def _read_same(self, plain):
        return self._met[plain["number"]]

    def _read_tensor(self, plain):
        tensor = self._met[plain["number"]] = _read_tensor(plain)
        return tensor

    def _read_module(self, plain):
        kind = plain["kind"]
        kind = KINDS.find(kind) if isinstance(kind, str) else kind
        if not _is_a(kind, nn.Module):
            raise ValueError(f"A layer must be a torch.nn.Module. Got {kind!r}.")
        module = self._met[plain["number"]] = kind.__new__(kind)
        nn.Module.__init__(module)
        state = {name: self.read(part) for name, part in plain["state"].items()}
        for _, read in KINDS.changes(kind):
            state = read(state)
        module.__setstate__(state)
        KINDS.check_module(module)
        return module


def _write_tensor(tensor):
    """Write numbers as they lie in memory, and in which order their axes do."""
    values = tensor.detach().cpu()
    values = values.view(_WITHOUT_NUMPY.get(values.dtype, values.dtype))
    axes = _order_axes(values)
    plain = {_MARK: "tensor", "values": values.permute(axes).contiguous().numpy()}
    if axes != list(range(values.ndim)):
        plain["axes"] = axes
    if tensor.dtype in _WITHOUT_NUMPY:
        plain["dtype"] = _write_dtype(tensor.dtype)
    if isinstance(tensor, nn.Parameter):
        plain["is_trained"] = tensor.requires_grad
    return plain


def _read_tensor(plain):
    values = np.array(plain["values"])
    if values.dtype.kind not in "biufc":
        raise ValueError(f"Weights must be numbers. Got an array of {values.dtype}.")
    values = torch.from_numpy(values)
    if "dtype" in plain:
        values = values.view(_read_dtype(plain["dtype"]))
    if "axes" in plain:
        values = _restore_axes(values, plain["axes"])
    if "is_trained" in plain:
        return nn.Parameter(values, requires_grad=plain["is_trained"])
    return values


def _order_axes(values):
    """Return the axes as they lie in memory, the one with the longest steps first.

    Of axes with equal steps, one of length 1 is within the others. By its place torch
    chooses how it sums a convolution of one channel.
    """
    return sorted(
        range(values.ndim), key=lambda axis: (-values.stride(axis), -values.shape[axis])
    )


def _restore_axes(values, axes):
    if sorted(axes) != list(range(values.ndim)):
        raise ValueError(
            f"The axes of weights must be the numbers below {values.ndim}, each once. "
            f"Got {axes!r}; the file is damaged or forged."
        )
    return values.permute(tuple(np.argsort(axes)))


def _write_dtype(dtype):
    home = "torch" if isinstance(dtype, torch.dtype) else "numpy"
    return {_MARK: "dtype", "home": home, "name": str(dtype).removeprefix("torch.")}


def _read_dtype(plain):
    name = plain["name"]
    dtype = getattr(torch, name, None) if plain["home"] == "torch" else np.dtype(name)
    if not isinstance(dtype, torch.dtype | np.dtype):
        raise ValueError(f"A saved type must be one of numbers. Got {name!r}.")
    return dtype


def _read_class(plain):
    return KINDS.find(plain["name"])


def _find_in_torch(home, name):
    """Return a class of torch by its name, or None."""
    if home not in _HOMES:
        return None
    kind = getattr(importlib.import_module(home), name, None)
    is_there = isinstance(kind, type) and kind.__module__.startswith(_HOMES[home])
    return kind if is_there else None


def _is_a(kind, known):
    return isinstance(kind, type) and issubclass(kind, known)


def _check_hooks(module):
    found = [
        name for name in _USUAL if name.endswith("hooks") and vars(module).get(name)
    ]
    if found:
        raise ValueError(
            "Hooks of modules are functions, which cannot be saved. Got "
            f"{', '.join(found)} of {type(module).__name__}; remove them."
        )


def _uncompiled(module):
    return module._modules.get("_orig_mod", module)
