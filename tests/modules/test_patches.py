"""Patches of images as a layer whose atoms are trained."""

import pickle
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.autograd import forward_ad

from sksparse_nn import ImagePatchCoder
from sksparse_nn.modules import PatchLayer
from sksparse_nn.modules._facts import count_multiply_adds, make_plain, prune, quantize
from sksparse_nn.neural._coding_layers import make_layer, store_layer
from sksparse_nn.solvers.coding import SoftThreshold
from sksparse_nn.solvers.patches import ENCODERS

SIDES = 9, 8
LEVELS = {"soft_threshold": {"alpha": 0.3}, "threshold": {"alpha": 0.3}, "triangle": {}}
SHAPES = {
    "grey": {"image_shape": SIDES, "channel_axis": None},
    "channels first": {"image_shape": (3, *SIDES), "channel_axis": 0},
    "channels last": {"image_shape": (*SIDES, 3), "channel_axis": -1},
    "row": {"image_shape": (1, -1), "patch_size": 3, "pooled_shape": 2},
}

each_algorithm = pytest.mark.parametrize("algorithm", LEVELS)
each_pooling = pytest.mark.parametrize("pooling", ["sum", "mean", "max"])


def images(n_channels=3, n_images=12, dtype="float64"):
    X = np.random.default_rng(0).random((n_images, n_channels * SIDES[0] * SIDES[1]))
    X[3] = 0.7  # flat
    return X.astype(dtype)


def fitted(algorithm="soft_threshold", X=None, **parameters):
    given = {"patch_size": (3, 2), "pooled_shape": (2, 3)} | SHAPES["channels first"]
    parameters = given | {"max_epochs": 1, "random_state": 0} | parameters
    coder = ImagePatchCoder(7, algorithm=algorithm, **LEVELS[algorithm], **parameters)
    return coder.fit(images() if X is None else X)


def layer_of(coder, dtype=torch.float64, **parameters):
    parameters = {"learn_alpha": False} | parameters
    return make_layer(coder, **parameters).to(dtype)


def codes_of(layer, X):
    return layer(torch.from_numpy(X)).detach().numpy()


@pytest.mark.parametrize("split_sign", [True, False])
@pytest.mark.parametrize("whiten", ["zca", None])
@each_pooling
@each_algorithm
def test_codes_are_those_of_the_coder(algorithm, pooling, whiten, split_sign):
    coder = fitted(algorithm, pooling=pooling, whiten=whiten, split_sign=split_sign)
    found = codes_of(layer_of(coder), images())
    assert_allclose(found, coder.transform(images()), atol=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
@each_algorithm
def test_images_of_any_layout_are_read_as_by_the_coder(algorithm, shape, stride):
    X = images(1 if shape in ("grey", "row") else 3)
    coder = fitted(algorithm, X, stride=stride, **SHAPES[shape])
    assert_allclose(codes_of(layer_of(coder), X), coder.transform(X), atol=1e-9)


@pytest.mark.parametrize("unit", [1e-20, 255.0, 1e20])
@each_algorithm
def test_the_unit_of_pixels_does_not_matter(algorithm, unit):
    X = (images() * unit).astype(np.float32)
    coder = fitted(algorithm, X)
    found = codes_of(layer_of(coder, torch.float32), X)
    assert found.dtype == np.float32
    assert_allclose(found, coder.transform(X), rtol=1e-3, atol=1e-3)


@each_algorithm
def test_flat_patches_are_zero_also_without_a_contrast_to_add(algorithm):
    coder = fitted(algorithm, contrast_reg=0.0)
    layer = layer_of(coder)
    assert_allclose(codes_of(layer, images()), coder.transform(images()), atol=1e-9)
    X = torch.from_numpy(images()).requires_grad_()
    layer(X).sum().backward()
    assert X.grad.isfinite().all()


@each_algorithm
def test_codes_do_not_depend_on_how_images_are_batched(algorithm):
    layer = layer_of(fitted(algorithm))
    X = images(n_images=400)
    parts = [codes_of(layer, X[i : i + 7]) for i in range(0, len(X), 7)]
    assert_allclose(codes_of(layer, X), np.concatenate(parts), atol=1e-9)
    assert codes_of(layer, X[:0]).shape == (0, layer.out_features)


@pytest.mark.parametrize("with_images", [True, False])
@each_pooling
@each_algorithm
def test_gradients_are_those_of_finite_differences(algorithm, pooling, with_images):
    learnt = algorithm == "soft_threshold"
    coder = fitted(algorithm, pooling=pooling)
    layer = layer_of(coder, learn_alpha=learnt)
    names = [name for name, _ in layer.named_parameters()]

    def codes(X, *parameters):
        known = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, known, (X,))

    parameters = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    X = torch.tensor(np.delete(images()[:5], 3, 0), requires_grad=with_images)
    given = (X, *parameters)
    assert torch.autograd.gradcheck(codes, given, atol=1e-5, fast_mode=True)


