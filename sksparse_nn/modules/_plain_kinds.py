"""Layers of this package that are written by name, and what holds for their arrays."""

import numpy as np

from sksparse_nn import modules
from sksparse_nn.modules._coded import CodedNetwork, Scale, SplitSign
from sksparse_nn.modules._compressed import CompressedLinear, CompressedMatrix
from sksparse_nn.modules._compressed_coding import CompressedCoding
from sksparse_nn.modules._dictionary import PositiveNumber
from sksparse_nn.modules._image_input import ImageInput
from sksparse_nn.modules._patch_pooling import PatchPooling
from sksparse_nn.modules._patch_values import PATCH_VALUES
from sksparse_nn.modules._patches import PatchLayer
from sksparse_nn.modules._plain import KINDS
from sksparse_nn.modules._quantized import QuantizedMatrix
from sksparse_nn.modules._resnet import Residual
from sksparse_nn.solvers.patches import restore_layout

KINDS.register(*(getattr(modules, name) for name in modules.__all__))
KINDS.register(CodedNetwork, ImageInput, PositiveNumber, Residual, Scale, SplitSign)


def _write_pooling(state):
    pooling = state["_pooling"]
    kept = {
        "layout": pooling.layout.settings,
        "kind": pooling.kind,
        "split_sign": pooling.split_sign,
        "contrast": pooling.contrast,
    }
    return state | {"_pooling": kept}


def _read_pooling(state):
    kept = dict(state["_pooling"])
    layout = restore_layout(kept.pop("layout"))
    values = PATCH_VALUES[state["algorithm"]]
    return state | {"_pooling": PatchPooling(layout, values, **kept)}


KINDS.change(PatchLayer, _write_pooling, _read_pooling)


def _check_matrix(layer):
    shape = layer.matrix_shape
    if layer.dense_matrix().shape != shape or layer.weight.shape[0] != shape[0]:
        raise _no_fit(layer, f"a matrix of shape {shape}", layer.dense_matrix().shape)


def _check_widths(layer):
    shape = layer.out_features, layer.in_features
    if layer.matrix_shape != shape:
        raise _no_fit(layer, f"a matrix of shape {shape}", layer.matrix_shape)


def _check_integers(layer):
    values = layer.values.numpy()
    if layer._rounds_input and (
        values.shape != layer.matrix_shape or values.dtype != np.int8
    ):
        raise _no_fit(
            layer,
            f"int8 of shape {layer.matrix_shape}",
            f"{values.dtype} of shape {values.shape}",
        )


def _check_atoms(layer):
    if layer.float_layer().atoms.shape != layer.shape:
        found = tuple(layer.float_layer().atoms.shape)
        raise _no_fit(layer, f"atoms of shape {layer.shape}", found)


def _no_fit(layer, wanted, found):
    return ValueError(
        f"{type(layer).__name__} must have {wanted}. Got {found}; the file is damaged "
        "or forged."
    )


KINDS.check(CompressedMatrix, _check_matrix)
KINDS.check(CompressedLinear, _check_widths)
KINDS.check(QuantizedMatrix, _check_integers)
KINDS.check(CompressedCoding, _check_atoms)
