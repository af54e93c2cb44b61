"""All claims about the networks: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = [
    "net_is_as_fast_as_a_loop",
    "sparse_input_is_faster_than_dense",
    "one_row_is_answered_soon",
]
_COLUMNS = [
    *["work", "size", "threads", "ratio", "wanted"],
    *["ours ms", "± ms", "peer ms", "peer ± ms", "quality"],
]

if __name__ == "__main__":
    run("net", __doc__, _CLAIMS, _COLUMNS)
