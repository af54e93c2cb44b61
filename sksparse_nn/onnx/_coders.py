"""Codes in a dictionary, by the class of their algorithm."""

import numpy as np

from sksparse_nn.onnx import _penalties, _pursuit, _shrinkage
from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.onnx._rows import emit_products

_IN_DOUBLE = _shrinkage.IN_DOUBLE | _pursuit.PURSUITS | _penalties.PENALTIES
_CODERS = _shrinkage.QUICK | _IN_DOUBLE


def emit_dictionary_codes(estimator, graph, x, dtype):
    """Write the nodes of a dictionary coder.

    Parameters
    ----------
    estimator : SparseDictionaryCoder
        Fitted.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of rows and codes.

    Returns
    -------
    codes : str
        Of shape (n_rows, n_codes).
    """
    if estimator.allow_nan:
        refuse(
            "SparseDictionaryCoder(allow_nan=True)",
            "set allow_nan=False on the fitted coder, for samples without gaps",
        )
    coder = estimator._coder(len(estimator.components_))
    codes = emit_codes(coder, graph, x, estimator.components_, dtype)
    return emit_split_signs(graph, codes) if estimator.split_sign else codes


def emit_codes(coder, graph, x, dictionary, dtype):
    """Write the nodes of an algorithm that codes.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    graph, x, dtype
        As in `emit_dictionary_codes`.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    Returns
    -------
    codes : str
        In terms of the atoms as they are given.
    """
    emit = _CODERS.get(type(coder))
    if emit is None:
        refuse(
            f"The algorithm {type(coder).__name__}",
            f"one of {[kind.__name__ for kind in _CODERS]} can",
        )
    inner = np.float64 if type(coder) in _IN_DOUBLE else dtype
    products = emit_products(graph, x, dictionary, dtype, inner)
    codes = emit(coder, graph, products)
    if coder.weights_atoms:
        norms = products.atoms.norms
        codes = graph("Div", codes, np.where(norms > 0, norms, 1).astype(inner))
    return graph.cast(codes, dtype)


def emit_split_signs(graph, codes):
    """Write what is above zero, and beside it what is below.

    Parameters
    ----------
    graph : Graph
        Takes the nodes.

    codes : str
        Of shape (n_rows, n_atoms).

    Returns
    -------
    halves : str
        Of shape (n_rows, 2 * n_atoms).
    """
    below = graph("Relu", graph("Neg", codes))
    return graph("Concat", graph("Relu", codes), below, axis=1)
