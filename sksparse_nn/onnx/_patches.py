"""Codes of patches of images: gathered, whitened, coded and pooled."""

import numpy as np

from sksparse_nn.onnx._coders import emit_codes, emit_split_signs
from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.solvers.dictionary import normalise_atoms
from sksparse_nn.solvers.patches import HardAssignment


def emit_patch_codes(estimator, graph, x, dtype):
    """Write the nodes of a coder of patches.

    Parameters
    ----------
    estimator : ImagePatchCoder
        Fitted.

    graph : Graph
        Takes the nodes.

    x : str
        Images, one per row, of `dtype`.

    dtype : dtype
        Float type of images and features.

    Returns
    -------
    features : str
        Of shape (n_images, n_outputs).
    """
    pooling = estimator._pooling()
    layout = pooling.layout
    patches = graph("Gather", x, _place_patches(layout), axis=1)
    rows = _whiten(graph, patches, estimator._whitening())
    values = _emit_values(pooling.encoder, graph, rows, estimator.components_, dtype)
    if pooling.is_split:
        values = emit_split_signs(graph, values)
    shape = np.array([-1, layout.n_positions, pooling.n_outputs // layout.n_regions])
    pooled = _pool(pooling, graph, graph("Reshape", values, shape), dtype)
    return graph("Reshape", pooled, np.array([-1, pooling.n_outputs]))


def _place_patches(layout):
    """Return the place of each value of each patch, (n_positions, patch_width)."""
    places = np.arange(layout.n_features)[None]
    return layout.to_pixel_order(places)[0][layout.corners[:, None] + layout.pixels]


def _whiten(graph, patches, whitening):
    """Return whitened patches as rows, in double precision."""
    width = len(whitening.mean)
    rows = graph("Reshape", patches, np.array([-1, width]))
    rows = graph.cast(rows, np.float64)
    # About its first value, so that a constant patch is exactly zero.
    first = graph("Gather", rows, np.array([0]), axis=1)
    rows = graph("Sub", rows, first)
    rows = graph("Sub", rows, graph("Div", graph.sum(rows), np.array(float(width))))
    squares = graph.sum(graph("Mul", rows, rows))
    variances = graph("Div", squares, np.array(float(max(width - 1, 1))))
    variances = graph("Add", variances, np.array(whitening.contrast))
    is_seen = graph("Greater", variances, np.array(0.0))
    safe = graph("Where", is_seen, variances, np.array(1.0))
    scaled = graph("Div", graph.keep(is_seen, rows), graph("Sqrt", safe))
    return graph("MatMul", graph("Sub", scaled, whitening.mean), whitening.matrix)


def _emit_values(encoder, graph, rows, dictionary, dtype):
    if type(encoder) is HardAssignment:
        return _emit_nearest(graph, rows, dictionary.astype(np.float64), dtype)
    if not hasattr(encoder, "coder"):
        kind = type(encoder).__name__
        refuse(f"The encoder of patches {kind}", "use an algorithm that has a name")
    if encoder.coder.weights_atoms:
        dictionary = normalise_atoms(dictionary.astype(dtype, copy=False))
    return emit_codes(encoder.coder, graph, graph.cast(rows, dtype), dictionary, dtype)


def _emit_nearest(graph, rows, atoms, dtype):
    """Give each patch a one at its nearest atom, the first of equal ones."""
    products = graph("MatMul", rows, np.ascontiguousarray(2 * atoms.T))
    nearness = graph("Sub", products, (atoms**2).sum(axis=1))
    best = graph("ArgMax", nearness, axis=1, keepdims=1)
    return graph.cast(graph("Equal", best, np.arange(len(atoms))), dtype)


def _pool(pooling, graph, values, dtype):
    """Pool values of shape (n_images, n_positions, n_values) by region."""
    regions, n_regions = pooling.layout.regions, pooling.layout.n_regions
    if pooling.kind == "max":
        parts = [
            graph(
                "ReduceMax",
                graph("Gather", values, np.flatnonzero(regions == region), axis=1),
                np.array([1]),
                keepdims=1,
            )
            for region in range(n_regions)
        ]
        return parts[0] if n_regions == 1 else graph("Concat", *parts, axis=1)
    shares = (regions == np.arange(n_regions)[:, None]).astype(np.float64)
    if pooling.kind == "mean":
        shares /= shares.sum(axis=1, keepdims=True)
    return graph("MatMul", shares.astype(dtype), values)
