"""Codes of samples with their gradients, without autograd where a layer knows them.

For a small batch, autograd takes longer than the codes.
"""

from functools import singledispatch

import numpy as np
import torch
from torch.ops import aten

from sksparse_nn.modules._attention import AttentionLayer, map_scores
from sksparse_nn.modules._dictionary import check_samples
from sksparse_nn.modules._patches import PatchLayer
from sksparse_nn.modules._projection import ProjectionLayer
from sksparse_nn.modules._sparse_coding import SparseCodingLayer, code_samples
from sksparse_nn.modules._thresholds import TriangleLayer
from sksparse_nn.solvers.coding import alpha_gradient, atom_gradients

# Least norm that `torch.nn.functional.normalize` divides by.
_LEAST_NORM = 1e-12


@singledispatch
def trace_codes(layer, X):
    """Code samples, and keep what the gradients of the layer need.

    Parameters
    ----------
    layer : torch.nn.Module
        A layer of codes of which `has_traced_codes` holds.

    X : Tensor of shape (n_samples, n_features) or SparseBatch
        Samples.

    Returns
    -------
    traced : object
        Its `codes` are a tensor without a graph; `reconstruct()` returns the samples
        that they stand for; `backward(of_codes, of_samples)` returns the gradients of
        the parameters of the layer, given those of the codes and, if they were
        reconstructed, of the samples.

    Raises
    ------
    TypeError
        If this kind of layer must be left to autograd.
    """
    raise TypeError(
        f"layer must be one whose codes can be traced. Got {type(layer).__name__}; "
        "register trace_codes for it."
    )


def has_traced_codes(layer):
    """Return whether the codes of a layer can be traced.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    has_traced_codes : bool
        False for a class derived from one that can, as it may code otherwise.
    """
    return type(layer) in trace_codes.registry


@trace_codes.register
def _(layer: SparseCodingLayer, X):
    return _TracedSparseCodes(layer, X)


@trace_codes.register
def _(layer: AttentionLayer, X):
    return _TracedShares(layer, X)


@trace_codes.register
def _(layer: PatchLayer | ProjectionLayer | TriangleLayer, X):
    return _TracedByAutograd(layer, X)


class _TracedSparseCodes:
    """Codes of a `SparseCodingLayer`, differentiated on their supports."""

    def __init__(self, layer, X):
        check_samples(X, layer.dictionary)
        self._number = layer.learnt_alpha
        atoms = layer.dictionary.detach()
        norms = torch.linalg.vector_norm(atoms, dim=1, keepdim=True)
        self._norms = norms.clamp_min_(_LEAST_NORM)
        self._unit = atoms / self._norms
        coder = layer.current_coder
        prepared = coder.prepare(self._unit.numpy(), gram=coder.fits_support)
        self._coded = code_samples(coder, prepared, X, layer.n_jobs)
        # Without the search of torch through parameters and modules.
        vars(layer)["n_active"] = self._coded.n_active
        self.codes = self._coded.to(atoms.device)

    def reconstruct(self):
        return self.codes @ self._unit

    def backward(self, of_codes, of_samples=None):
        coder, atoms, rows, codes = self._coded
        if of_samples is not None:
            of_codes = of_codes + of_samples @ self._unit.t()
        adjoint = coder.adjoint(atoms, codes, np.ascontiguousarray(of_codes.numpy()))
        found = atom_gradients(coder, atoms, rows, codes, adjoint)
        of_unit = torch.from_numpy(found)
        if of_samples is not None:
            of_unit += self.codes.t() @ of_samples
        gradients = [self._behind_norms(of_unit)]
        if self._number is not None:
            of_alpha = alpha_gradient(coder, codes, adjoint)
            gradients.append(_of_raw(self._number, of_alpha))
        return gradients

    def _behind_norms(self, of_unit):
        """Return the gradient of the atoms, given that of atoms of unit norm."""
        along = (self._unit * of_unit).sum(dim=1, keepdim=True)
        return torch.addcmul(of_unit, self._unit, along, value=-1).div_(self._norms)


class _TracedShares:
    """Codes of an `AttentionLayer`, differentiated by its mapping."""

    def __init__(self, layer, X):
        check_samples(X, layer.keys)
        self._layer, self._keys = layer, layer.keys.detach()
        centre, self._temperature = self._keys.mean(dim=0), layer.temperature
        self._unit = self._temperature**0.5
        self._X = ((X - centre) / self._unit).to(X.dtype)
        self._centred = ((self._keys - centre) / self._unit).to(X.dtype)
        self._scores = self._X @ self._centred.t()
        self._scores -= self._centred.square().sum(dim=1) / 2
        self._shares = map_scores(
            np.ascontiguousarray(self._scores.numpy()), layer.mapping
        )
        n_active = np.count_nonzero(self._shares) / max(len(self._shares), 1)
        vars(layer)["n_active"] = n_active
        self.codes = torch.from_numpy(self._shares)

    def reconstruct(self):
        return self.codes @ self._keys

    def backward(self, of_codes, of_samples=None):
        if of_samples is not None:
            of_codes = of_codes + of_samples @ self._keys.t()
        adjoint = self._layer.mapping.adjoint(self._shares, of_codes.numpy())
        adjoint = torch.from_numpy(adjoint.astype(self._shares.dtype, copy=False))
        sums = adjoint.sum(dim=0)[:, None]
        of_keys = adjoint.t() @ self._X - self._centred * sums
        of_keys = (of_keys / self._unit).to(adjoint.dtype)
        if of_samples is not None:
            of_keys += self.codes.t() @ of_samples
        number = self._layer.learnt_temperature
        if number is None:
            return [of_keys]
        of_temperature = -(adjoint * self._scores).sum() / self._temperature
        return [of_keys, _of_raw(number, float(of_temperature))]


class _TracedByAutograd:
    """Codes of a layer whose own part of the network is left to autograd."""

    def __init__(self, layer, X):
        self._layer = layer
        with torch.enable_grad():
            self._outputs = [layer(X)]
        self.codes = self._outputs[0].detach()

    def reconstruct(self):
        with torch.enable_grad():
            self._outputs.append(self._layer.reconstruct(self._outputs[0]))
        return self._outputs[1].detach()

    def backward(self, of_codes, of_samples=None):
        gradients = [of_codes] if of_samples is None else [of_codes, of_samples]
        parameters = list(self._layer.parameters())
        return list(torch.autograd.grad(self._outputs, parameters, gradients))


def _of_raw(number, gradient):
    """Return the gradient of what a `PositiveNumber` is the softplus of."""
    raw = number.raw.detach()
    return aten.softplus_backward(raw.new_tensor(gradient), raw, 1, 20)
