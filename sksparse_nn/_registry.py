"""Algorithms by name or by object, such as ``algorithm="omp"`` or ``OMP()``."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints


class Algorithm:
    """Base class of algorithms, which are dataclasses of their parameters.

    scikit-learn clones such an object and searches its parameters like those of an
    estimator.
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
        return {field.name: getattr(self, field.name) for field in _list_settable(self)}

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
            If the algorithm has no parameter of such a name.
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


def _list_settable(algorithm):
    """List the fields that users set; the estimator sets those hidden from the repr."""
    return [field for field in fields(algorithm) if field.init and field.repr]


class Registry(Mapping):
    """Algorithms that a parameter of an estimator can name.

    The parameter also takes an object of such a class, or of a class of the user.

    Parameters
    ----------
    parameter : str
        Name of the parameter.

    **entries : type
        Classes of algorithms by name.
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
        """Return the class of a named algorithm, or the object itself.

        Parameters
        ----------
        choice : str or Algorithm
            Name of an entry, or an object.

        Returns
        -------
        algorithm : type or Algorithm
            The class or the object; both have the class attributes.
        """
        return self._entries[choice] if isinstance(choice, str) else choice

    def name_of(self, choice):
        """Return the name of an algorithm.

        Parameters
        ----------
        choice : str or Algorithm
            Name of an entry, or an object.

        Returns
        -------
        name : str
            Name of the entry, or of the object's class if it is not an entry.
        """
        if isinstance(choice, str):
            return choice
        names = (name for name in self if self._entries[name] is type(choice))
        return next(names, type(choice).__name__)

    def parameters(self, choice):
        """Return the names of the parameters of an algorithm.

        Parameters
        ----------
        choice : str or Algorithm
            Name of an entry, or an object.

        Returns
        -------
        names : list of str
            Fields of the dataclass.
        """
        return [field.name for field in fields(self.look_up(choice))]

    def full_name(self, choice, parameter):
        """Return the estimator's name of a parameter of its algorithm.

        Parameters
        ----------
        choice : str or Algorithm
            Name of an entry, or an object.

        parameter : str
            Parameter of the algorithm.

        Returns
        -------
        name : str
            Name for `get_params` and `set_params` of the estimator.
        """
        is_name = isinstance(choice, str)
        return parameter if is_name else f"{self.parameter}__{parameter}"

    def value_of(self, estimator, parameter):
        """Return the value of a parameter of an estimator's algorithm.

        Parameters
        ----------
        estimator : estimator
            An estimator with the parameter of this registry.

        parameter : str
            Parameter of the algorithm.

        Returns
        -------
        value : object
            The value; None if the algorithm has no such parameter.
        """
        choice = getattr(estimator, self.parameter)
        if parameter not in self.parameters(choice):
            return None
        return estimator.get_params()[self.full_name(choice, parameter)]

    def check_read(self, choice, parameters, defaults):
        """Raise for parameters that are set but not read by the algorithm.

        Parameters
        ----------
        choice : str, Algorithm or None
            Name of an entry, an object, which has these parameters itself, or None.

        parameters : dict
            Parameters by name.

        defaults : dict
            Default of each parameter that only some entries read.

        Raises
        ------
        ValueError
            If such a parameter differs from its default and the algorithm does not read
            it.
        """
        declared = [] if choice is None else self.parameters(choice)
        for name in defaults:
            if name not in declared:
                able = [entry for entry in self if name in self.parameters(entry)]
                self.refuse(choice, name, parameters[name], defaults[name], able)
            elif not isinstance(choice, str):
                self._refuse_beside(choice, name, parameters[name], defaults[name])

    def refuse(self, choice, name, value, default, able=None):
        """Raise if a parameter is set that the algorithm does not read.

        Parameters
        ----------
        choice : str, Algorithm or None
            Name of an entry, an object, or None.

        name : str
            Name of the parameter.

        value, default : object
            Value and default of the parameter.

        able : list of str, default=None
            Entries that read the parameter; None for all.

        Raises
        ------
        ValueError
            If the value is not the default.
        """
        if not _is_same(value, default):
            raise ValueError(
                f"{name} is read by {self.parameter} {able or list(self)} only. Got "
                f"{name}={value!r} with {self.parameter}={choice!r}; set {name}="
                f"{default!r} or another {self.parameter}."
            )

    def _refuse_beside(self, choice, name, value, default):
        """Raise if a parameter is set that the object has itself."""
        if not _is_same(value, default):
            raise ValueError(
                f"{name} is a parameter of the object that {self.parameter} is. Got "
                f"{name}={value!r} beside {self.parameter}={choice!r}; set {name} of "
                f"the object, and {name}={default!r} here."
            )

    def make(self, name, parameters):
        """Instantiate an entry with those parameters that it declares.

        Parameters
        ----------
        name : str
            Name of an entry.

        parameters : dict
            Parameters by name; those that are not fields of the entry are left out.

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
        """Make the algorithm of an estimator from a name or an object.

        Parameters
        ----------
        choice : str or Algorithm
            Name of an entry, or an object, which does not change.

        parameters : dict
            Parameters of the estimator by name. An object takes those that it declares
            and leaves at None, and those that belong to the estimator as a whole.

        defaults : dict, default=None
            Default of each parameter that only some entries read.

        constraints : dict, default=None
            Constraints of the estimator's parameters, which hold for objects too.

        Returns
        -------
        algorithm : Algorithm
            The algorithm with all of its parameters.

        Raises
        ------
        ValueError
            If a parameter is set that the algorithm does not read, or a parameter of an
            object contradicts the estimator.
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
        algorithm = replace(
            choice, **self._collect_parameters(choice, parameters, defaults)
        )
        settings = {
            f.name: getattr(algorithm, f.name) for f in _list_settable(algorithm)
        }
        validate_parameter_constraints(
            constraints or {}, settings, caller_name=type(choice).__name__
        )
        return algorithm

    def _collect_parameters(self, choice, parameters, defaults):
        """Collect the parameters that an object takes from the estimator."""
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
        """Raise if a parameter of an object contradicts that of the estimator."""
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
