"""Training samples that compression looks at, block by block."""

import numpy as np

from sksparse_nn._picked_rows import PickedRows, spread_rows
from sksparse_nn._read_ahead import take_rows
from sksparse_nn.modules._facts import is_convolution
from sksparse_nn.modules._run import run

# Samples to read at most, and samples per block.
MOST_SAMPLES, _BLOCK = 5000, 1024

# Images to read, of which each has many positions. Of a ResNet-8 on CIFAR-10 without
# half of its channels, 2560 or 5000 gained 0.02 of accuracy in two and four times the
# time; without a quarter nothing.
_IMAGES = 1280


def choose_samples(X, sample_weight=None, n_most=None):
    """Choose the samples that compression reads, at equal distances.

    The first ones may all have the same label.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        All samples.

    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Their weights.

    n_most : int or None, default=None
        Number of samples to choose at most; None for `MOST_SAMPLES`.

    Returns
    -------
    rows : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Some samples; all of them where there are no more.

    weight : ndarray of shape (n_rows,) or None
        Their weights, in units of the largest of all samples.
    """
    if sample_weight is not None:
        sample_weight = sample_weight / sample_weight.max()  # sums might overflow
    n_samples, n_most = X.shape[0], n_most or MOST_SAMPLES
    if n_samples <= n_most:
        return X.copy() if isinstance(X, PickedRows) else X, sample_weight
    chosen = spread_rows(n_samples, n_most)
    weight = None if sample_weight is None else sample_weight[chosen]
    return take_rows(X, chosen), weight


def spread_samples(X, y, sample_weight):
    """Return all samples that some were picked from, the others with zero weight.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_samples, n_features)
        Samples.

    y : ndarray or CSR matrix of shape (n_samples, ...) or None
        Their targets.

    sample_weight : ndarray of shape (n_samples,) or None
        Their weights.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_all, n_features)
        All samples, not copied.

    y : ndarray or CSR matrix of shape (n_all, ...) or None
        Their targets; where the weight is zero any of them.

    sample_weight : ndarray of shape (n_all,) or None
        Their weights.
    """
    if not isinstance(X, PickedRows):
        return X, y, sample_weight
    places = np.zeros(X.whole.shape[0], np.intp)
    places[X.rows] = np.arange(len(X))
    y = None if y is None else y[places]
    return X.whole, y, X.scatter_weights(sample_weight)


def choose_for_layers(module, X, sample_weight):
    """Choose the samples by which layers of a network are solved again.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        All samples.

    sample_weight : ndarray of shape (n_samples,) or None
        Their weights.

    Returns
    -------
    samples : tuple
        Up to `MOST_SAMPLES`, or fewer where there are convolutions, and their weights
        or None.
    """
    has_positions = any(map(is_convolution, module.modules()))
    return choose_samples(X, sample_weight, _IMAGES if has_positions else None)


def sample_blocks(X, sample_weight):
    """Yield chosen samples block by block.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        All samples.

    sample_weight : ndarray of shape (n_samples,) or None
        Their weights.

    Yields
    ------
    rows : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Some of those that `choose_samples` chooses.

    weight : ndarray of shape (n_rows,) or None
        Their weights, in units of the largest of all samples.
    """
    X, sample_weight = choose_samples(X, sample_weight)
    for start in range(0, X.shape[0], _BLOCK):
        block = slice(start, start + _BLOCK)
        yield X[block], None if sample_weight is None else sample_weight[block]


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
        Its outputs, the first ones of several.
    """
    (outputs,) = run(module, X, X.shape[0], use=list)
    if isinstance(outputs, list | tuple):
        outputs = outputs[0]
    return outputs.cpu().numpy()
