"""The programs on CIFAR-10 in `examples`, on few images and few patches."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("skorch", reason="networks learn from the features")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def patches(monkeypatch):
    """Import the program of the table; it learns from less and trains less long."""
    monkeypatch.syspath_prepend(EXAMPLES)
    program = import_module("cifar10_patches")
    less = {
        name: parameters
        | {"n_patches": 2000}
        | ({} if parameters["learner"] in (None, "kmeans") else {"max_epochs": 2})
        for name, parameters in program.DICTIONARIES.items()
    }
    monkeypatch.setattr(program, "DICTIONARIES", less)
    monkeypatch.setattr(program, "FEWEST_STEPS", 100)
    monkeypatch.setattr(program, "EPOCHS", 10)
    return program


@pytest.fixture
def data(cifar10):
    """Return images and labels as the programs read them, channels first."""
    return [
        part
        for X, y in (cifar10["train"], cifar10["test"])
        for part in (
            np.ascontiguousarray(X.reshape(-1, 1024, 3).swapaxes(1, 2)).reshape(
                X.shape
            ),
            np.unique(y, return_inverse=True)[1],
        )
    ]


@pytest.mark.slow
def test_the_table_is_made_once(patches, data, tmp_path, monkeypatch):
    path = tmp_path / "cifar10_patches.csv"
    results = patches.Results(path)
    cells = [
        *(
            ("published", d, "soft threshold", 25, (5000,))
            for d in patches.DICTIONARIES
        ),
        *(("published", "k-means", e, 25, (5000,)) for e in patches.ENCODERS),
        ("published", "OMP-1", "soft threshold", 400, (10, 5000)),
        ("larger, mirrored", "OMP-1", "soft threshold", 25, (5000,)),
    ]
    for cell in cells:
        patches.run_cell(cell, data, results, tmp_path)
    rows = pd.read_csv(path)
    assert len(rows) == 10  # k-means with soft thresholds is in two of the lists
    assert rows.accuracy[rows.labels == 5000].min() > 25
    few, many = rows[rows.atoms == 400].sort_values("labels").accuracy
    assert 15 < few < many

    monkeypatch.setattr(patches, "make_coder", None)  # nothing is computed again
    again = patches.Results(path)
    for cell in cells:
        patches.run_cell(cell, data, again, tmp_path)
    tables = patches.tables(again)
    assert tables["cifar10_few"].columns.tolist() == [10, 5000]
    patches.draw(again, tmp_path)
    assert (tmp_path / "cifar10_patches.png").stat().st_size > 10_000


@pytest.mark.slow
def test_atoms_are_trained_once(patches, data, tmp_path, monkeypatch):
    program = import_module("cifar10_trained")
    monkeypatch.setattr(program, "FEWEST_STEPS", 5)
    monkeypatch.setattr(program, "CODER", program.CODER | {"n_patches": 2000})
    data = [part[::5] for part in data]
    results = program.Results(tmp_path / "cifar10_trained.csv")
    cells = [("atoms", 5000), ("random", 5000), ("atoms", 3)]
    for _ in range(2):
        for start, n_labels in cells:
            key = {"start": start, "atoms": 8, "labels": n_labels, "epochs": 1}
            program.measure(key, data, results)
    rows = pd.read_csv(tmp_path / "cifar10_trained.csv")
    assert rows[["start", "labels"]].apply(tuple, axis=1).tolist() == cells
    assert (rows["kB, 4 bits"] < rows["kB, int8"]).all()
    assert (rows["kB, int8"] < rows["kB, float"]).all()


def test_models_are_made_smaller(patches, data, tmp_path):
    program = import_module("cifar10_compressed")
    results = program.Results(tmp_path / "cifar10_compressed.csv")
    program.run(8, data, results, tmp_path)
    rows = pd.DataFrame(results.rows).set_index("way")
    assert rows.bytes_disk["as it is, int8"] < rows.bytes_disk["as it is"]
    assert abs(rows.accuracy["as it is, int8"] - rows.accuracy["as it is"]) < 0.02
    n_rows = len(rows)
    program.run(8, None, results, tmp_path)
    assert program.table(results).shape == (n_rows, 1)
    program.draw(results, tmp_path)
    assert (tmp_path / "cifar10_compressed.png").stat().st_size > 10_000


@pytest.mark.slow
def test_tiny_networks_go_on_where_they_were_stopped(
    patches, data, tmp_path, monkeypatch
):
    program = import_module("tiny_networks")
    ways = program.smaller
    kept = (
        "as it is",
        "50% of the channels removed, no epochs",
        "50% of the weights removed, tucker2",
    )
    monkeypatch.setattr(
        program, "smaller", lambda *given: {name: ways(*given)[name] for name in kept}
    )
    monkeypatch.setattr(program, "OF_NARROWER", list(kept[:2]))
    X, y, X_test, y_test = data
    train, test = (X[:150], y[:150]), (X_test[:60], y_test[:60])
    arguments = [str(tmp_path), "--epochs", "2", "--widths", "4", "2"]
    options = program.read_options([*arguments, "--output", str(tmp_path)])
    results = program.Results(tmp_path / "tiny_networks.csv")
    program.run(options, train, test, results)
    rows = pd.DataFrame(results.rows).set_index(["width", "way", "form"])
    floats = rows.xs("float", level="form").bytes_zipped[4]
    assert floats.drop("as it is").max() < floats["as it is"]
    assert rows.bytes_zipped[2, "as it is", "float"] < floats["as it is"]
    assert sorted(rows.loc[2].index.unique("way")) == sorted(kept[:2])
    assert (tmp_path / "tiny_networks.png").stat().st_size > 10_000

    monkeypatch.setattr(program, "make_network", lambda *_: None)
    monkeypatch.setattr(program, "measure", None)  # nothing is computed again
    program.run(options, train, test, program.Results(tmp_path / "tiny_networks.csv"))
