"""Description of the module to build: layers of given sizes, or the user's own."""

from collections import OrderedDict
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from itertools import pairwise
from numbers import Integral

import torch
from torch import nn

from sksparse_nn._warnings import warn
from sksparse_nn.modules._image_input import ImageInput, order_channels
from sksparse_nn.modules._outputs import describe_output, find_squashing
from sksparse_nn.modules._perceptron import Perceptron, store_by_feature
from sksparse_nn.modules._single_rows import apply_module

ACTIVATIONS = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
    "leaky_relu": nn.LeakyReLU,
    "logistic": nn.Sigmoid,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


@dataclass(frozen=True)
class ModuleSpec:
    """Description of the module to build.

    Attributes
    ----------
    module : None, torch.nn.Module or callable
        The user's own, or None for layers of `hidden_layer_sizes`.

    module_params : dict
        Keyword arguments of a callable `module`.

    widths : dict
        Widths of the input by argument name. A callable `module` gets those that it has
        besides its first two arguments.

    hidden_layer_sizes : int or sequence of int
        Widths of the hidden layers.

    activation : str
        One of `ACTIVATIONS`.

    dropout : float
        Share of hidden values to drop in training.

    n_features : int
        Width of the input.

    n_outputs : int
        Width of the output.

    dtype : torch.dtype
        Float type of the weights.

    by_feature : bool
        Whether to store the first weights feature by feature, for sparse input.

    squashed : bool
        Whether the output is turned into probabilities later.

    images : ImageInput or None
        What turns rows into images ahead of the module.

    any_order : bool
        Whether weights may lie in memory in any order.
    """

    module: object
    module_params: dict
    widths: dict
    hidden_layer_sizes: object
    activation: str
    dropout: float
    n_features: int
    n_outputs: int
    dtype: torch.dtype
    by_feature: bool
    squashed: bool
    images: ImageInput | None = None
    any_order: bool = True

    def build(self, **settings):
        """Build a new module.

        Parameters
        ----------
        **settings : dict
            Further keyword arguments of a callable `module`, set by a callback.

        Returns
        -------
        module : torch.nn.Module
            Its weights are drawn from torch's global generator.

        Raises
        ------
        ValueError
            If the sizes are not positive or the user's module does not fit the data.
        """
        settings = self.module_params | self._select_widths() | settings
        if settings and not self._makes_module:
            raise ValueError(
                "module_params are keyword arguments of a callable module. Got "
                f"{settings} with module={self.module!r}; leave one of the two out."
            )
        if self.module is None:
            return self._behind_images(self._build_perceptron()).to(self.dtype)
        module = self._behind_images(self._build_own(settings)).to(self.dtype)
        self._try_out(module)
        if self.images is not None and self.any_order:
            order_channels(module)
        return module

    def set_dropout(self, module):
        """Let a module that was built drop the share of hidden values, in place.

        Parameters
        ----------
        module : torch.nn.Module
            From `build`, of this or another `dropout`; its layers may have been made
            smaller. A module of the user's own stays as it is.
        """
        if self.module is None:
            self._lay_out_dropout(module if self.images is None else module.network)

    def _lay_out_dropout(self, layers):
        known = [layer for layer in layers if isinstance(layer, nn.Dropout)]
        if self.dropout > 0 and known:
            for layer in known:
                layer.p = self.dropout
            return
        others = [layer for layer in layers if not isinstance(layer, nn.Dropout)]
        del layers[:]
        for layer in others:
            layers.append(layer)
            if self.dropout > 0 and type(layer) is ACTIVATIONS[self.activation]:
                layers.append(nn.Dropout(self.dropout).train(layers.training))

    def _behind_images(self, module):
        if self.images is None:
            return module
        parts = {"images": deepcopy(self.images), "network": module}
        return nn.Sequential(OrderedDict(parts))

    @property
    def _makes_module(self):
        return self.module is not None and not isinstance(self.module, nn.Module)

    def _build_perceptron(self):
        sizes = [self.n_features, *read_layer_sizes(self.hidden_layer_sizes)]
        layers = []
        for n_inputs, n_neurons in pairwise(sizes):
            layers += [nn.Linear(n_inputs, n_neurons), ACTIVATIONS[self.activation]()]
        perceptron = Perceptron(*layers, nn.Linear(sizes[-1], self.n_outputs))
        self._lay_out_dropout(perceptron)
        if self.by_feature:
            store_by_feature(perceptron[0])
        return perceptron

    def _build_own(self, settings):
        if isinstance(self.module, nn.Module):
            return deepcopy(self.module)
        module = self.module(self.n_features, self.n_outputs, **settings)
        if not isinstance(module, nn.Module):
            raise ValueError(
                "module(n_features, n_outputs) must return a torch.nn.Module. "
                f"Got {module!r}."
            )
        return module

    def _select_widths(self):
        if not self._makes_module:
            return {}
        if not self.widths and self.images is None:
            return {}
        arguments = list(signature(self.module).parameters.values())
        known = {argument.name for argument in arguments[:2]}
        takes_all = any(a.kind is a.VAR_KEYWORD for a in arguments)
        names = {argument.name for argument in arguments[2:]}
        selected = {
            name: width
            for name, width in self.widths.items()
            if name not in known and (takes_all or name in names)
        }
        if self.images is not None and "image_shape" in names:
            selected["image_shape"] = self.images.image_shape
        return selected

    def _try_out(self, module):
        """Run a sample of zeros, which also initializes lazy layers."""
        taken = (
            f"rows of n_features={self.n_features} numbers"
            if self.images is None
            else f"images of shape {self.images.image_shape}"
        )
        wanted = (
            f"module must turn {taken} into one "
            f"tensor, rows of n_outputs={self.n_outputs}."
        )
        rows = torch.zeros(1, self.n_features, dtype=self.dtype)
        try:
            output = _forward_one(module.eval(), rows)
        except RuntimeError as error:
            raise ValueError(f"{wanted} Got, from one row: {error}") from error
        shape = (1, self.n_outputs)
        if not isinstance(output, torch.Tensor) or tuple(output.shape) != shape:
            raise ValueError(f"{wanted} Got {describe_output(output)} from one row.")
        if not output.is_floating_point():
            raise ValueError(f"{wanted} Got no floats but {output.dtype}.")
        if next(module.parameters(), None) is None:
            raise ValueError(f"module must have parameters to train. Got {module!r}.")
        last = self.squashed and find_squashing(output)
        if last:
            warn(
                "module must return logits, as they are turned into probabilities "
                f"later, also in the loss. Got a module that ends in a {last}; leave "
                "it out.",
            )


def _forward_one(module, row):
    """Run one sample, or two copies if the module normalises by the batch."""
    try:
        return apply_module(module, row)
    except ValueError:
        return module(row.repeat(2, 1))[:1]


def read_layer_sizes(hidden_layer_sizes):
    """Check the widths of hidden layers.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        One width, or one per layer.

    Returns
    -------
    sizes : list of int
        The widths.

    Raises
    ------
    ValueError
        If one is not a positive integer.
    """
    single = isinstance(hidden_layer_sizes, Integral)
    sizes = [hidden_layer_sizes] if single else list(hidden_layer_sizes)
    if not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be integers > 0. Got {hidden_layer_sizes!r}."
        )
    return [int(size) for size in sizes]
