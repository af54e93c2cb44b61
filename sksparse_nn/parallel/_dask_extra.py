"""Imported where dask is needed: says how to get it where it is absent."""

from importlib.util import find_spec

if find_spec("dask") is None:
    raise ModuleNotFoundError(
        "Collections of dask need dask. Got no dask; "
        'pip install "sksparse-nn[dask]", or use sksparse_nn.parallel.fit_chunks.',
        name="dask",
    )
