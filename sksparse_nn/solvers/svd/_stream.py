"""Statistics of a stream of rows: exact if they fit in memory, else a sketch."""

import numpy as np

from sksparse_nn.solvers.svd._gram import GramSolver
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, Moments, read_moments
from sksparse_nn.solvers.svd._rank import FixedRank
from sksparse_nn.solvers.svd._sketch import Sketch, SketchSolver, empty_sketch

# Rows of a sketch per wanted component, and extra rows.
_TIMES = 2
_MORE = 10


def begin_stream(rows, rule, n_jobs=None):
    """Return the statistics of the first rows.

    Parameters
    ----------
    rows : WeightedRows
        The first rows.

    rule : RankRule
        Number of wanted components, which determines the size of a sketch.

    n_jobs : int or None, default=None
        Threads; None for as many as BLAS takes.

    Returns
    -------
    statistics : Moments or Sketch
        Statistics to which further rows are added.

    Raises
    ------
    ValueError
        If a group is too wide for products of features, and the rule has no fixed
        number of components.
    """
    widest = rows.partition.widest
    if widest <= MAX_WIDTH:
        return read_moments(rows, n_jobs)
    if not isinstance(rule, FixedRank):
        raise ValueError(
            f"partial_fit with groups wider than {MAX_WIDTH} features keeps a fixed "
            f"number of directions, so n_components must be an int. Got a group of "
            f"{widest} and a share or 'auto'; give an int, or smaller groups."
        )
    size = _TIMES * rule.n_components + _MORE
    return empty_sketch(rows.partition, size, rows.X.dtype).add(rows)


def statistics_from(partition, arrays):
    """Restore statistics from stored `arrays`.

    Parameters
    ----------
    partition : Partition
        Groups of features.

    arrays : dict
        Result of their method `arrays`.

    Returns
    -------
    statistics : Moments or Sketch
        The restored statistics.
    """
    kind = Moments if "scatter" in arrays else Sketch
    return kind.from_arrays(arrays, partition)


def stream_solver(statistics, *, center):
    """Return the solver of statistics.

    Parameters
    ----------
    statistics : Moments or Sketch
        Of a stream.

    center : bool
        Whether to subtract the mean.

    Returns
    -------
    solver : SVDSolver
        Solver that takes `statistics` as its state.
    """
    kind = GramSolver if isinstance(statistics, Moments) else SketchSolver
    return kind(center=center)


def name_solver(statistics):
    """Return the name of the solver of statistics.

    Parameters
    ----------
    statistics : Moments or Sketch
        Of a stream.

    Returns
    -------
    name : str
        "gram" or "sketch".
    """
    return "gram" if isinstance(statistics, Moments) else "sketch"


def dtype_of(statistics):
    """Return the least precise type of all rows.

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
