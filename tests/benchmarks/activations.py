"""All claims about atoms of activations: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = ["atoms_rebuild_activations"]
_COLUMNS = [
    *["work", "size", "active", "L0", "explained variance", "loss recovered"],
    *["dead atoms", "s to fit", "µs a row to code", "accuracy of the net"],
]

if __name__ == "__main__":
    run("activations", __doc__, _CLAIMS, _COLUMNS)