@pytest.mark.parametrize(("algorithm", "kind"), list(product(LEVELS, ["sum", "max"])))
def test_both_ways_of_differentiating_agree(algorithm, kind):
    learnt = algorithm == "soft_threshold"
    layer = layer_of(fitted(algorithm, pooling=kind), learn_alpha=learnt)
    found = []
    for with_images in (False, True):
        layer.zero_grad()
        X = torch.tensor(images(n_images=300), requires_grad=with_images)
        layer(X).square().sum().backward()
        found.append([p.grad.clone() for p in layer.parameters()])
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, rtol=1e-8)


@each_pooling
@each_algorithm
def test_codes_are_the_same_in_training_and_without_it(algorithm, pooling):
    layer, X = layer_of(fitted(algorithm, pooling=pooling)), torch.tensor(images())
    with torch.no_grad():
        found = layer(X)
    assert not found.requires_grad
    assert_array_equal(found, layer(X).detach())


@each_pooling
@each_algorithm
def test_each_sample_has_gradients_of_its_own(algorithm, pooling):
    layer, X = layer_of(fitted(algorithm, pooling=pooling)), torch.tensor(images())
    parameters = dict(layer.named_parameters())

    def loss(known, x):
        return torch.func.functional_call(layer, known, (x[None],)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(parameters, X)
    layer(X).square().sum().backward()
    for name, parameter in parameters.items():
        assert_allclose(found[name].sum(0).detach(), parameter.grad, rtol=1e-8)


# Torch's own rules for forward derivatives call what torch has deprecated.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
@each_algorithm
def test_tangents_of_images_go_forward(algorithm):
    layer, X = layer_of(fitted(algorithm)), torch.tensor(np.delete(images(), 3, 0))
    tangents = torch.tensor(np.random.default_rng(1).standard_normal(X.shape))
    with forward_ad.dual_level():
        codes = layer(forward_ad.make_dual(X, tangents))
        found = forward_ad.unpack_dual(codes).tangent.detach()
    step = 1e-6 * tangents
    expected = (layer(X + step) - layer(X - step)).detach() / 2e-6
    assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_the_number_of_threads_changes_no_bit(pooling):
    X = torch.from_numpy(images(n_images=400, dtype="float32"))
    found = []
    for n_jobs in (1, 2, 3):
        coder = fitted(pooling=pooling).set_params(n_jobs=n_jobs)
        layer = layer_of(coder, torch.float32, learn_alpha=True)
        codes = layer(X)
        codes.square().sum().backward()
        found.append([codes.detach(), *[p.grad for p in layer.parameters()]])
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert_array_equal(one, other)


@each_algorithm
def test_trained_atoms_are_written_back(algorithm):
    coder = fitted(algorithm)
    layer = layer_of(coder, learn_alpha=algorithm == "soft_threshold")
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter *= 0.8
    store_layer(coder, layer)
    assert_allclose(codes_of(layer, images()), coder.transform(images()), atol=1e-9)


def test_the_level_of_an_algorithm_object_is_written_back():
    given = SoftThreshold(alpha=0.3)
    coder = fitted().set_params(alpha=0.25, algorithm=given)
    layer = layer_of(coder, learn_alpha=True)
    with torch.no_grad():
        layer.learnt_alpha.raw += 0.5
    store_layer(coder, layer)
    assert given.alpha == 0.3
    assert_allclose(codes_of(layer, images()), coder.transform(images()), atol=1e-9)


@each_algorithm
def test_work_is_that_of_the_coder(algorithm):
    coder = fitted(algorithm)
    layer = layer_of(coder)
    expected = coder._multiply_adds(images())
    assert count_multiply_adds(layer, (1, layer.out_features)) == expected
    with torch.no_grad():
        layer.dictionary[:, ::2] = 0
    small = prune(layer)
    assert count_multiply_adds(small, (1, layer.out_features)) == expected


@pytest.mark.parametrize("change", [prune, lambda layer: quantize(layer, 8, None)])
@each_algorithm
def test_compressed_layers_have_the_codes_of_their_atoms(algorithm, change):
    small = change(layer_of(fitted(algorithm), torch.float32))
    X = images(dtype="float32")
    expected = codes_of(make_plain(small), X)
    assert_allclose(codes_of(small, X), expected, atol=1e-4)
    again = pickle.loads(pickle.dumps(small))
    assert_array_equal(codes_of(again, X), codes_of(small, X))


def test_a_few_photographs_of_a_mini_batch_are_coded_at_a_time():
    atoms = torch.randn(400, 108, generator=torch.Generator().manual_seed(0))
    layer = PatchLayer(atoms, (3, 32, 32), alpha=0.25, contrast_reg=0.01)
    kept = []

    class Recorded(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            found = function(*args, **(kwargs or {}))
            kept.append(found.nbytes if isinstance(found, torch.Tensor) else 0)
            return found

    with Recorded():
        codes = layer(torch.rand(128, 3072))
    n_products = 128 * 27 * 27 * 400
    assert codes.shape == (128, 3200)
    assert max(kept) < 4 * n_products / 16


@pytest.mark.parametrize("algorithm", sorted(set(ENCODERS) - set(LEVELS)))
def test_other_algorithms_are_refused(algorithm):
    given = {"lasso": {"alpha": 0.1}, "elastic_net": {"alpha": 0.1}}
    coder = fitted().set_params(algorithm=algorithm, alpha=0.25)
    coder.set_params(**given.get(algorithm, {}))
    with pytest.raises(ValueError, match="tune_coder=False, which takes all"):
        layer_of(coder)


@pytest.mark.parametrize(
    "options", [{"positive_code": True}, {"atom_weights": np.ones(7)}]
)
def test_options_that_the_layer_lacks_are_refused(options):
    algorithm = SoftThreshold(alpha=0.3, **options)
    coder = fitted().set_params(alpha=0.25, algorithm=algorithm)
    with pytest.raises(ValueError, match="without positive_code"):
        layer_of(coder)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"algorithm": "lasso"}, "algorithm must be one of"),
        ({"pooling": "median"}, "pooling must be one of"),
        ({"alpha": None}, "alpha must be given"),
        ({"algorithm": "triangle"}, "None for others"),
        ({"alpha": -1.0}, "not below zero"),
        ({"algorithm": "threshold", "learn_alpha": True}, "a derivative by alpha"),
        ({"contrast_reg": -1.0}, "contrast_reg must be"),
        ({"contrast_reg": np.nan}, "contrast_reg must be"),
        ({"patch_size": 3}, "dictionary must be of shape"),
        ({"whitening": np.eye(3)}, "whitening must be of shape"),
        ({"patch_mean": np.ones(3)}, "patch_mean must be of shape"),
        ({"image_shape": (1, -1)}, "image_shape must be of integers"),
        ({"dictionary": np.zeros((2, 4))}, "norms above zero"),
    ],
)
def test_what_cannot_be_is_refused(parameters, words):
    given = {"dictionary": np.eye(4), "image_shape": (4, 4), "patch_size": 2}
    with pytest.raises(ValueError, match=words):
        PatchLayer(**(given | {"alpha": 0.1} | parameters))


def test_images_of_another_width_are_refused():
    layer = PatchLayer(np.eye(4), (4, 4), patch_size=2, alpha=0.1)
    with pytest.raises(ValueError, match="n_samples, 16"):
        layer(torch.zeros(2, 15))
