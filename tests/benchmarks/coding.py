"""All claims about coding and dictionary learning: print and store their table."""

import argparse
import platform
from importlib import import_module
from pathlib import Path

import pandas as pd

_CLAIMS = [
    "ols_is_faster_than_spams_omp",
    "omp_is_faster_than_its_peers",
    "lasso_is_faster_than_spams",
    "two_threads_are_faster_than_one",
    "learning_reaches_the_objective_of_spams_sooner",
    "coding_starts_fast_in_little_memory",
]
_COLUMNS = [
    *["work", "size", "type", "threads", "ratio", "wanted"],
    *["ours ms", "± ms", "peer ms", "peer ± ms", "quality"],
]
_TABLE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "coding.csv"


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor()


def main():
    """Run the claims that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("claims", nargs="*", default=_CLAIMS)
    found = []
    for claim in parser.parse_args().claims:
        for row in import_module(f"tests.benchmarks.{claim}").rows():
            print(row, flush=True)
            found.append(row)
    table = pd.DataFrame(found).reindex(columns=_COLUMNS)
    print(f"{_processor()}, {platform.system()}\n{table.to_string()}")
    table.to_csv(_TABLE, index=False)


if __name__ == "__main__":
    main()
