"""Modules that are not known here, as torch's own exporter writes them."""

import logging
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO

import numpy as np
import torch

from sksparse_nn.modules._folded_patches import fold_whitening
from sksparse_nn.onnx._refusals import refuse

# Samples of the example: with one, torch would take their number for fixed.
_FEW = 2


def emit_traced(layer, graph, x, dtype, shape):
    """Write the nodes of a module in single precision, as torch traces it.

    Parameters
    ----------
    layer : torch.nn.Module
        In evaluation mode.

    graph : Graph
        Takes the nodes.

    x : str
        Its input, of `dtype`.

    dtype : dtype
        Float type of the network.

    shape : tuple of int
        Shape of the input of a single sample.

    Returns
    -------
    outputs : str
        Of `dtype`.

    Raises
    ------
    TypeError
        If torch cannot trace the module.
    """
    model = _trace(layer, shape, graph.opset)
    single = graph.cast(x, np.float32)
    return graph.cast(graph.inline(model, single), dtype)


def _trace(layer, shape, opset):
    rows = torch.zeros(_FEW, *shape)
    sizes = ({0: torch.export.Dim("n_rows", min=1)},)
    try:
        with _quiet(), torch.no_grad():
            single = deepcopy(fold_whitening(layer)).float()
            program = torch.onnx.export(
                single, (rows,), dynamo=True, dynamic_shapes=sizes,
                opset_version=opset, verbose=False,
            )  # fmt: skip
    except Exception as error:  # of many kinds, from torch and onnxscript
        cause = error.__cause__ or error
        reason = str(cause).strip().partition("\n")[0] or type(cause).__name__
        name = type(layer).__name__
        refuse(f"The layer {name}", f"torch cannot trace it: {reason.rstrip('.')}")
    return program.model_proto


@contextmanager
def _quiet():
    """Keep torch's exporter from printing what is no matter here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
