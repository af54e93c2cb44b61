"""Registries of the classes that strings such as ``algorithm="omp"`` name."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np


class Registry(Mapping):
    """Classes that a string parameter can name, each a dataclass of its parameters.

    Parameters
    ----------
    parameter : str
        The parameter's name, for error messages.

    **entries : type
        The classes by name.
    """

    def __init__(self, parameter, **entries):
        self.parameter = parameter
        self._entries = entries

    def __getitem__(self, name):
        return self._entries[name]

    def __iter__(self):
        return iter(self._entries)

    def __len__(self):
        return len(self._entries)

    def parameters(self, name):
        """Return the names of the parameters that an entry declares.

        Parameters
        ----------
        name : str
            One of the entries.

        Returns
        -------
        names : list of str
            The fields of its dataclass.
        """
        return [field.name for field in fields(self._entries[name])]

    def check_read(self, name, parameters, defaults):
        """Raise for parameters that are set but not read by an entry.

        Parameters
        ----------
        name : str
            One of the entries.

        parameters : dict
            Parameters by name.

        defaults : dict
            The default of each parameter that some entries read and others do not.

        Raises
        ------
        ValueError
            If one of them differs from its default and the entry does not read it.
        """
        read = self.parameters(name)
        for unread in (parameter for parameter in defaults if parameter not in read):
            value, default = parameters[unread], defaults[unread]
            if value is default or (np.isscalar(value) and value == default):
                continue
            able = [entry for entry in self if unread in self.parameters(entry)]
            raise ValueError(
                f"{unread} is read by {self.parameter} {able} only. Got {unread}="
                f"{value!r} with {self.parameter}={name!r}; set {unread}={default!r} "
                f"or another {self.parameter}."
            )

    def make(self, name, parameters):
        """Instantiate an entry with those of the parameters that it declares.

        Parameters
        ----------
        name : str
            One of the entries.

        parameters : dict
            Parameters by name; those that the entry has no field for are left out.

        Returns
        -------
        instance : object
            An instance of the entry.

        Raises
        ------
        ValueError
            If no entry has this name.
        """
        if name not in self._entries:
            known = ", ".join(map(repr, sorted(self._entries)))
            raise ValueError(f"{self.parameter} must be one of {known}. Got {name!r}.")
        declared = self.parameters(name)
        given = {key: parameters[key] for key in declared if key in parameters}
        return self._entries[name](**given)
