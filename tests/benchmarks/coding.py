"""All claims about coding and dictionary learning: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = [
    "ols_is_faster_than_spams_omp",
    "omp_is_faster_than_its_peers",
    "lasso_is_faster_than_spams",
    "two_threads_are_faster_than_one",
    "learning_reaches_the_objective_of_spams_sooner",
    "ksvd_is_faster_than_dictlearn",
    "coding_starts_fast_in_little_memory",
]
_COLUMNS = [
    *["work", "size", "type", "threads", "ratio", "wanted"],
    *["ours ms", "± ms", "peer ms", "peer ± ms", "quality"],
]

if __name__ == "__main__":
    run("coding", __doc__, _CLAIMS, _COLUMNS)
