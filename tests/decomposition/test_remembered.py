import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn import SparseDictionaryCoder

X = np.random.default_rng(0).normal(size=(40, 8))


def fitted(**parameters):
    return SparseDictionaryCoder(12, max_epochs=1, random_state=0, **parameters).fit(X)


def codes_of(coder, samples=X):
    """Code samples as a new copy does, which remembers nothing."""
    return pickle.loads(pickle.dumps(coder)).transform(samples).toarray()


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.5},
        {"positive_code": True},
        {"algorithm": "omp"},
        {"algorithm": "elastic_net", "l1_ratio": 0.9},
        {"atom_weights": np.arange(1.0, 13.0)},
    ],
)
def test_parameters_that_change_after_a_transform_count(change):
    coder = fitted()
    before = coder.transform(X).toarray()
    coder.set_params(**change)
    after = coder.transform(X).toarray()
    assert not np.array_equal(before, after)
    assert_array_equal(after, codes_of(coder))


def test_atoms_that_are_written_over_count():
    coder = fitted()
    before = coder.transform(X).toarray()
    coder.components_[3] = coder.components_[4] + 0.1
    after = coder.transform(X).toarray()
    assert not np.array_equal(before, after)
    assert_array_equal(after, codes_of(coder))


def test_arrays_that_are_written_over_count():
    coder = fitted(atom_weights=np.ones(12))
    before = coder.transform(X).toarray()
    coder.atom_weights[:6] = 30.0
    after = coder.transform(X).toarray()
    assert not np.array_equal(before, after)
    assert_array_equal(after, codes_of(coder))


def test_float_types_take_turns():
    coder = fitted()
    single = X.astype(np.float32)
    wanted = codes_of(coder, single), codes_of(coder)
    for _ in range(2):
        assert_array_equal(coder.transform(single).toarray(), wanted[0])
        assert_array_equal(coder.transform(X).toarray(), wanted[1])


@pytest.mark.parametrize("wrong", [{"alpha": -1.0}, {"n_jobs": "many"}])
def test_parameters_that_are_wrong_after_a_transform_are_refused(wrong):
    coder = fitted(alpha=1.0)
    coder.transform(X)
    coder.set_params(**wrong)
    with pytest.raises(ValueError, match="must be"):
        coder.transform(X)


def test_copies_do_not_share_what_is_remembered():
    coder = fitted()
    coder.transform(X)
    twin = copy.copy(coder).set_params(alpha=0.5)
    assert not np.array_equal(twin.transform(X).toarray(), coder.transform(X).toarray())


def test_estimators_are_not_kept_alive():
    coder = fitted()
    coder.transform(X)
    gone = weakref.ref(coder)
    del coder
    gc.collect()
    assert gone() is None
