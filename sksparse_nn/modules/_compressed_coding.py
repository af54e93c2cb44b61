"""Layers of codes that store their atoms in less memory."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sksparse_nn.modules._coding import CodingLayer, dense_atoms, with_atoms
from sksparse_nn.modules._compressed import is_traced, pack_values, unpack_values
from sksparse_nn.modules._facts import (
    Traits,
    count_multiply_adds,
    make_plain,
    measure_buffers,
    prune,
    quantize,
    traits,
)
from sksparse_nn.modules._quantized import traced_matrix
from sksparse_nn.modules._size import Size
from sksparse_nn.solvers.layers import (
    ZERO_BYTES,
    Quantized,
    dequantize_matrix,
    quantize_matrix,
)


class CompressedCoding(nn.Module):
    """A layer of codes that is no longer trained.

    It has the attributes of the layer that it stands for.

    Parameters
    ----------
    layer : CodingLayer
        A layer of codes.

    Attributes
    ----------
    shape : tuple of int
        Numbers of atoms and features.

    n_nonzero : int
        Number of entries of the atoms that are not zero.
    """

    _zero = 0

    def __init__(self, layer: CodingLayer) -> None:
        super().__init__()
        self.shape, self._is_trained = (
            tuple(layer.atoms.shape),
            layer.atoms.requires_grad,
        )
        # Hidden from torch, which sees the sublayers only: atoms are stored here.
        bare = deepcopy(with_atoms(layer, None)).cpu().requires_grad_(False)
        vars(self)["_bare"], vars(self)["_kept"] = bare, None
        for name, child in bare.named_children():
            self.add_module(name, child)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_") or not _has_attribute(self._bare, name):
                raise
        return getattr(self.float_layer(), name)

    def float_layer(self) -> CodingLayer:
        """Return the layer with its atoms as floats.

        Returns
        -------
        layer : CodingLayer
            Kept while the atoms do not change, but not stored.
        """
        atoms, kept = self._float_atoms(), self._kept
        if kept is None or kept.atoms is not atoms:
            kept = vars(self)["_kept"] = with_atoms(self._bare, atoms)
        return kept

    def forward(self, X: Any) -> torch.Tensor:
        """Code samples.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features) or SparseBatch
            Samples, as the layer takes them.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_components)
            In terms of the atoms as they are stored.
        """
        if is_traced():
            return with_atoms(self._bare, self._traced_atoms())(X)
        return self.float_layer()(X)

    def extra_repr(self) -> str:
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shape and the kind of layer that it stands for.
        """
        n_atoms, n_features = self.shape
        return f"{n_features}, {n_atoms}, {type(self._bare).__name__}"

    def __getstate__(self):
        return pack_values(self, self._zero) | {"_kept": None}

    def __setstate__(self, state):
        super().__setstate__(unpack_values(state, self._zero))


class PrunedCoding(CompressedCoding):
    """A layer of codes of which only the nonzero entries of atoms are stored.

    Parameters
    ----------
    layer : CodingLayer
        Pruned entries are zero in it.
    """

    def __init__(self, layer: CodingLayer) -> None:
        super().__init__(layer)
        self.register_buffer("values", torch.from_numpy(dense_atoms(layer)))
        self.n_nonzero = int(self.values.count_nonzero())

    @property
    def n_bytes(self) -> int:
        """Count the bytes of the atoms in memory.

        Returns
        -------
        n_bytes : int
            Zeros included.
        """
        return self.values.nbytes

    def _float_atoms(self):
        return self.values

    def _traced_atoms(self):
        return self.values


class QuantizedCoding(CompressedCoding):
    """A layer of codes whose atoms are small integers, with scales.

    Floats are computed when they are first needed. Where a layer normalises its atoms,
    the integers are those of unit atoms.

    Parameters
    ----------
    layer : CodingLayer
        A layer of codes.

    n_bits : int
        8 or 4.
    """

    def __init__(self, layer: CodingLayer, n_bits: int) -> None:
        super().__init__(layer)
        atoms = dense_atoms(layer)
        self.n_bits, self._dtype = n_bits, atoms.dtype
        found = quantize_matrix(atoms / layer.row_scales(), n_bits)
        self.register_buffer("values", torch.from_numpy(found.values))
        self.register_buffer("scales", torch.from_numpy(found.scales))
        self._floats = None
        self.n_nonzero = int(self._float_atoms().count_nonzero())

    @property
    def n_bytes(self) -> int:
        """Count the bytes of integers and scales.

        Returns
        -------
        n_bytes : int
            Without the floats that are computed from them.
        """
        return self.values.nbytes + self.scales.nbytes

    @property
    def _zero(self):
        return ZERO_BYTES[self.n_bits]

    def scale_rows(self, factors: NDArray) -> None:
        """Multiply atoms, whose integers stay.

        Parameters
        ----------
        factors : ndarray of shape (n_components,)
            One number for each atom.
        """
        self.scales *= torch.from_numpy(factors)[:, None]

    def _float_atoms(self):
        values, scales = self.values.numpy(), self.scales.numpy()
        if self._floats is None or not _are_those(self._floats[0], values, scales):
            read = Quantized(values.copy(), scales.copy(), self.shape, self.n_bits)
            atoms = dequantize_matrix(read).astype(self._dtype)
            self._floats = read, torch.from_numpy(atoms)
        return self._floats[1]

    def _traced_atoms(self):
        atoms = traced_matrix(self.values, self.scales, self.n_bits, self.shape[1])
        return atoms.to(getattr(torch, self._dtype.name))

    def __getstate__(self):
        return super().__getstate__() | {"_floats": None}

    def __setstate__(self, state):
        self.n_bits = state["n_bits"]  # says what a zero is stored as
        super().__setstate__(state)


def _has_attribute(bare, name):
    """Return whether a layer has an attribute once it has its atoms."""
    return name == bare.atoms_name or name in vars(bare) or hasattr(type(bare), name)


def _are_those(read, values, scales):
    return np.array_equal(read.values, values) and np.array_equal(read.scales, scales)


@dense_atoms.register
def _(layer: CompressedCoding):
    return layer._float_atoms().numpy().copy()


@measure_buffers.register
def _(layer: CompressedCoding):
    n_atoms, n_features = layer.shape
    return Size(n_atoms * n_features, layer.n_nonzero, layer.n_bytes)


@count_multiply_adds.register
def _(layer: CompressedCoding, shape):
    n_atoms, n_features = layer.shape
    n_zeros = n_atoms * n_features - layer.n_nonzero if layer.skips_zeros else 0
    return count_multiply_adds(layer.float_layer(), shape) - shape[0] * n_zeros


@make_plain.register
def _(layer: CompressedCoding):
    atoms = nn.Parameter(torch.from_numpy(dense_atoms(layer)))
    plain = with_atoms(deepcopy(layer._bare), atoms)
    return plain.requires_grad_(layer._is_trained)


@prune.register
def _(layer: CodingLayer):
    return PrunedCoding(layer)


@quantize.register
def _(layer: CodingLayer | PrunedCoding, n_bits, input_scale):
    return QuantizedCoding(make_plain(layer), n_bits)


@traits.register
def _(layer: PrunedCoding):
    return Traits(keeps_zeros=True, needs_cpu=True)


@traits.register
def _(layer: QuantizedCoding):
    return Traits(holds_integers=True, needs_cpu=True)
