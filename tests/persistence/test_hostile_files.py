"""Files that were made to run code, or to read beyond arrays, are refused."""

import importlib
import json
import pickle
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from scipy import sparse
from skops.io.exceptions import UntrustedTypesFoundException
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TopKAutoencoder,
    TruncatedSVDReducer,
)
from sksparse_nn.model_selection._sparsity_search import _SharedDictionary
from sksparse_nn.modules._plain import Reader
from sksparse_nn.neural._nets import ClassifierNet, MultilabelNet, RegressorNet
from sksparse_nn.persistence import TRUSTED_TYPES
from tests.persistence.saving import through_skops

rng = np.random.default_rng(0)
X = np.abs(rng.standard_normal((40, 8))).astype(np.float32)
y = (X[:, 0] > X[:, 1]).astype(int)


class Evil:
    """Creates a file when it is read from a pickle."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def trap(tmp_path):
    """Return a pickle that leaves a trace, after showing that it does."""
    path = tmp_path / "owned"
    stored = pickle.dumps({"module_": Evil(path)})
    pickle.loads(stored)
    assert path.exists()
    path.unlink()
    yield stored
    assert not path.exists()


def forge(estimator, change):
    """Save an estimator whose state is changed first."""

    class Forged(type(estimator)):
        def __getstate__(self):
            return change(super().__getstate__())

    for name in ("__module__", "__name__", "__qualname__"):
        setattr(Forged, name, getattr(type(estimator), name))
    twin = Forged.__new__(Forged)
    vars(twin).update(vars(estimator))
    return skops.io.dumps(twin)


def load(data):
    return skops.io.loads(data, trusted=TRUSTED_TYPES)


def net():
    return SparseNetClassifier((6,), max_epochs=2, random_state=0).fit(X, y)


def named(data):
    """Return the types in a file, whether trusted or not."""
    with ZipFile(BytesIO(data)) as file:
        return file.read("schema.json").decode()


def forged_net(stored, kind):
    """Return a node of a net with a pickle in it, as an object of skorch has one."""

    class Fake:
        def __getstate__(self):
            return {
                "device": "cpu",
                "torch_load_kwargs": None,
                "__cuda_dependent_attributes__": stored,
            }

    for name in ("__module__", "__name__", "__qualname__"):
        setattr(Fake, name, getattr(kind, name))
    return Fake()


@pytest.mark.parametrize("kind", [ClassifierNet, RegressorNet, MultilabelNet])
def test_a_forged_net_is_not_trusted(trap, kind):
    data = skops.io.dumps(forged_net(trap, kind))
    with pytest.raises(UntrustedTypesFoundException, match=kind.__name__):
        load(data)


@pytest.mark.parametrize("kind", [ClassifierNet, RegressorNet, MultilabelNet])
def test_a_forged_net_of_ours_runs_nothing_even_if_it_is_trusted(trap, kind):
    data = skops.io.dumps(forged_net(trap, kind))
    trusted = skops.io.get_untrusted_types(data=data)
    with pytest.raises(ValueError, match="holds a pickle"):
        skops.io.loads(data, trusted=trusted)


def test_a_net_in_the_state_of_an_estimator_is_refused(trap):
    fake = forged_net(trap, ClassifierNet)
    data = forge(net(), lambda state: state | {"net_": fake})
    with pytest.raises(UntrustedTypesFoundException, match="ClassifierNet"):
        load(data)
    with pytest.raises(ValueError, match="must be plain"):
        load(forge(net(), lambda state: state | {"net_": {"device": "cpu"}}))


@pytest.mark.parametrize("place", ["module", "criterion", "steps", "builder"])
def test_bytes_are_refused_wherever_they_stand(trap, place):
    def put(state):
        state["_network"] = state["_network"] | {place: trap}
        return state

    with pytest.raises(ValueError, match="Got bytes"):
        load(forge(net(), put))


def test_bytes_among_parameters_are_refused(trap):
    with pytest.raises(ValueError, match="Got bytes"):
        load(forge(net(), lambda state: state | {"module_params": {"width": trap}}))


def test_functions_appear_under_their_names(trap):
    import os

    data = forge(net(), lambda state: state | {"module": os.system})
    with pytest.raises(UntrustedTypesFoundException, match="system"):
        load(data)


@pytest.mark.parametrize(
    "name",
    ["os.system", "torch.nn.functional", "torch.nn.DataParallel", "torch.load", "Evil"],
)
@pytest.mark.parametrize("mark", ["class", "module"])
def test_only_layers_are_found_by_name(name, mark):
    plain = {"$": mark, "name": name, "kind": name, "number": 0, "state": {}}
    with pytest.raises(ValueError, match="made of layers"):
        Reader().read(plain)


@pytest.mark.parametrize(
    ("plain", "match"),
    [
        ({"$": "call"}, "parts of the kinds"),
        ({"$": "dtype", "home": "torch", "name": "load"}, "one of numbers"),
        (
            {"$": "tensor", "number": 0, "values": np.array(["a"])},
            "Weights must be numbers",
        ),
        ({"$": "module", "number": 0, "kind": list, "state": {}}, "torch.nn.Module"),
    ],
)
def test_what_no_network_has_is_refused(plain, match):
    with pytest.raises(ValueError, match=match):
        Reader().read(plain)


@pytest.mark.parametrize(
    "axes",
    [[0, 0], [0, 2], [1], [-1, 0], [0, 1, 2], [10**12, 0], [], "01", [[0], [1]], 1],
    ids=str,
)
def test_axes_of_weights_cannot_lead_beyond_them(axes):
    def turn(state):
        first = list(_layers(state["_network"]))[1]
        first["state"]["_parameters"]["weight"]["axes"] = axes
        return state

    with pytest.raises(ValueError, match=r"axes of weights|must have all parts"):
        load(forge(net(), turn))


@pytest.mark.parametrize("lost", ["module", "settings", "history", "records"])
def test_what_lacks_a_part_is_refused(lost):
    def drop(state):
        plain = state["_network"]
        state["_network"] = {name: plain[name] for name in plain if name != lost}
        return state

    with pytest.raises(ValueError, match="must have all parts"):
        load(forge(net(), drop))


def _layers(plain):
    """Yield the plain form of all modules in a plain form."""
    if isinstance(plain, dict):
        if plain.get("$") == "module":
            yield plain
        plain = list(plain.values())
    if isinstance(plain, list | tuple):
        for part in plain:
            yield from _layers(part)


def change_layer(kind, **values):
    def change(state):
        layer = next(
            part for part in _layers(state["_network"]) if part["kind"] == kind
        )
        layer["state"] |= values
        return state

    return change


@pytest.mark.parametrize(
    ("compress", "kind", "values"),
    [
        (NetQuantizer, "QuantizedLinear", {"in_features": 800}),
        (NetQuantizer, "QuantizedLinear", {"matrix_shape": (6, 900)}),
        (NetPruner, "PrunedLinear", {"in_features": 800}),
        (NetPruner, "PrunedLinear", {"matrix_shape": (600, 8)}),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(compress, kind, values):
    small = compress(net()).fit(X, y).estimator_
    with pytest.raises(ValueError, match=r"must have|cannot reshape|shape"):
        load(forge(small, change_layer(kind, **values)))


def test_a_layout_beyond_the_image_is_refused():
    coder = ImagePatchCoder(
        4, image_shape=(2, 4), patch_size=2, pooled_shape=1, max_epochs=1
    )
    coder = coder.fit(np.tile(X, (3, 1)))
    for name, value in {
        "image_shape": (2, 400, 1),
        "patch_size": (2, 40),
        "stride": -1,
        "pooled_shape": (9, 9),
    }.items():

        def change(state, name=name, value=value):
            return state | {"_layout": state["_layout"] | {name: value}}

        with pytest.raises(ValueError, match=r"must|more regions"):
            load(forge(coder, change))


def test_components_with_indices_beyond_their_shape_are_refused():
    reducer = TruncatedSVDReducer(1, groups=4, random_state=0).fit(X)
    bad = sparse.csr_array(reducer.components_)
    bad.indices = bad.indices + 1000
    with pytest.raises(ValueError, match="valid sparse matrix"):
        load(forge(reducer, lambda state: state | {"components_": bad}))


ATOMS = {
    "components_": SparseDictionaryCoder(4, max_epochs=1),
    "keys_": SparseAttentionCoder(4),
    "encoder_weights_": TopKAutoencoder(4, n_nonzero_coefs=2, max_epochs=1),
}


@pytest.mark.parametrize("name", ATOMS)
def test_atoms_that_are_narrower_than_samples_are_refused(name):
    data = forge(ATOMS[name].fit(X), lambda state: state | {name: state[name][:, :3]})
    with pytest.raises(ValueError, match="columns"):
        load(data)


def test_a_first_layer_that_is_narrower_than_samples_reads_nothing():
    def narrow(state):
        first = list(_layers(state["_network"]))[1]
        weight = first["state"]["_parameters"]["weight"]
        weight["values"] = weight["values"][:, :2]
        return state

    wide = sparse.random_array((40, 300), density=0.02, rng=0, dtype=np.float32)
    estimator = SparseNetClassifier((6,), max_epochs=1).fit(wide.tocsr(), y)
    twin = load(forge(estimator, narrow))
    with pytest.raises((ValueError, RuntimeError)):
        twin.predict(wide.tocsr())


def test_random_numbers_come_from_generators_only():
    twin = through_skops(TopKAutoencoder(4, n_nonzero_coefs=2, max_epochs=1).fit(X))
    twin._state["rng_bit_generator"] = "seed"
    with pytest.raises(ValueError, match="damaged or forged"):
        twin.partial_fit(X)


def _find(name):
    home, _, last = name.rpartition(".")
    return getattr(importlib.import_module(home), last)


@pytest.mark.parametrize("name", TRUSTED_TYPES)
def test_no_trusted_type_reads_pickles_or_files(name):
    kind = _find(name)
    assert isinstance(kind, type)
    forbidden = NeuralNet, Callback, nn.Module, _SharedDictionary
    assert not issubclass(kind, forbidden)


def test_a_search_does_not_hold_its_folder():
    from tests.estimators import SEARCHES

    search = SEARCHES[0].fit(X, y)
    assert "_SharedDictionary" not in named(skops.io.dumps(search))


def test_a_state_without_a_plain_network_is_no_estimator():
    schema = json.loads(named(skops.io.dumps(net())))
    assert schema["__class__"] == "SparseNetClassifier"
    assert "pickle" not in named(skops.io.dumps(net()))
