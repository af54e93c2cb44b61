"""The README's examples run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Put the files that the examples read into the working folder."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X.assign(target=y).to_csv(tmp_path / "measurements.csv", index=False)
    rng = np.random.default_rng(0)
    labels = np.repeat(["arts", "science"], 60)
    words = sparse.random_array((120, 400), density=0.05, rng=0).tolil()
    words[:60, :20] += rng.random((60, 20))
    sparse.save_npz(tmp_path / "texts.npz", sparse.csr_array(words))
    np.save(tmp_path / "labels.npy", labels)
    monkeypatch.chdir(tmp_path)


def test_the_examples_run(files, capsys):
    names = {}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), names)
        assert names["search"].best_score_ > 0.8
    assert "sparsedictionarycoder__" in capsys.readouterr().out
