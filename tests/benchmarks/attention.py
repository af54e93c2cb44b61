"""All claims about codes on the simplex: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = ["shares_lose_less_than_clusters_and_more_than_pursuit"]
_COLUMNS = ["data", "codes", "nonzeros", "error", "accuracy"]

if __name__ == "__main__":
    run("attention", __doc__, _CLAIMS, _COLUMNS)
