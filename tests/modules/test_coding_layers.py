import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import sparse
from torch import nn

from sksparse_nn import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    compression_report,
)
from sksparse_nn.inspection import attribute
from sksparse_nn.kernels.adjoint import add_cross_products, solve_on_supports
from sksparse_nn.modules import (
    AttentionLayer,
    SoftThresholdLayer,
    SparseCodingLayer,
    TriangleLayer,
)
from sksparse_nn.modules._sparse_input import sparse_rows
from sksparse_nn.modules._traced_codes import trace_codes
from sksparse_nn.solvers.coding import CODERS
from sksparse_nn.solvers.simplex import MAPPINGS


def normal(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


ATOMS, SAMPLES = normal((14, 10)), normal((5, 10), 1)

SETTINGS = {
    "lasso": {"alpha": 0.7},
    "elastic_net": {"alpha": 0.7, "l1_ratio": 0.6},
    "omp": {"n_nonzero_coefs": 4},
    "ols": {"n_nonzero_coefs": 4},
    "threshold": {"alpha": 0.7},
    "soft_threshold": {"alpha": 0.7},
    "top_k": {"n_nonzero_coefs": 4},
}
WITHOUT_ADJOINT = {"triangle"}

LAYERS = {
    **{
        name: lambda name=name: SparseCodingLayer(ATOMS, name, **SETTINGS[name])
        for name in SETTINGS
    },
    **{
        f"{name}, learnt": lambda name=name: SparseCodingLayer(
            ATOMS, name, **SETTINGS[name], learn_alpha=True
        )
        for name in ("lasso", "elastic_net", "soft_threshold")
    },
    "lasso, positive": lambda: SparseCodingLayer(ATOMS, alpha=0.7, positive_code=True),
    "soft": lambda: SoftThresholdLayer(ATOMS, 0.7),
    "soft, learnt": lambda: SoftThresholdLayer(
        ATOMS, 0.7, positive_code=True, learn_alpha=True
    ),
    "triangle": lambda: TriangleLayer(ATOMS),
    **{
        f"attention, {mapping}": lambda mapping=mapping: AttentionLayer(
            ATOMS, 5.0, mapping, learn_temperature=True
        )
        for mapping in MAPPINGS
    },
}

each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def test_every_coder_is_tried():
    assert set(SETTINGS) | WITHOUT_ADJOINT == set(CODERS)


@each_layer
def test_gradients_are_those_of_finite_differences(make):
    layer = make()
    names = [name for name, _ in layer.named_parameters()]

    def codes(X, *parameters):
        known = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, known, (X,))

    parameters = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    X = torch.tensor(SAMPLES, requires_grad=True)
    assert torch.autograd.gradcheck(codes, (X, *parameters), atol=1e-5)


@pytest.mark.parametrize("name", CODERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_codes_are_those_of_the_coder(name, dtype):
    parameters = SETTINGS.get(name, {})
    atoms = ATOMS / np.linalg.norm(ATOMS, axis=1, keepdims=True)
    atoms, X = atoms.astype(dtype), SAMPLES.astype(dtype)
    coder = SparseDictionaryCoder(
        algorithm=name, learner=None, init=atoms, sparse_output=False, **parameters
    ).fit(X)
    if name == "triangle":
        layer = TriangleLayer(atoms)
    else:
        layer = SparseCodingLayer(atoms, name, **parameters)
    codes = layer(torch.from_numpy(X)).detach().numpy()
    assert codes.dtype == dtype
    assert_allclose(
        codes, coder.transform(X), atol=2e-5 if dtype == "float32" else 1e-9
    )


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_shares_are_those_of_the_attention_coder(mapping):
    X = normal((200, 10))
    coder = SparseAttentionCoder(
        8, mapping=mapping, sparse_output=False, random_state=0
    ).fit(X)
    layer = AttentionLayer(coder.keys_, coder.temperature_, mapping)
    codes = layer(torch.from_numpy(X)).detach().numpy()
    assert_allclose(codes, coder.transform(X), atol=1e-12)


def gradients_of(layer, X):
    layer.zero_grad()
    codes = layer(X)
    (codes * torch.arange(1.0, codes.numel() + 1).reshape(codes.shape)).sum().backward()
    return codes.detach(), [p.grad.clone() for p in layer.parameters()]


@pytest.mark.parametrize("name", SETTINGS)
def test_codes_and_gradients_do_not_depend_on_threads(name):
    X = torch.tensor(normal((300, 10)), dtype=torch.float32)
    atoms = ATOMS.astype(np.float32)
    found = [
        gradients_of(SparseCodingLayer(atoms, name, **SETTINGS[name], n_jobs=n), X)
        for n in (None, 2)
    ]
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1][0], found[1][1][0])


