"""Algorithms by name or by object, such as ``algorithm="omp"`` or ``OMP()``."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints


class Algorithm:
    """Base class of what a registry holds: a dataclass of its parameters.

    scikit-learn clones such an object and searches its parameters as it does those of
    an estimator.
    """

    def get_params(self, deep=True):
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Present by convention.

        Returns
        -------
        params : dict
            Values by name.
        """
        return {field.name: getattr(self, field.name) for field in _settable(self)}

    def set_params(self, **params):
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : Algorithm
            The same object.

        Raises
        ------
        ValueError
            If it has no parameter of such a name.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has the parameters {sorted(known)}. Got "
                    f"{name!r}; leave it out."
                )
        vars(self).update(params)  # some are frozen against accidents
        return self


def _settable(algorithm):
    """Return the fields that a user sets; what is not shown the estimator hands in."""
    return [field for field in fields(algorithm) if field.init and field.repr]


class Registry(Mapping):
    """Classes that a string parameter can name, each a dataclass of its parameters.

    The parameter takes an object of such a class too, or of the user's own.

    Parameters
    ----------
    parameter : str
        The parameter's name, for error messages.

    **entries : type
        The classes, by the name that a user writes.
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

    def look_up(self, choice):
        """Return what knows the facts of an algorithm.

        Parameters
        ----------
        choice : str or Algorithm
            One of the entries, or an object.

        Returns
        -------
        algorithm : type or Algorithm
            The class of a name, or the object itself.
        """
        return self._entries[choice] if isinstance(choice, str) else choice

    def name_of(self, choice):
        """Return what an algorithm is called.

        Parameters
        ----------
        choice : str or Algorithm
            One of the entries, or an object.

        Returns
        -------
        name : str
            The entry's name, or that of a class which is none.
        """
        if isinstance(choice, str):
            return choice
        names = (name for name in self if self._entries[name] is type(choice))
        return next(names, type(choice).__name__)

    def parameters(self, choice):
        """Return the names of the parameters that an algorithm declares.

        Parameters
        ----------
        choice : str or Algorithm
            One of the entries, or an object.

        Returns
        -------
        names : list of str
            The fields of its dataclass.
        """
        return [field.name for field in fields(self.look_up(choice))]

    def full_name(self, choice, parameter):
        """Return under which name an estimator has a parameter of its algorithm.

        Parameters
        ----------
        choice : str or Algorithm
            One of the entries, or an object.

        parameter : str
            A parameter of it.

        Returns
        -------
        name : str
            For `get_params` and `set_params` of the estimator.
        """
        is_name = isinstance(choice, str)
        return parameter if is_name else f"{self.parameter}__{parameter}"

    def value_of(self, estimator, parameter):
        """Return what an estimator's algorithm has for a parameter.

        Parameters
        ----------
        estimator : estimator
            With a parameter of the registry's name.

        parameter : str
            A parameter of the algorithm.

        Returns
        -------
        value : object
            None where the algorithm has no such parameter.
        """
        choice = getattr(estimator, self.parameter)
        if parameter not in self.parameters(choice):
            return None
        return estimator.get_params()[self.full_name(choice, parameter)]

    def check_read(self, choice, parameters, defaults):
        """Refuse parameters that are set although the algorithm does not read them.

        Parameters
        ----------
        choice : str, Algorithm or None
            One of the entries; an object, which has such parameters itself; or none.

        parameters : dict
            Parameters by name.

        defaults : dict
            The default of each parameter that some entries read and others do not.

        Raises
        ------
        ValueError
            If one of these is not its default and the algorithm does not read it.
        """
        declared = [] if choice is None else self.parameters(choice)
        for name in defaults:
            if name not in declared:
                able = [entry for entry in self if name in self.parameters(entry)]
                self.refuse(choice, name, parameters[name], defaults[name], able)
            elif not isinstance(choice, str):
                self._refuse_beside(choice, name, parameters[name], defaults[name])

    def refuse(self, choice, name, value, default, able=None):
        """Refuse a parameter that is set although the algorithm does not read it.

        Parameters
        ----------
        choice : str, Algorithm or None
            One of the entries, an object, or none.

        name : str
            The parameter.

        value, default : object
            Its value, and what it is where it is not set.

        able : list of str, default=None
            The entries that read it; None for all.

        Raises
        ------
        ValueError
            If it is set.
        """
        if not _is_same(value, default):
            raise ValueError(
                f"{name} is read by {self.parameter} {able or list(self)} only. Got "
                f"{name}={value!r} with {self.parameter}={choice!r}; set {name}="
                f"{default!r} or another {self.parameter}."
            )

    def _refuse_beside(self, choice, name, value, default):
        """Refuse a parameter that an object has itself."""
        if not _is_same(value, default):
            raise ValueError(
                f"{name} is a parameter of the object that {self.parameter} is. Got "
                f"{name}={value!r} beside {self.parameter}={choice!r}; set {name} of "
                f"the object, and {name}={default!r} here."
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

    def resolve(self, choice, parameters, defaults=None, constraints=None):
        """Return the algorithm that a name or an object stands for.

        Parameters
        ----------
        choice : str or Algorithm
            One of the entries, or an object. It is not changed.

        parameters : dict
            Parameters of the estimator by name. An object takes those that it declares
            and leaves at None, and those that belong to the estimator as a whole.

        defaults : dict, default=None
            The default of each parameter that belongs to some entries alone.

        constraints : dict, default=None
            What the estimator asks of its parameters; an object is held to the same.

        Returns
        -------
        algorithm : Algorithm
            With all of its parameters.

        Raises
        ------
        ValueError
            If a parameter is set that the algorithm does not read, or an object has one
            that contradicts the estimator.
        """
        defaults = defaults or {}
        if not isinstance(choice, str) and not is_dataclass(choice):
            raise TypeError(
                f"{self.parameter} must be a name or an object of a dataclass. Got "
                f"{choice!r}; write @dataclass above its class."
            )
        self.check_read(choice, parameters, defaults)
        if isinstance(choice, str):
            return self.make(choice, parameters)
        algorithm = replace(choice, **self._taken(choice, parameters, defaults))
        settings = {f.name: getattr(algorithm, f.name) for f in _settable(algorithm)}
        validate_parameter_constraints(
            constraints or {}, settings, caller_name=type(choice).__name__
        )
        return algorithm

    def _taken(self, choice, parameters, defaults):
        """Return what an object takes from the estimator."""
        taken = {}
        for field in fields(choice):
            name, value = field.name, getattr(choice, field.name)
            if name not in parameters:
                continue
            if name not in defaults:
                self._check_shared(choice, field, parameters[name])
                taken[name] = parameters[name]
            elif value is None:
                taken[name] = parameters[name]
        return taken

    def _check_shared(self, choice, field, value):
        """Refuse a parameter of an object that is another one in the estimator."""
        own = getattr(choice, field.name)
        is_unset = own is None or not field.repr or _is_same(own, field.default)
        if not is_unset and not _is_same(own, value):
            raise ValueError(
                f"{field.name} is a parameter of the estimator, which holds for its "
                f"{self.parameter} too. Got {field.name}={value!r} and "
                f"{self.parameter}={choice!r}; set it on the estimator alone."
            )


def _is_same(value, other):
    if other is MISSING:
        return False
    if value is other:
        return True
    return np.isscalar(value) and np.isscalar(other) and bool(value == other)
