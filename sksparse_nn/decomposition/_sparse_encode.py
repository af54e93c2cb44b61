"""Sparse codes without an estimator: for one sparsity or along a path of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sksparse_nn._typing import Codes, MatrixLike
from sksparse_nn._validation import check_atoms
from sksparse_nn.decomposition._dictionary_learning import measure_level
from sksparse_nn.decomposition._remembered import recall_encoder, remember_encoder
from sksparse_nn.decomposition._sparse_dictionary_coder import SparseDictionaryCoder
from sksparse_nn.solvers.coding import CODERS, encode_path

# What of a coder is read where nothing is learnt.
_CODING = [
    "algorithm",
    "alpha",
    "n_nonzero_coefs",
    "l1_ratio",
    "residual_tol",
    "abs_residual_tol",
    "positive_code",
    "atom_weights",
    "allow_nan",
    "n_jobs",
    "n_components",
]

# What codes of one sparsity read beside that.
_ENCODING = [*_CODING, "split_sign", "sparse_output", "verbose"]


def sparse_encode(X: MatrixLike, dictionary: ArrayLike, **parameters: Any) -> Codes:
    """Write samples with few atoms of a given dictionary.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    dictionary : array-like of shape (n_components, n_features)
        Atoms of any norm; the codes are in their scale.

    **parameters : dict
        How to code: `algorithm`, `n_nonzero_coefs`, `residual_tol`,
        `abs_residual_tol`, `alpha`, `l1_ratio`, `positive_code`, `atom_weights`,
        `split_sign`, `allow_nan`, `sparse_output` and `n_jobs` of
        :class:`SparseDictionaryCoder`.

    Returns
    -------
    codes : CSR matrix or ndarray of shape (n_samples, n_components)
        Codes, such that ``codes @ dictionary`` is near `X`.

    Raises
    ------
    TypeError
        If a parameter has no such name.

    ValueError
        If `X` or `dictionary` are not finite or do not fit each other, or if the
        algorithm does not read one of the parameters.

    See Also
    --------
    SparseDictionaryCoder : The same as a transformer, which also learns dictionaries.
    sparsity_path : Codes for several sparsities in one go.

    Examples
    --------
    >>> import numpy as np
    >>> from sksparse_nn import sparse_encode
    >>> dictionary = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> X = [[2.0, 2.0], [0.0, 3.0]]
    >>> codes = sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=1)
    >>> codes.toarray().round(2)
    array([[0., 0., 2.],
           [0., 3., 0.]])
    """
    _check_names(parameters, _ENCODING)
    coder, X = _fitted(X, dictionary, parameters)
    return coder._transform(X)


def sparsity_path(
    X: MatrixLike, dictionary: ArrayLike, values: Sequence, **parameters: Any
) -> list:
    """Write samples with atoms of a given dictionary, for several sparsities in one go.

    The codes of a pursuit with k atoms begin those with more, so that one run gives
    all; those of a penalty start from the ones of the larger penalty before.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    dictionary : array-like of shape (n_components, n_features)
        Atoms of any norm; the codes are in their scale.

    values : sequence
        Values of `n_nonzero_coefs` for "omp", "ols" and "top_k"; of `alpha` for
        "lasso", "elastic_net", "threshold" and "soft_threshold". Where `algorithm` is
        an object they take the place of its own value.

    **parameters : dict
        How to code: `algorithm`, `residual_tol`, `abs_residual_tol`, `l1_ratio`,
        `positive_code`, `atom_weights`, `allow_nan` and `n_jobs` of
        :class:`SparseDictionaryCoder`.

    Returns
    -------
    path : list of CSR matrix of shape (n_samples, n_components)
        The codes for each value, in the order of `values`.

    Raises
    ------
    ValueError
        If the algorithm has no such path, a value is out of range, or the algorithm
        does not read one of the parameters.

    See Also
    --------
    sparse_encode : Codes for one sparsity.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder, sparsity_path
    >>> X = load_digits().data
    >>> atoms = SparseDictionaryCoder(64, random_state=0).fit(X).components_
    >>> path = sparsity_path(X, atoms, [1, 4, 16], algorithm="omp")
    >>> [int(codes.nnz / len(X)) for codes in path]
    [1, 4, 16]
    """
    _check_names(parameters, _CODING)
    values, of_flat = _check_path(values, **parameters)
    coder, X = _fitted(X, dictionary, parameters | of_flat)
    algorithm = coder._coder(len(coder.components_))
    return encode_path(algorithm, coder.components_, X, values, n_jobs=coder.n_jobs)


def coding_parameters(coder):
    """Return what says how a coder codes, less its sparsity.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        The coder.

    Returns
    -------
    parameters : dict
        For `sparsity_path`.
    """
    parameters = {name: getattr(coder, name) for name in _CODING}
    parameters["n_components"] = None
    if isinstance(coder.algorithm, str):
        sparsity = CODERS.look_up(coder.algorithm).sparsity
        parameters[sparsity.parameter] = None
    return parameters


def takes_alpha_of_rows(coder):
    """Tell whether the alpha of a coder follows the samples that it was fitted on.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        The coder.

    Returns
    -------
    takes_alpha : bool
        Whether its algorithm reads alpha, and nobody has set it.
    """
    reads_alpha = "alpha" in CODERS.parameters(coder.algorithm)
    return reads_alpha and CODERS.value_of(coder, "alpha") is None


def _check_names(parameters, known):
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise TypeError(
            f"The parameters of coding are {known}. Got {unknown}; leave these out."
        )


def _fitted(X, dictionary, parameters):
    """Return a coder with the dictionary, and the samples, checked once."""
    coder = recall_encoder(X, dictionary, parameters)
    if coder is not None:
        return coder, coder._check_rows(X, reset=False)
    coder, checked = _make_encoder(X, dictionary, parameters)
    if not takes_alpha_of_rows(coder):
        remember_encoder(coder, X, dictionary, parameters)
    return coder, checked


def _make_encoder(X, dictionary, parameters):
    coder = SparseDictionaryCoder(learner=None, init=dictionary, **parameters)
    coder._validate_params()
    X = coder._check_rows(X, reset=True)
    coder.components_ = check_atoms(
        dictionary, coder.n_components, X, name="dictionary"
    )
    coder.alpha_ = None
    if takes_alpha_of_rows(coder):
        coder._set_alpha(measure_level(X, np.ones(X.shape[0])))
    return coder, X


def _check_path(values, **parameters):
    """Return the values of a path, and the parameter of a coder that has one of them.

    An object has a value of its own, which those of the path replace.
    """
    coder = SparseDictionaryCoder(**parameters)
    coder._validate_params()
    choice, sparsity = coder.algorithm, CODERS.look_up(coder.algorithm).sparsity
    if sparsity is None:
        raise ValueError(
            f"algorithm={choice!r} has no parameter of sparsity. Use sparse_encode."
        )
    values = sparsity.check(values)
    name = sparsity.parameter
    if not isinstance(choice, str):
        return values, {}
    if getattr(coder, name) is not None:
        raise ValueError(
            f"The values of {name} are given as values. Got {name}="
            f"{getattr(coder, name)!r} too; leave it out."
        )
    return values, {name: max(values)}