@pytest.mark.parametrize("name", SETTINGS)
def test_sparse_samples_are_coded_as_dense_ones(name):
    X = sparse.random_array((40, 10), density=0.2, format="csr", rng=0)
    layer = SparseCodingLayer(ATOMS, name, **SETTINGS[name])
    codes, gradients = gradients_of(layer, torch.from_numpy(X.toarray()))
    of_sparse, sparse_gradients = gradients_of(layer, sparse_rows(X, np.float64))
    assert_allclose(of_sparse, codes, atol=1e-12)
    assert_allclose(sparse_gradients[0], gradients[0], atol=1e-9)


@pytest.mark.parametrize("name", SETTINGS)
def test_twin_atoms_have_finite_gradients(name):
    atoms = np.vstack([ATOMS, ATOMS, 2 * ATOMS]).astype(np.float32)
    X = torch.tensor(SAMPLES, dtype=torch.float32)
    layer = SparseCodingLayer(atoms, name, **SETTINGS[name])
    codes, gradients = gradients_of(layer, X)
    assert codes.isfinite().all()
    assert gradients[0].isfinite().all()


def test_atoms_that_are_written_over_in_memory_are_read_anew():
    layer = SparseCodingLayer(ATOMS, alpha=0.7).eval()
    X = torch.from_numpy(SAMPLES)
    with torch.no_grad():
        before = layer(X)
        layer.dictionary.data.numpy()[:] = ATOMS[::-1]
        assert_allclose(layer(X).flip(1), before, atol=1e-9)


@each_layer
def test_layers_are_copied_pickled_and_loaded(make):
    layer, X = make(), torch.from_numpy(SAMPLES)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(1.1)
    wanted, loaded = layer(X), make()
    loaded.load_state_dict(layer.state_dict())
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded):
        assert torch.equal(other(X), wanted)


@each_layer
def test_layers_learn_in_a_network(make):
    torch.manual_seed(0)
    layer = make()
    n_components = len(next(p for p in layer.parameters() if p.ndim == 2))
    net = nn.Sequential(layer, nn.Linear(n_components, 2).double())
    X = torch.from_numpy(normal((64, 10)))
    y = (X[:, 0] > 0).long()
    optimizer, losses = torch.optim.Adam(net.parameters(), 0.01), []
    start = next(layer.parameters()).detach().clone()
    for _ in range(150):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert not torch.equal(next(layer.parameters()), start)


@each_layer
@pytest.mark.parametrize("shape", [(3, 9), (10,), (2, 3, 10)])
def test_samples_of_another_shape_are_refused(make, shape):
    with pytest.raises(ValueError, match=r"X must be of shape \(n_samples, 10\)"):
        make()(torch.zeros(shape, dtype=torch.float64))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dictionary": ATOMS[0]}, "dictionary must be of shape"),
        ({"dictionary": ATOMS * np.nan}, "dictionary must be finite"),
        ({"dictionary": ATOMS * 0}, "norms above zero"),
        ({"alpha": None}, "alpha must be given for Lasso"),
        ({"alpha": 0.0, "learn_alpha": True}, "alpha must be a number above zero"),
        ({"algorithm": "omp", "alpha": None, "learn_alpha": True}, "with an alpha"),
        ({"algorithm": "omp"}, "alpha"),
        ({"algorithm": "triangle", "alpha": None}, "TriangleLayer"),
        ({"algorithm": "nothing"}, "nothing"),
    ],
)
def test_what_a_layer_cannot_do_is_refused(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SparseCodingLayer(**{"dictionary": ATOMS, "alpha": 0.7} | arguments)


def test_samples_that_are_not_finite_are_refused():
    X = torch.tensor(SAMPLES)
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="Got sample 3"):
        SparseCodingLayer(ATOMS, alpha=0.7)(X)


