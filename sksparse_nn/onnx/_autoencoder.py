"""Codes of an autoencoder: a product, and its largest values."""

import numpy as np


def emit_latents(autoencoder, graph, x, dtype):
    """Write the nodes of an autoencoder.

    Parameters
    ----------
    autoencoder : TopKAutoencoder
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
        Of shape (n_rows, n_components).
    """
    weights = autoencoder.encoder_weights_.astype(dtype)
    most = np.array([min(autoencoder.n_nonzero_coefs, len(weights))])
    x = graph("Sub", x, autoencoder.bias_.astype(dtype))
    latents = graph("Relu", graph("MatMul", x, np.ascontiguousarray(weights.T)))
    values, places = graph("TopK", latents, most, n_outputs=2, axis=1)
    zeros = graph("Sub", latents, latents)
    return graph("ScatterElements", zeros, places, values, axis=1)
