"""All claims about the truncated SVD: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = [
    "global_svd_is_faster_than_its_peers",
    "groups_are_faster_than_loops",
    "text_svd_is_faster_than_its_peers",
    "counts_are_faster_than_pca",
    "tall_svd_is_as_fast_as_pca",
    "streams_are_as_fast_as_fits",
]
_COLUMNS = [
    *["work", "size", "threads", "ratio", "wanted"],
    *["ours ms", "± ms", "peer ms", "peer ± ms", "floor ms", "times floor"],
    *["ours MB", "peer MB", "quality"],
]

if __name__ == "__main__":
    run("svd", __doc__, _CLAIMS, _COLUMNS)
