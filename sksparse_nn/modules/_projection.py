"""Coordinates in orthonormal directions that are trained with the network."""

from __future__ import annotations

from copy import deepcopy

import torch
from numpy.typing import ArrayLike
from torch import nn

from sksparse_nn.modules._dictionary import check_dictionary, check_samples
from sksparse_nn.modules._facts import count_multiply_adds
from sksparse_nn.modules._linear import linear


class ProjectionLayer(nn.Module):
    """Coordinates in directions that stay orthonormal, also within groups of features.

    The coordinates are those of :class:`~sksparse_nn.TruncatedSVDReducer`.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Directions to start from: a fitted reducer's `components_`. With groups, zero
        outside the group of each.

    groups : list of tuple or None, default=None
        Components and features of each group, as arrays of positions. None is one group
        of all of them.

    mean : array-like of shape (n_features,) or None, default=None
        Subtracted from samples.

    spread : array-like of shape (n_components,) or None, default=None
        Divides coordinates; those with a spread of zero become zero.

    Attributes
    ----------
    weight : torch.nn.Parameter of shape (n_components, n_features)
        What is trained; `components` are its rows, made orthonormal one after another.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import ProjectionLayer
    >>> ProjectionLayer([[0.6, 0.8]])(torch.tensor([[5.0, 0.0]]))
    tensor([[3.]], grad_fn=<MmBackward0>)
    """

    def __init__(
        self,
        components: ArrayLike,
        groups: list[tuple] | None = None,
        *,
        mean: ArrayLike | None = None,
        spread: ArrayLike | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(check_dictionary(components, name="components"))
        self._groups = groups and [tuple(map(torch.as_tensor, g)) for g in groups]
        for name, value in (("mean", mean), ("spread", spread)):
            value = None if value is None else torch.as_tensor(value).to(self.weight)
            self.register_buffer(name, value)
        self._known = None

    @property
    def components(self) -> torch.Tensor:
        """The directions.

        Returns
        -------
        components : Tensor of shape (n_components, n_features)
            A function of `weight`, through which gradients flow.
        """
        if self._groups is None:
            return _orthonormal(self.weight)
        components = torch.zeros_like(self.weight)
        for alike in self._alike():
            rows = torch.stack([rows for rows, _ in alike])[:, :, None]
            columns = torch.stack([columns for _, columns in alike])[:, None, :]
            found = _orthonormal(self.weight[rows, columns])
            components = components.index_put((rows, columns), found)
        return components

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return coordinates.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        coordinates : Tensor of shape (n_samples, n_components)
            Of the samples.

        Raises
        ------
        ValueError
            If samples have another width.
        """
        check_samples(X, self.weight)
        X = X if self.mean is None else X - self.mean
        coordinates = X @ self._current().T
        if self.spread is None:
            return coordinates
        return torch.where(self.spread > 0, coordinates / self.spread, 0)

    def reconstruct(self, coordinates: torch.Tensor) -> torch.Tensor:
        """Return the nearest samples that have given coordinates.

        Parameters
        ----------
        coordinates : Tensor of shape (n_samples, n_components)
            Result of `forward`.

        Returns
        -------
        X : Tensor of shape (n_samples, n_features)
            In the span of the components, but for the mean.
        """
        if self.spread is not None:
            coordinates = coordinates * self.spread
        X = coordinates @ self._current()
        return X if self.mean is None else X + self.mean

    def extra_repr(self) -> str:
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shape, and the number of groups.
        """
        n_components, n_features = self.weight.shape
        groups = "" if self._groups is None else f", groups={len(self._groups)}"
        return f"{n_features}, {n_components}{groups}"

    def __getstate__(self):
        return super().__getstate__() | {"_known": None}

    def _alike(self):
        """Collect the groups of one shape, which are decomposed together."""
        shapes = {}
        for rows, columns in self._groups:
            shapes.setdefault((len(rows), len(columns)), []).append((rows, columns))
        return shapes.values()

    def _current(self):
        """Return the components, kept for predictions while weights do not change."""
        if torch.is_grad_enabled() and self.weight.requires_grad:
            return self.components
        known = self._known
        if known is None or not torch.equal(known[0], self.weight):
            with torch.inference_mode(False), torch.no_grad():
                known = self.weight.detach().clone(), self.components.clone()
            vars(self)["_known"] = known
        return known[1]


@count_multiply_adds.register
def _(layer: ProjectionLayer, shape):
    return shape[0] * int(layer.weight.count_nonzero())


def replace_projections(module):
    """Replace projections, whose directions stay orthonormal, by linear layers.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    Returns
    -------
    module : torch.nn.Module
        The module itself if it has none, otherwise a copy.
    """
    if not any(isinstance(layer, ProjectionLayer) for layer in module.modules()):
        return module
    module = deepcopy(module)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, ProjectionLayer):
                setattr(parent, name, _as_linear(child))
    return module


def _as_linear(layer):
    with torch.no_grad():
        weight = layer(torch.eye(layer.weight.shape[1]).to(layer.weight)).T
        shift = layer(torch.zeros_like(layer.weight[:1]))[0]
    return linear((weight - shift[:, None]).cpu().numpy(), shift.clone())


def _orthonormal(weight):
    """Return the rows of matrices, orthonormal, each with its own direction's sign."""
    Q, R = torch.linalg.qr(weight.mT)
    signs = torch.where(R.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)
    return Q.mT * signs.to(Q)[..., None]
