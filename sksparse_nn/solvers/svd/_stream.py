"""Statistics of a stream of rows: exact ones where they fit, a sketch where not."""

import numpy as np

from sksparse_nn.solvers.svd._gram import GramSolver
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, Moments, moments_of
from sksparse_nn.solvers.svd._rank import FixedRank
from sksparse_nn.solvers.svd._sketch import Sketch, SketchSolver, empty_sketch

# Rows of a sketch a wanted component, and some more.
_TIMES = 2
_MORE = 10


def begin_stream(rows, rule, n_jobs=None):
    """Return the statistics of the first rows.

    Parameters
    ----------
    rows : WeightedRows
        The first rows.

    rule : RankRule
        How many components are wanted; a sketch is made for that many.

    n_jobs : int or None, default=None
        Threads; None for as many as BLAS takes.

    Returns
    -------
    statistics : Moments or Sketch
        What `merged` with others of its kind, and `plus` further rows, go on from.

    Raises
    ------
    ValueError
        If a group is too wide for products of features, and the rule does not say how
        many components it will want.
    """
    widest = rows.partition.widest
    if widest <= MAX_WIDTH:
        return moments_of(rows, n_jobs)
    if not isinstance(rule, FixedRank):
        raise ValueError(
            f"partial_fit with groups wider than {MAX_WIDTH} features keeps a fixed "
            f"number of directions, so n_components must be an int. Got a group of "
            f"{widest} and a share or 'auto'; give an int, or smaller groups."
        )
    size = _TIMES * rule.n_components + _MORE
    return empty_sketch(rows.partition, size, rows.X.dtype).plus(rows)


def statistics_from(partition, arrays):
    """Return the statistics whose `arrays` were stored.

    Parameters
    ----------
    partition : Partition
        Groups of features.

    arrays : dict
        What their `arrays` returned.

    Returns
    -------
    statistics : Moments or Sketch
        As they were.
    """
    if "scatter" in arrays:
        return Moments(partition, **arrays)
    return Sketch.from_arrays(partition, arrays)


def stream_solver(statistics, *, center):
    """Return the name and the solver that decompose statistics.

    Parameters
    ----------
    statistics : Moments or Sketch
        Of a stream.

    center : bool
        Whether to take the mean off.

    Returns
    -------
    name : str
        "gram" or "sketch".

    solver : SVDSolver
        To call with `statistics` as its state.
    """
    if isinstance(statistics, Moments):
        return "gram", GramSolver(center=center)
    return "sketch", SketchSolver(center=center)


def dtype_of(statistics):
    """Return the coarsest type of all rows.

    Parameters
    ----------
    statistics : Moments or Sketch
        Of a stream.

    Returns
    -------
    dtype : type
        Single or double precision.
    """
    is_single = statistics.eps > np.finfo(np.float64).eps
    return np.float32 if is_single else np.float64
