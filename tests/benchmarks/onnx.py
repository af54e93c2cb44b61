"""All claims about models of ONNX: print and store their table."""

from tests.benchmarks._table import run

_CLAIMS = ["pipelines_in_onnxruntime"]
_TIMES = ["ONNX ms", "pipeline ms", "ratio"]
_COLUMNS = [
    *["pipeline", "kB in ONNX", "kB as pickle", "difference"],
    *[f"{what}, {time}" for what in ("one sample", "256 samples") for time in _TIMES],
]

if __name__ == "__main__":
    run("onnx", __doc__, _CLAIMS, _COLUMNS)
