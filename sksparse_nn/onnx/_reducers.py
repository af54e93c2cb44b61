"""Truncated SVD as products with matrices."""

import numpy as np

from sksparse_nn.solvers.svd import invert_scale


def emit_coordinates(reducer, graph, x, dtype):
    """Write the nodes of a reducer.

    Parameters
    ----------
    reducer : TruncatedSVDReducer
        Fitted.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of rows and coordinates.

    Returns
    -------
    coordinates : str
        Of shape (n_rows, n_components).
    """
    projector = reducer._current_projector()
    mean, left = projector.split_mean(dtype)
    if projector.partition.order is not None:
        x = graph("Gather", x, projector.partition.order, axis=1)
    if mean is not None:
        x = graph("Sub", x, mean)
    parts = [_emit_batch(batch, graph, x) for batch in projector.make_batches(dtype)]
    Z = parts[0] if len(parts) == 1 else graph("Concat", *parts, axis=1)
    if left is not None:
        Z = graph("Sub", Z, left)
    if projector.scale is None:
        return Z
    return graph("Mul", Z, invert_scale(projector.scale).astype(dtype))


def _emit_batch(batch, graph, x):
    n_groups, n_components, width = batch.components.shape
    start, stop = (np.array([at]) for at in (batch.columns.start, batch.columns.stop))
    x = graph("Slice", x, start, stop, np.array([1]))
    if n_groups == 1:
        return graph("MatMul", x, batch.transposed[0])
    x = graph("Reshape", x, np.array([-1, n_groups, width]))
    x = graph("Transpose", x, perm=[1, 0, 2])
    Z = graph("MatMul", x, np.ascontiguousarray(batch.transposed))
    Z = graph("Transpose", Z, perm=[1, 0, 2])
    return graph("Reshape", Z, np.array([-1, n_groups * n_components]))
