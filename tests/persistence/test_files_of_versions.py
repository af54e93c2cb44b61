"""Files of former versions load, and files of later versions say that they are such."""

import pickle

import numpy as np
import pytest
import skops.io
from numpy.testing import assert_allclose

import sksparse_nn
from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer, _saved
from sksparse_nn.persistence import TRUSTED_TYPES
from tests.persistence.keep_files import FOLDER, keep
from tests.persistence.models import MODELS, samples
from tests.persistence.saving import outputs, through_skops

pytestmark = pytest.mark.filterwarnings(
    # Of scikit-learn, about its own steps in files of its former versions.
    "ignore::sklearn.exceptions.InconsistentVersionWarning"
)

KEPT = sorted(FOLDER.glob("*/*.skops"))
kept = pytest.mark.parametrize(
    "path", KEPT, ids=[f"{path.parent.name}-{path.stem}" for path in KEPT]
)


def assert_says_the_same(model, path):
    X, _ = samples()
    expected = np.load(path.with_suffix(".npz"))
    found = outputs(model, X)
    assert len(found) == len(expected.files)
    for name, part in zip(expected.files, found, strict=True):
        assert_allclose(part, expected[name], rtol=1e-4, atol=1e-5)


def load(path):
    return skops.io.load(path, trusted=TRUSTED_TYPES)


@kept
def test_files_of_skops_load(path):
    assert_says_the_same(load(path), path)


@kept
def test_pickles_load(path):
    model = pickle.loads(path.with_suffix(".pickle").read_bytes())
    assert_says_the_same(model, path)


@kept
def test_what_was_loaded_goes_on(path):
    X, y = samples()
    model = load(path)
    if hasattr(model, "partial_fit"):
        model.partial_fit(X, y)
        assert all(np.isfinite(part).all() for part in outputs(model, X))


def test_this_version_has_its_files():
    assert FOLDER / sksparse_nn.__version__ in {path.parent for path in KEPT}
    names = {path.stem for path in KEPT if path.parent.name == sksparse_nn.__version__}
    assert names == set(MODELS)


def test_files_are_small_and_are_kept_as_they_are(tmp_path):
    assert sum(path.stat().st_size for path in FOLDER.glob("*/*")) < 2**18
    first = tmp_path / "reducer.skops"
    first.write_bytes(b"kept")
    keep(tmp_path)
    assert first.read_bytes() == b"kept"


@pytest.mark.parametrize("make", [TruncatedSVDReducer, SparseNetClassifier])
def test_a_file_in_a_later_form_is_refused(make, monkeypatch):
    monkeypatch.setattr(sksparse_nn, "__version__", "7.1.0")
    monkeypatch.setattr(_saved, "FORMAT", 9)
    data, saved = skops.io.dumps(make()), pickle.dumps(make())
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"7\.1\.0.*; update sksparse_nn"):
        pickle.loads(saved)
    with pytest.raises(ValueError, match=r"7\.1\.0.*; update sksparse_nn"):
        skops.io.loads(data, trusted=TRUSTED_TYPES)


@pytest.mark.parametrize("make", [TruncatedSVDReducer, SparseNetClassifier])
def test_a_file_of_a_later_version_warns(make, monkeypatch):
    monkeypatch.setattr(sksparse_nn, "__version__", "7.1.0")
    data, saved = skops.io.dumps(make()), pickle.dumps(make())
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"saved by sksparse_nn 7\.1\.0"):
        pickle.loads(saved)
    with pytest.warns(UserWarning, match=r"saved by sksparse_nn 7\.1\.0"):
        skops.io.loads(data, trusted=TRUSTED_TYPES)


def test_a_version_is_not_an_attribute():
    model = through_skops(SparseNetClassifier())
    assert "_saved_by" not in vars(model)
    assert "_network" not in vars(model)
