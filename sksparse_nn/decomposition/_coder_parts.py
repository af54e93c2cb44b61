"""What the parameters of a dictionary coder stand for, checked against each other."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sksparse_nn._early_stopping import Patience
from sksparse_nn._picked_rows import pick
from sksparse_nn.solvers.coding import CODERS
from sksparse_nn.solvers.dictionary import LEARNERS

_FINITE = ("residual_tol", "abs_residual_tol", "alpha")

# What `alpha=None` stands for, in root mean square norms of the rows.
DEFAULT_ALPHA = 0.03

# What some algorithms read and others do not, and its default.
OF_ALGORITHMS = {
    "alpha": None,
    "l1_ratio": 0.5,
    "n_nonzero_coefs": None,
    "residual_tol": None,
    "abs_residual_tol": None,
    "positive_code": False,
    "atom_weights": None,
}


def coding_algorithm(parameters, alpha, n_atoms):
    """Make the algorithm that codes.

    Parameters
    ----------
    parameters : dict
        Those of the estimator.

    alpha : float
        What ``alpha=None`` stands for.

    n_atoms : int
        Atoms of the dictionary.

    Returns
    -------
    coder : AbstractCoder
        The algorithm.

    Raises
    ------
    ValueError
        If a parameter is not finite, or goes with other algorithms only.
    """
    for name in _FINITE:
        if parameters[name] is not None and not np.isfinite(parameters[name]):
            raise ValueError(f"{name} must be finite. Got {parameters[name]}.")
    algorithm = parameters["algorithm"]
    CODERS.check_read(algorithm, parameters, OF_ALGORITHMS)
    weights = _atom_weights(parameters["atom_weights"], n_atoms)
    penalties = {"atom_weights": weights}
    if parameters["alpha"] is None:
        penalties |= {"alpha": alpha, "share": DEFAULT_ALPHA}
    return CODERS.make(algorithm, parameters | penalties)


def _atom_weights(weights, n_atoms):
    if weights is None:
        return None
    weights = check_array(
        weights, ensure_2d=False, dtype=np.float64, input_name="atom_weights"
    )
    if weights.shape != (n_atoms,) or weights.min() <= 0:
        raise ValueError(
            f"atom_weights must be {n_atoms} positive numbers, one an atom. Got"
            f" {weights!r}."
        )
    return weights


def alpha_of_all(alphas, weights):
    """Return what ``alpha=None`` stands for with the rows of some fits together.

    Parameters
    ----------
    alphas : list of float
        What it stands for with those of each, shares of a root mean square.

    weights : list of float
        Weights of their rows.

    Returns
    -------
    alpha : float
        The root of the mean square.
    """
    largest = max(alphas) or 1.0  # shares of it have squares, whatever the unit
    shares = np.divide(alphas, largest)
    return float(largest * np.sqrt(np.average(shares**2, weights=weights)))


def learning_algorithm(parameters, coder):
    """Make the algorithm that learns.

    Parameters
    ----------
    parameters : dict
        Those of the estimator.

    coder : AbstractCoder
        Codes while learning.

    Returns
    -------
    learner : AbstractLearner
        The algorithm.

    Raises
    ------
    ValueError
        If its least squares would undo the penalty of the codes.
    """
    learner = LEARNERS.make(parameters["learner"], parameters)
    if coder.penalised and not learner.heeds_penalty:
        able = [name for name in LEARNERS if LEARNERS[name].heeds_penalty]
        raise ValueError(
            f"algorithm={parameters['algorithm']!r} needs one of the learners {able}."
            f" Got {parameters['learner']!r}, whose least squares would undo the"
            " penalty; set algorithm='omp', which goes with every learner."
        )
    return learner


def patience(parameters):
    """Make the rule of early stopping.

    Parameters
    ----------
    parameters : dict
        Those of the estimator.

    Returns
    -------
    patience : Patience or None
        None where there is no early stopping.
    """
    if not parameters["early_stopping"]:
        return None
    return Patience(parameters["n_iter_no_change"], parameters["tol"])


def held_out(X, weights, fraction, rng):
    """Part rows into those to learn from and those to stop by.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Their weights.

    fraction : float
        Share of the rows to stop by.

    rng : RandomState instance
        Draws them.

    Returns
    -------
    learnt, stopped_by : tuple of rows and weights
        The two parts.

    Raises
    ------
    ValueError
        If one part would be empty.
    """
    n_rows = len(weights)
    n_held = max(1, round(fraction * n_rows))
    if n_held >= n_rows:
        raise ValueError(
            f"validation_fraction={fraction} of n_samples={n_rows} leaves none to learn"
            " from. Lower it, or set it to None to stop by the rows learnt from."
        )
    order = rng.permutation(n_rows)
    held, rest = np.sort(order[:n_held]), np.sort(order[n_held:])
    return (pick(X, rest), weights[rest]), (X[held], weights[held])


def coding_work(algorithm, atoms, codes):
    """Estimate the multiply-adds that coding a row takes.

    Parameters
    ----------
    algorithm : str
        Name of the algorithm.

    atoms : ndarray of shape (n_atoms, n_features)
        The dictionary.

    codes : CSR matrix or ndarray of shape (n_rows, n_outputs)
        Codes of some rows.

    Returns
    -------
    work : float
        Products of a row and the atoms. Where codes are searched, each atom that
        joins takes the products of all atoms with those that are there.
    """
    if not CODERS[algorithm].approximates:
        return float(atoms.size)
    n_values = codes.nnz if sparse.issparse(codes) else np.count_nonzero(codes)
    n_used = n_values / codes.shape[0]
    return atoms.size + len(atoms) * n_used * (n_used + 1) / 2
