"""All claims about files larger than memory: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = ["files_are_read_once_per_epoch"]
_COLUMNS = ["estimator", "seconds", "cpu_seconds", "passes", "gb_per_second"]

if __name__ == "__main__":
    run("disk", __doc__, _CLAIMS, _COLUMNS)
