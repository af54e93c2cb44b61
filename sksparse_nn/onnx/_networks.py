"""Predictions of networks: labels and probabilities, or numbers in their unit."""

import numpy as np

from sksparse_nn.neural._targets import Classes
from sksparse_nn.neural._targets._number_losses import LARGEST_LOG, Poisson
from sksparse_nn.onnx._layers import emit_module


def emit_outputs(network, graph, x):
    """Write the nodes of the network of an estimator.

    Parameters
    ----------
    network : SparseNetClassifier or SparseNetRegressor
        Fitted.

    graph : Graph
        Takes the nodes.

    x : str
        Rows.

    Returns
    -------
    outputs : str
        Of shape (n_rows, n_outputs), in the float type of the network.
    """
    dtype = np.dtype(network.net_.float_type)
    module = network.net_.module_
    rows = graph.cast(x, dtype)
    return emit_module(module, graph, rows, dtype, network.n_features_in_)


def emit_classes(network, graph, x):
    """Write the nodes of a classifier.

    Parameters
    ----------
    network : SparseNetClassifier
        Fitted.

    graph, x
        As in `emit_outputs`.

    Returns
    -------
    labels, probabilities : str
        Labels of shape (n_rows,) or (n_rows, n_labels); probabilities of shape
        (n_rows, n_outputs), in single precision.
    """
    logits = emit_outputs(network, graph, x)
    if isinstance(network._targets, Classes):
        best = graph("ArgMax", logits, axis=1, keepdims=0)
        labels = graph("Gather", name_classes(network), best, axis=0)
        probabilities = graph("Softmax", logits, axis=1)
    else:
        zero = graph("CastLike", np.array(0.0), logits)
        labels = graph.cast(graph("Greater", logits, zero), np.int64)
        probabilities = graph("Sigmoid", logits)
    return labels, graph.cast(probabilities, np.float32)


def name_classes(network):
    """Return the classes as strings or integers, which ONNX knows.

    Parameters
    ----------
    network : SparseNetClassifier
        Fitted.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Of type object or int64.
    """
    classes = np.asarray(network.classes_)
    if classes.dtype.kind in "OUS":
        return classes.astype(str).astype(object)
    return classes.astype(np.int64)  # floats are whole numbers, or fit refuses them


def emit_numbers(network, graph, x, dtype):
    """Write the nodes of a regressor.

    Parameters
    ----------
    network : SparseNetRegressor
        Fitted.

    graph, x
        As in `emit_outputs`.

    dtype : dtype
        Float type of the predictions.

    Returns
    -------
    numbers : str
        Of shape (n_rows, n_outputs), in the unit of the targets.
    """
    outputs = graph.cast(emit_outputs(network, graph, x), np.float64)
    targets = network._targets
    if isinstance(targets.loss, Poisson):
        scale, _ = targets.output_units()
        most = np.array(LARGEST_LOG)
        log = graph("Mul", outputs, scale)
        log = graph("Max", graph("Min", log, most), -most)
        return graph.cast(graph("Mul", graph("Exp", log), targets.offset), dtype)
    numbers = graph("Add", graph("Mul", outputs, targets.scale), targets.offset)
    return graph.cast(numbers, dtype)
