"""Base of layers that write samples in terms of atoms."""

from __future__ import annotations

from copy import copy
from functools import singledispatch
from typing import Any, Self

from numpy.typing import NDArray
from torch import nn

from sksparse_nn.modules._facts import is_known


class CodingLayer(nn.Module):
    """A layer of codes in terms of atoms, which are one parameter of it.

    Attributes
    ----------
    atoms_name : str, default="dictionary"
        Name of the parameter.

    normalises_atoms : bool, default=True
        Whether only the directions of atoms count, so that none may be zero.

    skips_zeros : bool, default=True
        Whether entries of atoms that are zero take no work.
    """

    atoms_name = "dictionary"
    normalises_atoms = True
    skips_zeros = True

    @property
    def atoms(self) -> Any:
        """The atoms.

        Returns
        -------
        atoms : torch.nn.Parameter of shape (n_components, n_features)
            As they are trained.
        """
        return getattr(self, self.atoms_name)

    def row_scales(self) -> NDArray | float:
        """Return what the layer divides its atoms by.

        Returns
        -------
        scales : ndarray of shape (n_components, 1) or float
            Their norms, or 1.0.
        """
        if not self.normalises_atoms:
            return 1.0
        return self.atoms.detach().norm(dim=1, keepdim=True).cpu().numpy()

    def keep_atoms(self, kept: NDArray) -> Self:
        """Return a twin of this layer with some of its atoms.

        Parameters
        ----------
        kept : ndarray of int
            Their indices.

        Returns
        -------
        twin : CodingLayer
            A layer of the same kind.
        """
        atoms = nn.Parameter(self.atoms.detach()[kept], self.atoms.requires_grad)
        return with_atoms(self, atoms)


def with_atoms(layer, atoms):
    """Return a twin of a layer with other atoms.

    Parameters
    ----------
    layer : CodingLayer
        Its sublayers are shared with the twin.

    atoms : Tensor of shape (n_components, n_features) or None
        The atoms; None for a layer that gets them later.

    Returns
    -------
    twin : CodingLayer
        A layer of the same kind.
    """
    twin = copy(layer)
    twin._parameters = layer._parameters | {layer.atoms_name: atoms}
    return twin


@singledispatch
def dense_atoms(layer):
    """Return the atoms that a layer codes by.

    Parameters
    ----------
    layer : torch.nn.Module
        A layer of codes of any kind.

    Returns
    -------
    atoms : ndarray of shape (n_components, n_features)
        A new array.

    Raises
    ------
    TypeError
        If this kind has no atoms.
    """
    raise TypeError(
        f"layer must have atoms. Got {type(layer).__name__}; derive it from "
        "CodingLayer, or register dense_atoms for it."
    )


@dense_atoms.register
def _(layer: CodingLayer):
    return layer.atoms.detach().cpu().numpy().copy()


def has_atoms(layer):
    """Return whether a layer codes by atoms, stored in any form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    has_atoms : bool
        Whether `dense_atoms` supports it.
    """
    return is_known(dense_atoms, layer)
