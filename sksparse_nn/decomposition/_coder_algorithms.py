"""The algorithms that the parameters of a dictionary coder stand for, checked."""

from dataclasses import fields, replace

import numpy as np
from sklearn.utils import check_array

from sksparse_nn._early_stopping import Patience
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

# The same of learners.
OF_LEARNERS = {
    "batch_size": 512,
    "shuffle": True,
    "forgetting": 8.0,
    "positive_dict": False,
}

# What is read where something is learnt, and its default.
OF_LEARNING = {
    "max_epochs": 10,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "n_iter_no_change": 5,
    "tol": 1e-3,
    "warm_start": False,
}


def make_coding_algorithm(parameters, constraints, alpha, n_atoms):
    """Make the algorithm that codes.

    Parameters
    ----------
    parameters : dict
        Those of the estimator.

    constraints : dict
        What it asks of them.

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
    coder = CODERS.resolve(
        parameters["algorithm"], parameters, OF_ALGORITHMS, constraints
    )
    known = {field.name: getattr(coder, field.name) for field in fields(coder)}
    for name in _FINITE:
        if known.get(name) is not None and not np.isfinite(known[name]):
            raise ValueError(f"{name} must be finite. Got {known[name]}.")
    changes = {}
    if known.get("atom_weights") is not None:
        changes["atom_weights"] = _check_atom_weights(known["atom_weights"], n_atoms)
    if "alpha" in known and known["alpha"] is None:
        of_the_data = {"alpha": alpha, "share": DEFAULT_ALPHA}
        changes |= {name: of_the_data[name] for name in of_the_data if name in known}
    return replace(coder, **changes)


def _check_atom_weights(weights, n_atoms):
    weights = check_array(
        weights, ensure_2d=False, dtype=np.float64, input_name="atom_weights"
    )
    if weights.shape != (n_atoms,) or weights.min() <= 0:
        raise ValueError(
            f"atom_weights must be {n_atoms} positive numbers, one an atom. Got"
            f" {weights!r}."
        )
    return weights


def average_alphas(alphas, weights):
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


def make_learning_algorithm(parameters, constraints):
    """Make the algorithm that learns.

    Parameters
    ----------
    parameters : dict
        Those of the estimator.

    constraints : dict
        What it asks of them.

    Returns
    -------
    learner : AbstractLearner or None
        The algorithm; None where nothing is learnt.

    Raises
    ------
    ValueError
        If a parameter is set that is not read, or the learner takes no epochs.
    """
    choice = parameters["learner"]
    if choice is None:
        _check_nothing_learnt(parameters)
        return None
    learner = LEARNERS.resolve(choice, parameters, OF_LEARNERS, constraints)
    if not learner.in_epochs:
        raise ValueError(
            f"learner must pass over the rows in epochs. Got {choice!r}; set one of "
            f"{list(LEARNERS)}."
        )
    return learner


def _check_nothing_learnt(parameters):
    unread = OF_LEARNERS | OF_LEARNING
    if isinstance(parameters["init"], str):
        del unread["positive_dict"]  # atoms that are drawn heed it
    for name, default in unread.items():
        LEARNERS.refuse(None, name, parameters[name], default)


def check_penalty(parameters, coder, learner):
    """Check that a learner does not undo the penalty of codes.

    Parameters
    ----------
    parameters : dict
        Those of the estimator.

    coder : AbstractCoder
        Codes while learning.

    learner : AbstractLearner
        Learns.

    Raises
    ------
    ValueError
        If its least squares would undo the penalty.
    """
    if coder.penalised and not learner.heeds_penalty:
        able = [name for name in LEARNERS if LEARNERS[name].heeds_penalty]
        raise ValueError(
            f"algorithm={parameters['algorithm']!r} needs one of the learners {able}."
            f" Got {parameters['learner']!r}, whose least squares would undo the"
            " penalty; set algorithm='omp', which goes with every learner."
        )


def make_patience(parameters):
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
