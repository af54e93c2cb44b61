"""Every estimator, alone and with its defaults, against its absence on real tables.

Three to ten shuffled splits per table, two processes, each on one thread. What was
measured on a table is kept in .cache under the state of the sources, so that a run that
was stopped goes on, and one after a change begins anew. Tables are named on the command
line, or all are taken; what comes of all goes to the docs.
"""

import argparse
import hashlib
from pathlib import Path
from time import perf_counter

import pandas as pd
from joblib import Parallel, delayed

from sksparse_nn._files import replacing
from tests.benchmarks._comparison import (
    comparison,
    losses,
    scores_by_table,
    summary,
)
from tests.benchmarks._measurement import measured
from tests.benchmarks._settings import settings
from tests.benchmarks._tables import TABLES

_ROOT = Path(__file__).resolve().parents[2]
_DOCS = _ROOT / "docs" / "benchmarks"
_N_PROCESSES = 2
_MEASURED_BY = ["_contenders.py", "_measurement.py", "_splits.py", "_tables.py"]


def _kept():
    """Return the folder of what was measured with the sources as they are."""
    ours = sorted((_ROOT / "sksparse_nn").rglob("*.py"))
    sources = [*ours, *(Path(__file__).with_name(name) for name in _MEASURED_BY)]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    folder = _ROOT / ".cache" / f"defaults-{state.hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _measured_once(table, folder):
    """Return the table's name, its measurements and the seconds that they took."""
    file, start = folder / f"{table.name}.csv", perf_counter()
    if not file.exists():
        rows = pd.DataFrame(measured(table))
        with replacing(file) as beside:
            rows.to_csv(beside, index=False)
    return table.name, pd.read_csv(file), perf_counter() - start


def _all_measured(tables):
    """Measure tables, the slowest first, and print a line for each as it is done."""
    folder, found = _kept(), []
    print(f"measuring {len(tables)} tables into {folder}", flush=True)
    calls = (delayed(_measured_once)(table, folder) for table in tables)
    processes = Parallel(
        _N_PROCESSES, return_as="generator_unordered", pre_dispatch="all"
    )
    for name, rows, seconds in processes(calls):
        found.append(rows)
        means = rows.groupby("model", sort=False)["score"].mean()
        print(
            f"{len(found):>2} of {len(tables)}  {name}: {seconds:.0f} s, "
            + ", ".join(f"{model} {mean:.3f}" for model, mean in means.head(4).items()),
            flush=True,
        )
    return pd.concat(found)


def main():
    """Measure the tables named on the command line, or all, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=[table.name for table in TABLES])
    chosen = parser.parse_args().tables
    wanted = [table for table in TABLES if table.name in chosen]
    for table in wanted:
        if table.missing:
            print(f"{table.name} is left out: {table.missing}")
    rows = comparison(_all_measured([table for table in wanted if not table.missing]))
    found = {
        "defaults": rows,
        "defaults_settings": settings(),
        "defaults_scores": scores_by_table(rows),
        "defaults_summary": summary(rows),
        "defaults_losses": losses(rows),
    }
    for name, table in found.items():
        print(f"\n{name}\n{table.to_string(index=False)}")
        if len(wanted) == len(TABLES):
            with replacing(_DOCS / f"{name}.csv") as beside:
                table.to_csv(beside, index=False)


if __name__ == "__main__":
    main()
