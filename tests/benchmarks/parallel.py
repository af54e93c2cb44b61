"""All claims about fits to chunks on workers: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = ["workers_share_the_work", "states_are_smaller_than_chunks"]
_COLUMNS = [
    "estimator",
    "what",
    "workers",
    "samples",
    "seconds",
    "wanted",
    "client_mb",
    "worker_mb",
    "state_mb",
    "tree_mb",
    "drawn_mb",
]

if __name__ == "__main__":
    run("parallel", __doc__, _CLAIMS, _COLUMNS)
