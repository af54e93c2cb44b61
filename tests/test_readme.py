"""The README's commands and examples run as they stand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
COMMANDS = re.findall(r"^python (examples/.*)$", README.read_text(), flags=re.MULTILINE)
LINEAR = r"^LogisticRegression ([01]\.\d+)$"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Make the files that the examples read, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(README.parent / "examples")
    for command in COMMANDS:
        subprocess.run([sys.executable, *shlex.split(command)], check=True)
    rng = np.random.default_rng(0)
    labels = np.repeat(["arts", "science"], 120)
    words = sparse.random_array((240, 400), density=0.05, rng=0).tolil()
    words[:120, :20] += rng.random((120, 20))
    sparse.save_npz("texts.npz", sparse.csr_array(words))
    np.save("labels.npy", labels)


def test_the_examples_run_and_beat_the_linear_model(files, capsys):
    names = {}
    scores = []
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), names)
        scores.append(names["search"].best_score_)
    printed = re.search(LINEAR, capsys.readouterr().out, re.MULTILINE)
    assert scores[0] > float(printed[1]) + 0.05
    assert scores[-1] > 0.8


def test_the_example_file_has_categories_and_gaps(files):
    table = np.genfromtxt("parts.csv", delimiter=",", dtype=str)
    assert table.shape == (1201, 52)
    assert 0.04 < (table == "").mean() < 0.06
    assert set(table[1:, -1]) == {"good", "scrap"}
