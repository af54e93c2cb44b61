"""Run samples through a module, block by block."""

from functools import partial

import numpy as np
import torch
from scipy import sparse

from sksparse_nn.modules._activations import bytes_per_row
from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.modules._modes import own_modes
from sksparse_nn.modules._perceptron import Perceptron, stays_sparse
from sksparse_nn.modules._single_rows import apply_module
from sksparse_nn.modules._sparse_input import sparse_rows
from sksparse_nn.modules._threads import limit_threads

# Numbers of input per block, or of output of the first layer if the input is sparse:
# 16 MB of float32.
_BLOCK_SIZE = 2**22

# Bytes that activations of a block may take, in networks whose activations are not
# known to be as small as their input. One pass over so few samples needs no blocks.
_ACTIVATIONS, _FEW = 2**26, 32


def _forget(outputs):
    for _ in outputs:
        pass


def run(module, X, n_rows, *, use=_forget, private=True):
    """Run samples through a module without recording gradients.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode, with hooks or without.

    X : ndarray or CSR matrix of shape (n_samples, ...)
        Samples. Floats are cast to the float type of the module.

    n_rows : int
        Samples per block.

    use : callable, default=_forget
        Takes an iterator over the outputs of the blocks, which runs the module lazily,
        on one thread if blocks are small. The default drops them, for callers that read
        from hooks.

    private : bool, default=True
        Whether the module gets copies, because it may work in place.

    Returns
    -------
    result : object
        What `use` returns.
    """
    forward = partial(apply_module, module) if private else module
    form = {"is_sparse": stays_sparse(X, module), "private": private}
    like = _like(module)
    starts, n_at_most = range(0, X.shape[0], n_rows), min(n_rows, X.shape[0])
    modes, few = own_modes(), limit_threads(module.parameters(), n_at_most)
    with modes, torch.inference_mode(), few:
        return use(
            forward(_as_input(_take(X, start, n_rows), like, **form))
            for start in starts
        )


def _take(X, start, n_rows):
    """Return some rows, or all of them as they are: SciPy copies slowly."""
    return X if n_rows >= X.shape[0] else X[start : start + n_rows]


def rows_per_block(module, X, at_least):
    """Return how many samples to run at a time, so that they fit into memory.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Its input.

    at_least : int
        Samples that are known to fit, if activations do.

    Returns
    -------
    n_rows : int
        One at least.
    """
    is_sparse = stays_sparse(X, module)
    width = module.sparse_layer.out_features if is_sparse else X.shape[1]
    n_rows = max(at_least, _BLOCK_SIZE // width)
    if min(n_rows, X.shape[0]) <= _FEW or isinstance(module, Perceptron | CodedNetwork):
        return n_rows
    return min(n_rows, max(1, _ACTIVATIONS // _measure_row(module, X)))


def _measure_row(module, X):
    with own_modes(), torch.inference_mode():
        row = _as_input(X[:1], _like(module), is_sparse=False, private=True)
        return bytes_per_row(partial(apply_module, module), row)


def module_float_type(module):
    """Return the float type of a module.

    Parameters
    ----------
    module : torch.nn.Module
        Without parameters, its type is the default of torch.

    Returns
    -------
    name : str
        In the words of NumPy.
    """
    return _name_type(_like(module))


def _name_type(like):
    return str(like.dtype).removeprefix("torch.")


def _like(module):
    weights = next(module.parameters(), None)
    return torch.empty(0) if weights is None else weights


def _as_input(rows, like, *, is_sparse, private):
    if is_sparse:
        return sparse_rows(rows, _name_type(like))
    rows = _tensor(rows, private)
    return rows.to(like) if rows.is_floating_point() else rows.to(like.device)


def _tensor(rows, private):
    if sparse.issparse(rows):
        return torch.from_numpy(rows.toarray())
    if private:
        return torch.from_numpy(np.array(rows, order="C"))
    # A view where torch allows it: not of read-only memory or with negative strides.
    return torch.from_numpy(np.require(rows, requirements=["C", "W"]))
