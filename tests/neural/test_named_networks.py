"""Networks for images by name."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sksparse_nn import ImagePatchCoder, SparseDictionaryCoder, SparseNetRegressor
from sksparse_nn.modules import PatchNet, PlainConvNet, ResNet8
from tests.neural.image_samples import SHAPE, classifier, digits

KINDS = {"resnet8": ResNet8, "plain_conv_net": PlainConvNet, "patch_net": PatchNet}


@pytest.mark.parametrize("name", KINDS)
def test_named_networks_learn(name):
    X, y = digits()
    net = classifier(module=name, module_params={"width": 8}, max_epochs=12).fit(X, y)
    module = net.net_.module_
    assert isinstance(getattr(module, "network", module), KINDS[name])
    assert net.score(X, y) > 0.9
    twin = pickle.loads(pickle.dumps(net))
    assert_array_equal(twin.predict_proba(X), net.predict_proba(X))
    again = clone(net).fit(X, y)
    assert_array_equal(again.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("name", KINDS)
def test_named_networks_learn_from_streams(name):
    X, y = digits()
    net = classifier(module=name)
    for _ in range(2):
        net.partial_fit(X, y, classes=np.arange(10))
    assert net.n_iter_ == 2


def coder(**parameters):
    given = {"image_shape": SHAPE, "patch_size": 3, "max_epochs": 2, "random_state": 0}
    return ImagePatchCoder(6, **given | parameters)


@pytest.mark.parametrize("tune_coder", [False, True, "all"])
def test_atoms_of_a_given_coder_are_trained_or_kept(tune_coder):
    X, y = digits()
    before = coder().fit(X.reshape(len(X), -1))
    net = classifier(module="patch_net", coder=coder(), tune_coder=tune_coder)
    net.fit(X, y)
    same = np.allclose(net.coder_.components_, before.components_, atol=1e-5)
    assert same == (not tune_coder)
    assert (net.coder_.alpha == before.alpha) == (tune_coder != "all")
    assert net.score(X, y) > 0.85


@pytest.mark.parametrize("tune_coder", [False, True])
def test_images_ahead_of_atoms_are_augmented(tune_coder):
    X, y = digits()
    net = classifier(
        module="patch_net", coder=coder(), tune_coder=tune_coder, augment="shift"
    )
    assert net.fit(X, y).score(X, y) > 0.8


def test_numbers_are_predicted():
    X, y = digits()
    net = SparseNetRegressor(module="plain_conv_net", random_state=0, max_epochs=15)
    assert net.set_params(learning_rate=0.01).fit(X, y).score(X, y) > 0.7


@pytest.mark.parametrize("name", KINDS)
def test_rows_are_refused(name):
    X, y = digits()
    with pytest.raises(ValueError, match="needs images"):
        classifier(module=name).fit(X.reshape(len(X), -1), y)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"coder": SparseDictionaryCoder(4)}, "needs an ImagePatchCoder"),
        ({"coder": coder(algorithm="triangle")}, "algorithm must be one of"),
        ({"coder": coder(), "reconstruction": 0.5}, "reconstruction"),
    ],
)
def test_what_has_no_maps_is_refused(parameters, match):
    with pytest.raises(ValueError, match=match):
        classifier(module="patch_net", **parameters).fit(*digits())
