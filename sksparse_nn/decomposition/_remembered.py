"""What a fitted coder has derived from its parameters and atoms, while these stay.

For a single sample, checking parameters and preparing atoms takes most of the time of
`transform`. The results are kept beside the estimators, not in them: an estimator has
the same attributes before and after `transform`, and pickles as before.
"""

from weakref import WeakKeyDictionary

import numpy as np

from sksparse_nn.solvers.coding import prepare_atoms

# Numbers of a dictionary that is kept prepared: larger ones take memory, and the time
# of preparing them hardly counts.
_MOST_NUMBERS = 2**18

_CODERS, _ATOMS = WeakKeyDictionary(), WeakKeyDictionary()


def remember_coder(estimator, values, make):
    """Return the coding algorithm of an estimator, made anew if a parameter changed.

    Parameters
    ----------
    estimator : estimator
        Whose algorithm it is.

    values : list
        Everything that the algorithm depends on.

    make : callable
        Checks the parameters and makes the algorithm.

    Returns
    -------
    coder : AbstractCoder
        The algorithm.
    """
    if not all(map(_is_constant, values)):
        return make()  # they may change unnoticed
    key, known = [(type(value), value) for value in values], _CODERS.get(estimator)
    if known is None or known[0] != key:
        known = _CODERS[estimator] = key, make()
    return known[1]


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
