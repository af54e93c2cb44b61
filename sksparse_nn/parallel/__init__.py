"""Fits to chunks of samples on any workers, and to collections of dask."""

from sksparse_nn._lazy import load_on_use

# Names load on first use: all but one need dask, which takes half a second.
_HOMES = {
    "fit": "_fit",
    "fit_chunks": "_fit_chunks",
    "inverse_transform": "_lazily",
    "predict": "_lazily",
    "predict_proba": "_lazily",
    "transform": "_lazily",
}

__all__ = [
    "fit",
    "fit_chunks",
    "inverse_transform",
    "predict",
    "predict_proba",
    "transform",
]

__getattr__, __dir__ = load_on_use(__name__, _HOMES)
