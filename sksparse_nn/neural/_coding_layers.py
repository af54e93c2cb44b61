"""Fitted coders as layers of torch, and trained layers as coders."""

from dataclasses import replace
from functools import singledispatch

import numpy as np
import torch

from sksparse_nn.decomposition import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    TruncatedSVDReducer,
)
from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.modules._attention import AttentionLayer
from sksparse_nn.modules._folded_patches import unfold_whitening
from sksparse_nn.modules._patch_coders import patch_layer
from sksparse_nn.modules._patches import PatchLayer
from sksparse_nn.modules._projection import ProjectionLayer
from sksparse_nn.modules._sparse_coding import SparseCodingLayer
from sksparse_nn.modules._thresholds import TriangleLayer
from sksparse_nn.solvers.coding import Triangle


@singledispatch
def make_layer(coder, *, learn_alpha):
    """Return a fitted coder as a layer that can be trained.

    Parameters
    ----------
    coder : transformer
        Fitted.

    learn_alpha : bool
        Whether its penalty is trained too.

    Returns
    -------
    layer : torch.nn.Module
        Gives the codes of the coder, without `split_sign`.

    Raises
    ------
    TypeError
        If coders of this class cannot be trained.
    ValueError
        If this coder cannot, by its parameters.
    """
    raise TypeError(
        "tune_coder=True needs a coder that can be trained with a network: "
        "SparseDictionaryCoder, SparseAttentionCoder, TruncatedSVDReducer or "
        f"ImagePatchCoder. Got {type(coder).__name__}; set tune_coder=False, or put "
        "scalers ahead of the network in a Pipeline."
    )


@make_layer.register
def _(coder: SparseDictionaryCoder, *, learn_alpha):
    _check_held(coder, learn_alpha)
    atoms = coder.components_
    algorithm = coder._coder(len(atoms))
    if isinstance(algorithm, Triangle):
        if learn_alpha:
            raise _without_penalty(coder)
        return TriangleLayer(atoms)
    if learn_alpha and not hasattr(algorithm, "alpha"):
        raise _without_penalty(coder)
    return SparseCodingLayer(
        atoms, algorithm, learn_alpha=learn_alpha, n_jobs=coder.n_jobs
    )


@make_layer.register
def _(coder: SparseAttentionCoder, *, learn_alpha):
    if coder.iterate:
        raise ValueError(
            "tune_coder=True needs codes of one step. Got a SparseAttentionCoder with "
            "iterate=True; set iterate=False, or tune_coder=False."
        )
    _check_held(coder, learn_alpha)
    temperature, mapping = coder.temperature_, coder._mapping()
    return AttentionLayer(
        coder.keys_, temperature, mapping, learn_temperature=learn_alpha
    )


@make_layer.register
def _(coder: TruncatedSVDReducer, *, learn_alpha):
    if learn_alpha:
        raise _without_penalty(coder)
    spread = np.sqrt(coder.explained_variance_) if coder.whiten else None
    mean = coder.mean_ if coder.mean_.any() else None
    return ProjectionLayer(coder.components_, _groups(coder), mean=mean, spread=spread)


@make_layer.register
def _(coder: ImagePatchCoder, *, learn_alpha):
    return patch_layer(coder, learn_alpha=learn_alpha, kind=PatchLayer)


@singledispatch
def store_layer(coder, layer, samples=None):
    """Store what a layer has learnt in a coder.

    Parameters
    ----------
    coder : transformer
        A copy that may change; its `transform` then gives the codes of the layer.

    layer : torch.nn.Module
        Made by `make_layer`, trained.

    samples : TrainingSamples or None, default=None
        Training samples, for what follows from atoms and samples.
    """


@store_layer.register
def _(coder: SparseDictionaryCoder, layer, samples=None):
    vars(coder).pop("_state", None)  # sums over codes of former atoms
    atoms = getattr(layer, "components", layer.dictionary)
    coder.components_ = _array(atoms, coder.components_)
    alpha = getattr(layer, "alpha", None)
    if alpha is not None:
        _store_alpha(coder, float(alpha.detach()))
    weights = getattr(getattr(layer, "coder", None), "atom_weights", None)
    if weights is not None and len(weights) != len(_owner(coder).atom_weights):
        _set_parameter(coder, "atom_weights", weights)


def _store_alpha(coder, alpha):
    given = _owner(coder).alpha
    if given is None:
        coder.alpha_ = alpha
    elif alpha != given:
        _set_parameter(coder, "alpha", alpha)


def _owner(coder):
    """Return what has the parameters of an algorithm: itself, if it is no name."""
    return coder if isinstance(coder.algorithm, str) else coder.algorithm


def _set_parameter(coder, name, value):
    if isinstance(coder.algorithm, str):
        setattr(coder, name, value)
    else:
        coder.algorithm = replace(coder.algorithm, **{name: value})


@store_layer.register
def _(coder: ImagePatchCoder, layer, samples=None):
    vars(coder).pop("_state", None)  # moments of products with former atoms
    atoms = layer.components
    if layer.is_folded:
        atoms = unfold_whitening(_array(atoms, coder.whitening_), coder.whitening_)
    coder.components_ = _array(torch.as_tensor(atoms), coder.components_)
    if layer.learnt_alpha is None:
        return
    _set_parameter(coder, "alpha", float(layer.alpha.detach()))


@store_layer.register
def _(coder: SparseAttentionCoder, layer, samples=None):
    vars(coder).pop("_state", None)
    coder.keys_ = _array(layer.keys, coder.keys_)
    temperature = torch.as_tensor(layer.temperature, dtype=torch.float64)
    coder.temperature_ = float(temperature.detach())
    if samples is not None:
        coder._fit_values(samples.X, np.ascontiguousarray(samples.row_weight))


@store_layer.register
def _(coder: TruncatedSVDReducer, layer, samples=None):
    vars(coder)["_state"] = None  # those of the data give other components
    coder.components_ = _array(layer.components, coder.components_)


def seed_coder(coder, rng):
    """Seed what has no seed of its own, as ensembles of scikit-learn do.

    Parameters
    ----------
    coder : transformer
        Changed.

    rng : RandomState instance
        Gives the seeds.
    """
    seeds = {
        name: rng.randint(np.iinfo(np.int32).max)
        for name, value in sorted(coder.get_params().items())
        if name.split("__")[-1] == "random_state" and value is None
    }
    coder.set_params(**seeds)


def _check_held(coder, learn_alpha):
    if learn_alpha and coder.n_active is not None:
        raise ValueError(
            'n_active determines the penalty, which tune_coder="all" would train. Got '
            f"n_active={coder.n_active}; set tune_coder=True, or n_active=None."
        )


def _array(tensor, like):
    return tensor.detach().cpu().numpy().astype(like.dtype)


def _groups(reducer):
    labels = reducer.groups_
    if labels.max() == 0:
        return None
    return [
        (np.flatnonzero(reducer.component_groups_ == g), np.flatnonzero(labels == g))
        for g in np.unique(reducer.component_groups_)
    ]


def _without_penalty(coder):
    name = getattr(coder, "algorithm", None)
    what = type(coder).__name__ + (f" with algorithm={name!r}" if name else "")
    return ValueError(
        'tune_coder="all" needs a coder with an alpha or a temperature. Got a '
        f"{what}; set tune_coder=True."
    )
