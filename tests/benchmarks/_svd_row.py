"""A row of the table of the truncated SVD: times, memory, and the floor."""

from tests.benchmarks._memory import peak_megabytes
from tests.benchmarks._timing import in_turn


def svd_row(ours, peer, *, floor, n_rounds=3, **columns):
    """Time both in turn, watch the memory of each, and compare ours with a floor.

    `floor` is in milliseconds.
    """
    contest = in_turn(ours, peer, n_rounds=n_rounds)
    row = contest.row(**columns)
    return row | {
        "floor ms": f"{floor:.3g}",
        "times floor": f"{float(row['ours ms']) / floor:.1f}",
        "ours MB": f"{peak_megabytes(ours):.0f}",
        "peer MB": f"{peak_megabytes(peer):.0f}",
    }
