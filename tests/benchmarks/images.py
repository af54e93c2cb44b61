"""All claims about features of images: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = ["patches_are_encoded_at_the_rate_of_products"]
_COLUMNS = [
    *["work", "size", "threads", "ratio", "wanted"],
    *["ours ms", "± ms", "peer ms", "peer ± ms", "floor ms", "times floor"],
    *["ours MB", "peer MB", "quality"],
]

if __name__ == "__main__":
    run("images", __doc__, _CLAIMS, _COLUMNS)
