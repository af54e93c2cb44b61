"""Usage, coherence, classes and stability of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, check_random_state

from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn.inspection.atoms._codes import code_rows, find_coder
from sksparse_nn.inspection.atoms._labels import find_members

if TYPE_CHECKING:
    import pandas


def atom_table(
    transformer: BaseEstimator,
    X: MatrixLike,
    y: MatrixLike | None = None,
    *,
    n_shuffles: int = 20,
    random_state: Seed = None,
) -> pandas.DataFrame:
    """Describe each atom by its usage, its nearest atom and its classes.

    Parameters
    ----------
    transformer : transformer
        Fitted, with ``components_``, or a pipeline of transformers that ends in one.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels), \
            default=None
        Their classes, or an indicator of several labels.

    n_shuffles : int, default=20
        Number of shuffles of the labels that estimate chance, at least 2.

    random_state : int, RandomState instance or None, default=None
        Source of the shuffles.

    Returns
    -------
    table : pandas.DataFrame
        One row per atom, with the columns

        - ``usage``, the share of samples that use it;
        - ``mean_abs_code``, over all samples;
        - ``coherence``, the largest absolute cosine with another atom, and ``nearest``,
          that atom;

        and with `y`

        - ``top_class``, the class with the largest share of the absolute codes, with
          equal weight of all classes, and ``class_share``, that share;
        - ``chance_share``, the mean largest share with shuffled labels, and
          ``class_score``, the number of standard deviations above chance.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import atom_table
    >>> X, y = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(
    ...     16, algorithm="omp", n_nonzero_coefs=3, random_state=0
    ... ).fit(X)
    >>> atom_table(coder, X, y, random_state=0).shape
    (16, 8)
    """
    import pandas as pd

    coder = find_coder(transformer)
    codes = code_rows(transformer, X)
    similarity = _similarity(coder.components_)
    table = pd.DataFrame(
        {
            "usage": _means(codes != 0),
            "mean_abs_code": _means(abs(codes)),
            "coherence": similarity.max(axis=1, initial=0.0),
            "nearest": _find_nearest(similarity),
        }
    )
    if y is not None:
        profile = class_profile(
            codes, y, n_shuffles=n_shuffles, random_state=random_state
        )
        top = profile.shares.argmax(axis=1)
        spread = np.where(profile.chance_std > 0, profile.chance_std, np.inf)
        share = profile.shares.max(axis=1)
        table["top_class"] = profile.classes[top]
        table["class_share"] = share
        table["chance_share"] = profile.chance_mean
        table["class_score"] = (share - profile.chance_mean) / spread
    return table.rename_axis("atom")


def class_profile(
    codes: MatrixLike, y: MatrixLike, *, n_shuffles: int = 20, random_state: Seed = None
) -> Bunch:
    """Return how the usage of each atom is shared among classes, and by chance.

    Parameters
    ----------
    codes : {ndarray, sparse matrix} of shape (n_samples, n_atoms)
        Codes.

    y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels)
        Classes, or an indicator of several labels, each of which counts as a class.

    n_shuffles : int, default=20
        Number of shuffles of the labels, at least 2.

    random_state : int, RandomState instance or None, default=None
        Source of the shuffles.

    Returns
    -------
    profile : sklearn.utils.Bunch
        With ``classes``; ``shares`` of shape (n_atoms, n_classes), the mean absolute
        code in each class divided by the sum over classes, zero for an unused
        atom; ``chance_mean`` and ``chance_std`` of shape (n_atoms,), of the largest
        share with shuffled labels.

    Examples
    --------
    >>> from sksparse_nn.inspection import class_profile
    >>> class_profile([[1, 0], [3, 1]], ["a", "b"], random_state=0).shares
    array([[0.25, 0.75],
           [0.  , 1.  ]])
    """
    if n_shuffles < 2:
        raise ValueError(f"n_shuffles must be at least 2. Got {n_shuffles}.")
    check_structure(codes, "codes")
    rng = check_random_state(random_state)
    classes, belong = find_members(y)
    magnitudes = abs(sparse.csr_array(codes, dtype=np.float64))
    if magnitudes.shape[0] != belong.shape[1]:
        raise ValueError(
            f"codes and y must have equally many rows. Got {magnitudes.shape[0]} and "
            f"{belong.shape[1]}."
        )
    chance = [
        _shares(magnitudes, belong[:, rng.permutation(belong.shape[1])]).max(axis=1)
        for _ in range(n_shuffles)
    ]
    return Bunch(
        classes=classes,
        shares=_shares(magnitudes, belong),
        chance_mean=np.mean(chance, axis=0),
        chance_std=np.std(chance, axis=0),
    )


def top_samples(codes: MatrixLike, n_samples: int = 5) -> NDArray:
    """Return the samples in which each atom is strongest.

    Parameters
    ----------
    codes : {ndarray, sparse matrix} of shape (n_rows, n_atoms)
        Codes.

    n_samples : int, default=5
        Number of samples per atom.

    Returns
    -------
    rows : ndarray of int of shape (n_atoms, n_samples)
        In decreasing order of magnitude; -1 if fewer samples use the atom.

    Examples
    --------
    >>> from sksparse_nn.inspection import top_samples
    >>> top_samples([[1, 0], [-3, 2]], n_samples=2)
    array([[ 1,  0],
           [ 1, -1]])
    """
    check_structure(codes, "codes")
    by_atom = abs(sparse.csc_array(codes))
    by_atom.eliminate_zeros()
    rows = np.full((by_atom.shape[1], n_samples), -1)
    for atom in range(by_atom.shape[1]):
        part = slice(by_atom.indptr[atom], by_atom.indptr[atom + 1])
        order = np.lexsort([by_atom.indices[part], -by_atom.data[part]])[:n_samples]
        rows[atom, : len(order)] = by_atom.indices[part][order]
    return rows


def mutual_coherence(components: ArrayLike) -> float:
    """Return the largest absolute cosine of two different atoms.

    Parameters
    ----------
    components : array-like of shape (n_atoms, n_features)
        Atoms.

    Returns
    -------
    coherence : float
        Between 0 and 1; 0 for a single atom.

    Examples
    --------
    >>> from sksparse_nn.inspection import mutual_coherence
    >>> mutual_coherence([[1, 0], [0, 2]])
    0.0
    """
    check_structure(components, "components")
    return float(_similarity(components).max(initial=0.0))


def stability(
    transformer: BaseEstimator,
    X: MatrixLike,
    *,
    n_fits: int = 5,
    random_state: Seed = None,
    verbose: int = 0,
) -> Bunch:
    """Measure how well atoms recur when a transformer is fitted with other seeds.

    The atoms of each further fit are matched one to one with those of the first, so
    that the sum of absolute cosines is largest.

    Parameters
    ----------
    transformer : transformer
        With ``components_`` once fitted and the parameter ``random_state``. Clones of
        it are fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    n_fits : int, default=5
        Number of fits.

    random_state : int, RandomState instance or None, default=None
        Source of the seeds of the fits.

    verbose : int, default=0
        Whether to print one line per fit.

    Returns
    -------
    found : sklearn.utils.Bunch
        With ``components`` of the first fit, and ``cosines`` of shape (n_fits - 1,
        n_atoms), the absolute cosine of each atom with its partner in each other fit.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import stability
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(16, algorithm="omp", n_nonzero_coefs=3)
    >>> stability(coder, X, n_fits=3, random_state=0).cosines.shape
    (2, 16)
    """
    if n_fits < 2:
        raise ValueError(f"n_fits must be at least 2, to compare. Got {n_fits}.")
    check_structure(X)
    rng = check_random_state(random_state)
    fits, report = [], ProgressLines("stability", verbose)
    for number in range(1, n_fits + 1):
        seed = rng.randint(np.iinfo(np.int32).max)
        fitted = clone(transformer).set_params(random_state=seed).fit(X)
        fits.append(fitted.components_)
        report(f"fit {number} of {n_fits}")
    first = _normalize(fits[0])
    cosines = []
    for other in fits[1:]:
        cosine = np.abs(first @ _normalize(other).T)
        rows, columns = linear_sum_assignment(cosine, maximize=True)
        of_atoms = np.zeros(len(first))
        of_atoms[rows] = cosine[rows, columns]
        cosines.append(of_atoms)
    return Bunch(components=fits[0], cosines=np.array(cosines))


def _means(codes):
    return np.asarray(codes.sum(axis=0), dtype=np.float64).ravel() / codes.shape[0]


def _shares(magnitudes, belong):
    sizes = np.asarray(belong.sum(axis=1)).ravel()
    means = (belong @ magnitudes).toarray().T / np.maximum(sizes, 1)
    totals = means.sum(axis=1, keepdims=True)
    return means / np.where(totals > 0, totals, 1)


def _normalize(components):
    if sparse.issparse(components):
        components = components.toarray()
    components = np.asarray(components, dtype=np.float64)
    largest = np.abs(components).max(axis=1, keepdims=True, initial=0)
    # Squares of what is left stay within their type.
    components = components / np.where(largest > 0, largest, 1)
    norms = np.linalg.norm(components, axis=1, keepdims=True)
    return components / np.where(norms > 0, norms, 1)


def _similarity(components):
    unit = _normalize(components)
    similarity = np.abs(unit @ unit.T).clip(max=1)
    np.fill_diagonal(similarity, 0)
    return similarity


def _find_nearest(similarity):
    """Return the nearest other atom, -1 where there is none."""
    if len(similarity) == 1:
        return np.array([-1])
    return np.where(similarity.max(axis=1) > 0, similarity.argmax(axis=1), -1)