def test_supports_are_solved_as_numpy_does():
    rng, counts = np.random.default_rng(0), np.array([3, 0, 2, 4], np.int32)
    indices = np.argsort(rng.random((4, 8)), axis=1)[:, :5].astype(np.int32)
    atoms = rng.normal(size=(8, 6))
    gram, ridges = atoms @ atoms.T, rng.random(8)
    gradients, found = rng.normal(size=(4, 8)), np.zeros((4, 5))
    solve_on_supports(counts, indices, gram, ridges, 1e-9, gradients, found)
    for i, count in enumerate(counts):
        chosen = indices[i, :count]
        matrix = gram[np.ix_(chosen, chosen)] + np.diag(ridges[chosen])
        wanted = np.linalg.solve(matrix, gradients[i, chosen])
        assert_allclose(found[i, :count], wanted, rtol=1e-8)


def test_cross_products_are_those_of_dense_matrices():
    rng, counts = np.random.default_rng(0), np.array([3, 0, 2, 5], np.int32)
    indices = np.argsort(rng.random((4, 8)), axis=1)[:, :5].astype(np.int32)
    a, b = rng.normal(size=(2, 4, 5))
    dense = np.zeros((2, 4, 8))
    for i, count in enumerate(counts):
        dense[0, i, indices[i, :count]] = a[i, :count]
        dense[1, i, indices[i, :count]] = b[i, :count]
    found = np.zeros((8, 8))
    add_cross_products(counts, indices, a, b, found)
    assert_allclose(found, dense[0].T @ dense[1] + dense[1].T @ dense[0], atol=1e-12)


def network(n_features, n_outputs, layer):
    layer = LAYERS[layer]()
    n_components = len(next(p for p in layer.parameters() if p.ndim == 2))
    return nn.Sequential(layer, nn.Linear(n_components, n_outputs))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("layer", LAYERS)
def test_estimators_take_networks_with_layers_of_codes(layer):
    X, y = normal((80, 10)).astype(np.float32), np.arange(80) % 2
    parameters = {"module": network, "module_params": {"layer": layer}}
    net = SparseNetClassifier(**parameters, max_epochs=2, random_state=0).fit(X, y)
    net.partial_fit(X, y)
    attributions = attribute(net, X[:3], features=False)
    assert np.isfinite(attributions.atoms).all()
    report = compression_report({"net": net}, X, y)
    n_weights = sum(p.numel() for p in net.net_.module_.parameters())
    assert report["parameters"].iloc[0] == n_weights
    assert report["multiply_adds"].iloc[0] >= ATOMS.size


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_shares_of_large_and_small_numbers_are_those_of_others(mapping, scale):
    plain = AttentionLayer(ATOMS.astype("f4"), 5.0, mapping)
    scaled = AttentionLayer((ATOMS * scale).astype("f4"), 5.0 * scale**2, mapping)
    samples = torch.tensor(SAMPLES, dtype=torch.float32)
    large = torch.tensor(SAMPLES * scale, dtype=torch.float32)
    assert_allclose(scaled(large).detach(), plain(samples).detach(), atol=1e-5)
    one, other = trace_codes(plain, samples), trace_codes(scaled, large)
    assert_allclose(other.codes, one.codes, atol=1e-5)
    gradients = torch.ones_like(one.codes).cumsum(dim=1)
    (expected,), (found,) = one.backward(gradients), other.backward(gradients)
    assert_allclose(found * scale, expected, rtol=1e-3, atol=1e-5)
