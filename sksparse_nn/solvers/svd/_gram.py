"""Truncated SVD by the products of features: one pass over the data."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.svd._base import Factors, SVDSolver
from sksparse_nn.solvers.svd._graded import find_graded
from sksparse_nn.solvers.svd._leading import find_leading_of_stack
from sksparse_nn.solvers.svd._moments import Moments, check_width, read_moments

# Factor of the rounding of columns with few values, as sums of many equal numbers are
# rounded in one direction; and the worst rounding of a product of features, in units
# of their squared lengths and of the precision.
_REPEATED = 8
_OF_PRODUCTS = 4 * _REPEATED
_OF_LAPACK = 8 * np.finfo(np.float64).eps

# Largest rounding of products as a share of the noise of the data.
_HARMLESS = 1 / 16


@dataclass(frozen=True)
class GramSolver(SVDSolver):
    """Eigenvectors of the products of the features of each group.

    The products are summed in float64 over blocks of rows, and can be added to later.
    Singular values below the square root of the type's precision, relative to the
    largest one, are lost in them, and are left out.

    Attributes
    ----------
    is_exact : bool, default=False
        Whether to multiply float32 rows in float64 at any cost.

    is_graded : bool, default=False
        Whether to find the components by `find_graded`.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm
    for Computing Sample Variances", COMPSTAT 1982.
    """

    is_exact: bool = False
    is_graded: bool = False

    def prepare(self, rows):
        check_width(rows.partition)
        with self.report.passing(f"products of features of {rows.X.shape[0]} rows"):
            return read_moments(rows, self.n_jobs, is_exact=self.is_exact)

    def leading(self, state, n_components):
        factors = []
        for scatter, means in _split_by_run(state):
            factors += self._decompose_run(state, scatter, means, n_components)
        return factors

    def moments(self, rows, state):
        return state

    def noise(self, state):
        """Return the noise of each group, without a decomposition."""
        levels = [_levels(state, *group, self.center) for group in _split_by_run(state)]
        return np.sqrt(np.concatenate([noise for _, _, noise in levels]))

    def _decompose_run(self, state, scatter, means, k):
        energy, rounding, noise = _levels(state, scatter, means, self.center)
        if not self.center:
            scatter = scatter + state.weight * means[:, :, None] * means[:, None, :]
            means = np.zeros_like(means)
        if self.is_graded:
            groups = zip(scatter, means, energy, strict=True)
            return [_factor_graded(state, *group) for group in groups]
        groups = zip(means, energy, rounding, noise, strict=True)
        is_rough = state.rounding >= np.finfo(np.float32).eps
        eigen = zip(*find_leading_of_stack(scatter, k, is_rough=is_rough), strict=True)
        return [
            _factors(_Group(state, *group), *triplets, k)
            for group, triplets in zip(groups, eigen, strict=True)
        ]


def are_proven(gram, moments, found):
    """Return whether the products of features lose nothing.

    The squares of the kept singular values must be certain to the square root of the
    data's precision. If the noise level limits their number, it must be that of the
    data and not that of the products.

    Parameters
    ----------
    gram : GramSolver
        The solver.

    moments : Moments
        The products.

    found : Decomposition
        Its result on them.

    Returns
    -------
    are_proven : bool
        Whether nothing is lost.
    """
    partition, squares = moments.partition, found.singular_values**2
    lengths = [
        np.diagonal(scatter, axis1=1, axis2=2).ravel()
        for scatter in partition.blocks(moments.scatter)
    ]
    lengths = np.concatenate(lengths)
    if not gram.center:
        lengths = lengths + moments.weight * moments.mean**2
    largest = np.zeros(len(found.noise))
    np.maximum.at(largest, found.component_groups, squares)
    largest, rounding = largest[found.component_groups], moments.rounding
    if gram.is_graded:  # LAPACK finds the values, and does not square them
        if found.is_limited or not squares.all():
            return False
        largest = 2 * np.sqrt(largest * squares)
        rounding += np.finfo(np.float64).eps
    wrong = _OF_PRODUCTS * rounding * partition.arrange(found.components) ** 2
    wrong = wrong @ lengths + _OF_LAPACK * largest
    if ((wrong > np.sqrt(moments.eps) * squares) & (squares > 0)).any():
        return False
    return not found.is_limited or _is_noise_of_data(moments, gram.center)


def _is_noise_of_data(moments, center):
    levels = [_levels(moments, *group, center) for group in _split_by_run(moments)]
    return all((rounding <= _HARMLESS * noise).all() for _, rounding, noise in levels)


def _split_by_run(moments):
    """Yield the scatter and the means of neighbouring groups of one width."""
    partition = moments.partition
    scatters = partition.blocks(moments.scatter)
    for run, scatter in zip(partition.runs, scatters, strict=True):
        yield scatter, moments.mean[run.columns].reshape(run.n_groups, run.width)


def _levels(state, scatter, means, center):
    """Return the energy of each group, and the levels of its rounding and noise."""
    spread = np.trace(scatter, axis1=1, axis2=2)
    total = spread + state.weight * (means**2).sum(axis=1)
    energy = spread if center else total
    # Products about means are rounded in their type, products of means in float64, and
    # the data in their own type.
    of_means = np.finfo(np.float64).eps * np.sqrt(total) * np.sqrt(energy)
    rounding = 4 * (state.rounding * spread + of_means)
    return energy, rounding, np.maximum(rounding, 16 * state.eps**2 * total)


@dataclass(frozen=True)
class _Group:
    moments: Moments
    mean: np.ndarray
    energy: float
    squared_rounding: float
    squared_noise: float


def _factor_graded(state, scatter, mean, energy):
    values, vectors = find_graded(scatter)
    squared_noise = 16 * state.eps**2 * (energy + state.weight * (mean @ mean))
    group = _Group(state, mean, energy, 0.0, squared_noise)
    lengths = np.diagonal(scatter)
    squares = len(lengths) * lengths.sum() * (vectors.T**2 @ lengths)
    residuals = _OF_PRODUCTS * state.rounding * np.sqrt(squares)
    return _factors(group, values, vectors, residuals, len(scatter))


def _factors(group, values, vectors, residuals, k):
    n_kept = int((values > group.squared_noise).sum())
    values, residuals = values[:n_kept], residuals[:n_kept]
    # Components are stored in the type of the data; the products multiply that error.
    of_type = group.moments.eps * values.max(initial=0.0)
    of_products = _REPEATED * group.squared_rounding
    return Factors(
        components=vectors[:, :n_kept].T,
        singular_values=np.sqrt(values),
        residuals=(residuals + of_products + of_type) / values,
        mean=group.mean,
        energy=float(group.energy),
        noise=float(np.sqrt(group.squared_noise)),
        weight=group.moments.weight,
        is_complete=n_kept < k or vectors.shape[1] == len(vectors),
    )
