"""What a fitted coder has derived from its parameters and atoms, while these stay.

For a single sample, checking parameters and preparing atoms takes most of the time of
`transform`. The results are kept beside the estimators, not in them: an estimator has
the same attributes before and after `transform`, and pickles as before.
"""

from weakref import WeakKeyDictionary

import numpy as np

from sksparse_nn._validation import FLOAT_TYPES
from sksparse_nn.solvers.coding import prepare_atoms

# Numbers of a dictionary that is kept prepared: larger ones take memory, and the time
# of preparing them hardly counts.
_MOST_NUMBERS = 2**18

_CODERS, _ATOMS = WeakKeyDictionary(), WeakKeyDictionary()

# The coder of the last call of `sparse_encode`, as the only entry.
_LAST = []


def remember_coder(estimator, values, make):
    """Return the coding algorithm of an estimator, made anew if a parameter changed.

    Parameters
    ----------
    estimator : estimator
        Whose algorithm it is.

    values : tuple
        Everything that the algorithm depends on.

    make : callable
        Checks the parameters and makes the algorithm.

    Returns
    -------
    coder : AbstractCoder
        The algorithm.
    """
    known = _CODERS.get(estimator)
    if known is not None and _are_same(values, known[0]):
        return known[1]
    coder = make()
    if all(map(_is_constant, values)):  # others may change unnoticed
        _CODERS[estimator] = values, coder
    return coder


def remember_atoms(estimator, coder, dictionary, dtype):
    """Return what a coder needs of a dictionary, made anew if an atom changed.

    Parameters
    ----------
    estimator : estimator
        Whose dictionary it is.

    coder : AbstractCoder
        From `remember_coder`.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    dtype : dtype
        Float type of the samples.

    Returns
    -------
    atoms : Atoms
        As `prepare_atoms` returns them.
    """
    dictionary = np.asarray(dictionary)
    if dictionary.size > _MOST_NUMBERS:
        return prepare_atoms(coder, dictionary, dtype)
    known = _ATOMS.get(estimator)
    if known is None or not _is_same(known, coder, dictionary, dtype):
        kept = dictionary.copy()
        atoms = prepare_atoms(coder, kept, dtype)
        known = _ATOMS[estimator] = coder, kept, dtype, atoms
    return known[-1]


def recall_encoder(X, dictionary, parameters):
    """Return the coder of the call before, if nothing but the samples has changed.

    Parameters
    ----------
    X : object
        Samples.

    dictionary : object
        Atoms.

    parameters : dict
        How to code.

    Returns
    -------
    coder : SparseDictionaryCoder or None
        From `remember_encoder`.
    """
    if not _LAST or not _are_plain(X, dictionary):
        return None
    coder, kept, dtype, names, values = _LAST[0]
    is_same = (
        X.shape[1:] == kept.shape[1:]
        and X.dtype == dtype
        and dictionary.dtype == kept.dtype
        and tuple(parameters) == names
        and _are_same(tuple(parameters.values()), values)
        and np.array_equal(dictionary, kept)
    )
    return coder if is_same else None


def remember_encoder(coder, X, dictionary, parameters):
    """Keep a coder for the next call, if it is small and cannot change unnoticed.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        Has the dictionary.

    X : object
        Samples.

    dictionary : object
        Atoms.

    parameters : dict
        How to code.
    """
    values = tuple(parameters.values())
    if (
        _are_plain(X, dictionary)
        and dictionary.size <= _MOST_NUMBERS
        and all(map(_is_constant, values))
    ):
        _LAST[:] = [(coder, dictionary.copy(), X.dtype, tuple(parameters), values)]


def _are_plain(*arrays):
    return all(type(A) is np.ndarray and A.dtype in FLOAT_TYPES for A in arrays)


def _are_same(values, former):
    return len(values) == len(former) and all(map(_is_same_value, values, former))


def _is_same_value(value, former):
    return value is former or (type(value) is type(former) and value == former)


def _is_same(known, coder, dictionary, dtype):
    former_coder, former, former_dtype, _ = known
    return (
        former_coder is coder
        and former_dtype == dtype
        and former.dtype == dictionary.dtype
        and np.array_equal(former, dictionary)
    )


def _is_constant(value):
    return value is None or isinstance(value, str | int | float | bool | type)
