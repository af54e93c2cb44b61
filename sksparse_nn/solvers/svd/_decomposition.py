"""Decompose all groups with a solver and a rank rule."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn._warnings import warn
from sksparse_nn.solvers.svd._leading import ITERATE_SHARE
from sksparse_nn.solvers.svd._rank import FixedRank
from sksparse_nn.solvers.svd._signs import fix_signs

# Most components per group that iterations compute for a share of the energy: more
# would take minutes, and several times the memory of the data.
_MOST_FOR_A_SHARE = 128


@dataclass(frozen=True)
class Decomposition:
    """Truncated SVD of each group, the groups' components side by side.

    Attributes
    ----------
    components : ndarray of shape (n_components, n_features)
        Right singular vectors, zero outside their group.

    component_groups : ndarray of shape (n_components,)
        Group of each component.

    singular_values, residuals : ndarray of shape (n_components,)
        See `Factors`.

    mean : ndarray of shape (n_features,)
        Subtracted from each row.

    energy, weight : float
        Squared Frobenius norm of all rows, and their total weight.

    noise : ndarray of shape (n_groups,)
        Rounding level of the singular values of each group.

    n_passes : int
        Passes over the data.

    n_lacking : int, default=0
        Lower bound on the components per group that are missing.

    is_limited : bool, default=False
        Whether the noise level limits the number of components.
    """

    components: np.ndarray
    component_groups: np.ndarray
    singular_values: np.ndarray
    residuals: np.ndarray
    mean: np.ndarray
    energy: float
    weight: float
    noise: np.ndarray
    n_passes: int
    n_lacking: int = 0
    is_limited: bool = False


def decompose(solver, state, partition, rule):
    """Compute as many triplets as a rule requires.

    Parameters
    ----------
    solver : SVDSolver
        The algorithm.

    state : object
        Result of the solver's `prepare`.

    partition : Partition
        Groups of features.

    rule : RankRule
        Number of components to keep.

    Returns
    -------
    decomposition : Decomposition
        At least one component: if no singular value exceeds rounding, the first feature
        with a singular value of zero.

    Raises
    ------
    ValueError
        If the rule needs all singular values and the solver does not find them.
    """
    if rule.needs_all and not solver.finds_all:
        raise ValueError(
            "n_components='auto' compares with the median of all singular values, "
            "which solver='krylov' does not find. Got data for it; give an int or a "
            "share, smaller groups, or solver='gram' or 'exact'."
        )
    factors, counts, n_lacking = _find_enough(solver, state, partition, rule)
    _warn_if_open(solver, factors)
    is_limited = rule.is_limited(factors, counts)
    return _join_groups(factors, counts, partition, n_lacking, is_limited)


def warn_if_clipped(rule, decomposition, shape):
    """Warn once if components are missing.

    Parameters
    ----------
    rule : RankRule
        The requested rank.

    decomposition : Decomposition
        The result.

    shape : tuple of int
        Samples and features.
    """
    if decomposition.n_lacking:
        _warn_of_share(rule, decomposition, shape)
    if not isinstance(rule, FixedRank):
        return
    n_groups, n_kept = len(decomposition.noise), len(decomposition.components)
    n_wanted = n_groups * rule.n_components
    if n_kept < n_wanted:
        n_found = np.count_nonzero(decomposition.singular_values)
        of_groups = f" in each of {n_groups} groups" if n_groups > 1 else ""
        warn(
            f"n_components={rule.n_components}{of_groups} is more than the data hold: "
            f"{n_wanted} directions wanted, {n_found} stand above rounding in "
            f"{shape[0]} samples of {shape[1]} features. n_components_ is {n_kept}; "
            f"lower n_components to silence this warning.",
        )


def _warn_of_share(rule, found, shape):
    share = (found.singular_values**2).sum() / found.energy
    n_groups = len(found.noise)
    of_groups = f" of each of {n_groups} groups" if n_groups > 1 else ""
    warn(
        f"n_components={rule.share} of the energy takes at least {found.n_lacking} "
        f"more than the {_MOST_FOR_A_SHARE} components{of_groups} that solver='krylov' "
        f"computes for a share, in {shape[0]} samples of {shape[1]} features. "
        f"n_components_ is {len(found.components)}, with {share:.3g} of the energy; "
        f"set n_components to an int, or give smaller groups.",
    )


def _find_enough(solver, state, partition, rule):
    """Return enough triplets of each group, their counts, and the number missing."""
    k = rule.start(partition.widest)
    most = partition.widest if solver.finds_all else max(k, _MOST_FOR_A_SHARE)
    if solver.finds_all and not isinstance(rule, FixedRank):
        k = _round_up_to_all(k, most)
    while True:
        factors = solver.leading(state, k)
        solver.report(f"{k} components of each of {len(factors)} groups")
        counts = rule.counts(factors)
        if counts is not None:
            return factors, counts, 0
        n_lacking = max(1, rule.lacking(factors))
        if k >= most:
            return factors, [len(f.singular_values) for f in factors], n_lacking
        k = min(most, max(2 * k, k + n_lacking))
        k = _round_up_to_all(k, most) if solver.finds_all else k


def _round_up_to_all(k, most):
    """Compute all at once rather than more and more."""
    return most if k * ITERATE_SHARE > most else k


def _warn_if_open(solver, factors):
    if not all(f.is_converged for f in factors):
        worst = max(f.residuals.max() for f in factors if not f.is_converged)
        warn(
            solver.tell_gap(worst),
            ConvergenceWarning,
        )


def _join_groups(factors, counts, partition, n_lacking, is_limited):
    if not any(counts):
        factors, counts = _add_placeholder(factors), [1, *counts[1:]]
    kept = list(zip(factors, counts, strict=True))
    return Decomposition(
        components=_spread(kept, partition),
        component_groups=np.repeat(np.arange(len(counts)), counts),
        singular_values=_join([f.singular_values[:n] for f, n in kept]),
        residuals=_join([f.residuals[:n] for f, n in kept]),
        mean=partition.restore(_join([f.mean for f in factors])),
        energy=float(sum(f.energy for f in factors)),
        weight=factors[0].weight,
        noise=np.array([f.noise for f in factors]),
        n_passes=max(f.n_passes for f in factors),
        n_lacking=n_lacking,
        is_limited=is_limited,
    )


def _join(parts):
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _spread(kept, partition):
    """Place the components of each group in rows that are zero elsewhere."""
    if len(kept) == 1:
        [(f, n)] = kept
        return fix_signs(f.components[:n])
    n_components = sum(n for _, n in kept)
    dtype = np.result_type(*(f.components for f, _ in kept))
    components, start = np.zeros((n_components, partition.n_features), dtype), 0
    for (f, n), columns in zip(kept, partition.columns, strict=True):
        if n:
            components[start : start + n, columns] = fix_signs(f.components[:n])
        start += n
    return partition.restore(components)


def _add_placeholder(factors):
    """Give the first group one component of zero energy, as output needs a column."""
    first = np.zeros((1, factors[0].components.shape[1]), factors[0].components.dtype)
    first[0, 0] = 1
    filled = replace(
        factors[0],
        components=first,
        singular_values=np.zeros(1),
        residuals=np.zeros(1),
    )
    return [filled, *factors[1:]]
