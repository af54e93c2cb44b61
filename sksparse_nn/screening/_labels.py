"""Rules of labels: missing ones, and classes that are too small."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_consistent_length

from sksparse_nn.screening._samples import is_missing_cell


def read_labels(y, X, missing_label):
    """Read labels, and find those that are missing.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        Labels or targets.

    X : array-like of shape (n_samples, n_features)
        Samples, whose number must be that of the labels.

    missing_label : int, float, str or None
        What else stands for a missing label.

    Returns
    -------
    labels : ndarray of object of shape (n_samples, n_outputs) or None
        The labels; None if there are none.

    is_missing : ndarray of bool of shape (n_samples, n_outputs)
        Whether a label is None, NaN, NA or `missing_label`.
    """
    if y is None:
        return None, np.zeros((X.shape[0], 1), dtype=bool)
    check_consistent_length(X, y)
    y = y.toarray() if sparse.issparse(y) else y
    labels = np.asarray(y)
    labels = labels.reshape(len(labels), -1)
    return labels, _find_missing(labels, missing_label)


def _find_missing(labels, missing_label):
    if labels.dtype.kind in "fc":
        is_missing = ~np.isfinite(labels)
    elif labels.dtype.kind == "O":
        cells = [is_missing_cell(label) for label in labels.ravel()]
        is_missing = np.array(cells, dtype=bool).reshape(labels.shape)
    else:
        is_missing = np.zeros(labels.shape, dtype=bool)
    if missing_label is not None:
        is_there = ~is_missing
        is_missing[is_there] = labels[is_there] == missing_label
    return is_missing


def count_classes(labels, is_missing):
    """Count the rows of each class.

    Parameters
    ----------
    labels : ndarray of shape (n_samples, n_outputs)
        Labels.

    is_missing : ndarray of bool of shape (n_samples, n_outputs)
        Those that do not count.

    Returns
    -------
    counts : dict
        Rows by class, as numbers or strings.

    Raises
    ------
    ValueError
        If there are several labels per sample, or targets that are no classes.
    """
    if labels.shape[1] > 1:
        raise ValueError(
            "min_class_size needs one class per sample. Got y with"
            f" {labels.shape[1]} columns; set min_class_size=1."
        )
    kept = labels[~is_missing]
    kept = np.array(kept.tolist()) if kept.dtype.kind == "O" else kept
    if kept.dtype.kind == "f" and np.any(kept != np.round(kept)):
        raise ValueError(
            "min_class_size needs classes. Got y with fractions, such as "
            f"{kept[kept != np.round(kept)][0]}; set min_class_size=1."
        )
    names, counts = np.unique(kept, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def screen_labels(labels, is_missing, classes, min_class_size, exclusions):
    """Find the rows whose label is missing, or whose class is too small.

    Parameters
    ----------
    labels : ndarray of shape (n_samples, n_outputs)
        Labels.

    is_missing : ndarray of bool of shape (n_samples, n_outputs)
        Those that are missing.

    classes : dict
        Rows by class, of all samples so far.

    min_class_size : int
        The fewest that are enough.

    exclusions : Exclusions
        Takes the lines.
    """
    is_unlabelled = is_missing.any(axis=1)
    rows = np.flatnonzero(is_unlabelled)
    first = is_missing[rows].argmax(axis=1)
    values = [_plain(labels[row, at]) for row, at in zip(rows, first, strict=True)]
    exclusions.add("missing_label", rows, values=values)
    if min_class_size > 1:
        flat = labels[:, 0].tolist()
        counts = np.array([classes.get(label, 0) for label in flat])
        rows = np.flatnonzero((counts < min_class_size) & ~is_unlabelled)
        exclusions.add(
            "small_class",
            rows,
            values=[_plain(flat[row]) for row in rows],
            limits=np.full(len(rows), min_class_size),
        )


def _plain(label):
    """Return a label as a number or a text."""
    label = label.item() if isinstance(label, np.generic) else label
    if is_missing_cell(label):
        return np.nan
    return label if isinstance(label, int | float | bool) else str(label)
