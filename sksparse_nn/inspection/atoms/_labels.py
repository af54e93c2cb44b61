"""Classes of samples, be it one per sample or several labels."""

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing, column_or_1d
from sklearn.utils.multiclass import is_multilabel

from sksparse_nn._structure import check_structure


def find_members(y):
    """Return which samples belong to each class.

    Parameters
    ----------
    y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels)
        Classes, or an indicator of several labels.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Sorted classes; for an indicator, its column numbers.

    members : CSR array of shape (n_classes, n_samples)
        Ones where a sample belongs to a class.
    """
    check_structure(y, "y")
    if is_multilabel(y):
        members = sparse.csr_array(sparse.csr_array(y).T, dtype=np.float64)
        return np.arange(members.shape[0]), members
    classes, labels = np.unique(column_or_1d(y), return_inverse=True)
    places = labels, np.arange(len(labels))
    shape = len(classes), len(labels)
    return classes, sparse.csr_array((np.ones(len(labels)), places), shape=shape)


def describe_labels(y, rows):
    """Return the labels of samples as text.

    Parameters
    ----------
    y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels)
        Classes, or an indicator of several labels.

    rows : array-like of int
        Indices of the samples.

    Returns
    -------
    names : list of str
        Class of each sample, or its labels.
    """
    if not is_multilabel(y):
        return [str(label) for label in _safe_indexing(y, rows)]
    has = find_members(y)[1].tocsc()
    named = [", ".join(map(str, np.sort(has[:, [row]].indices))) for row in rows]
    return [f"labels {labels}" if labels else "no label" for labels in named]
