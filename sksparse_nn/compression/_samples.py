"""Training samples that compression looks at, block by block."""

import numpy as np

from sksparse_nn.modules._run import run

# Samples to read, and samples per block.
_ROWS, _BLOCK = 5000, 1024


def sample_blocks(X, sample_weight):
    """Yield blocks of up to 5000 samples, at equal distances.

    The first ones may all have the same label.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        All samples.

    sample_weight : ndarray of shape (n_samples,) or None
        Their weights.

    Yields
    ------
    rows : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Some samples.

    weight : ndarray of shape (n_rows,) or None
        Their weights, in units of the largest.
    """
    if sample_weight is not None:
        sample_weight = sample_weight / sample_weight.max()  # sums might overflow
    n_samples = X.shape[0]
    n_read = min(n_samples, _ROWS)
    chosen = np.linspace(0, n_samples - 1, n_read).astype(np.intp)
    for start in range(0, n_read, _BLOCK):
        rows = chosen[start : start + _BLOCK]
        yield X[rows], None if sample_weight is None else sample_weight[rows]


def read_outputs(module, X):
    """Return what a network makes of samples.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        One block of samples.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
        Its outputs.
    """
    (outputs,) = run(module, X, X.shape[0], use=list)
    return outputs.cpu().numpy()
