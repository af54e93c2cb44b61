"""Settings of a module, an optimizer and callbacks as parameters of an estimator.

Entries of ``module_params`` and ``optimizer_params`` and parameters of named callbacks
have names with two underscores, so that a search can set each of them.
"""

from __future__ import annotations

from typing import Any, Self

_DICTS = {"module": "module_params", "optimizer": "optimizer_params"}


class NestedSettings:
    """Parameters such as ``module__width`` and ``callbacks__name__patience``."""

    def get_params(self, deep: bool = True) -> dict:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list the settings of the module, of the optimizer and of named
            callbacks too.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        if not deep:
            return params
        for prefix, name in _DICTS.items():
            entries = params[name] if isinstance(params[name], dict) else {}
            params |= {f"{prefix}__{key}": value for key, value in entries.items()}
        for name, callback in self._named_callbacks().items():
            for key, value in _callback_params(callback).items():
                params[f"callbacks__{name}__{key}"] = value
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator; ``module__NAME`` and ``optimizer__NAME`` for an
            entry of `module_params` and `optimizer_params`; and
            ``callbacks__NAME__PARAMETER`` for a parameter of the callback of that name.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such parameter, or no such callback.
        """
        nested = {key: value for key, value in params.items() if _is_nested(key)}
        super().set_params(**{key: params[key] for key in params if key not in nested})
        for key, value in nested.items():
            prefix, name = key.split("__", 1)
            if prefix == "callbacks":
                self._set_callback(name, value)
            else:
                known = getattr(self, _DICTS[prefix]) or {}
                setattr(self, _DICTS[prefix], {**known, name: value})
        return self

    def _named_callbacks(self):
        given = self.callbacks if isinstance(self.callbacks, list | tuple) else []
        return dict(item for item in given if isinstance(item, list | tuple))

    def _set_callback(self, path, value):
        name, _, parameter = path.partition("__")
        callbacks = self._named_callbacks()
        if name not in callbacks or parameter not in _callback_params(callbacks[name]):
            known = sorted(
                f"{name}__{parameter}"
                for name, callback in callbacks.items()
                for parameter in _callback_params(callback)
            )
            raise ValueError(
                "callbacks__NAME__PARAMETER must name a parameter of one of the pairs "
                f"(NAME, callback) in callbacks. Got callbacks__{path}; there are "
                f"{known}."
            )
        callbacks[name].set_params(**{parameter: value})


def _is_nested(key):
    prefix, delimiter, name = key.partition("__")
    return bool(delimiter and name) and (prefix in _DICTS or prefix == "callbacks")


def _callback_params(callback):
    return callback.get_params() if hasattr(callback, "get_params") else {}
