"""The table of a benchmark: run its claims, print it, store it in the docs."""

import argparse
import platform
from importlib import import_module
from pathlib import Path

import pandas as pd

from sksparse_nn._files import replacing

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor()


def run(name, description, claims, columns):
    """Run the claims that are named on the command line, or all; store those of all."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("claims", nargs="*", default=claims)
    chosen = parser.parse_args().claims
    found = []
    for claim in chosen:
        for row in import_module(f"tests.benchmarks.{claim}").rows():
            print(row, flush=True)
            found.append(row)
    table = pd.DataFrame(found).reindex(columns=columns)
    print(f"{_processor()}, {platform.system()}\n{table.to_string()}")
    if chosen == claims:
        with replacing(_DOCS / f"{name}.csv") as beside:
            table.to_csv(beside, index=False)
