"""What is said of atoms."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import ImagePatchCoder, SparseDictionaryCoder, TruncatedSVDReducer
from sksparse_nn.inspection import (
    atom_table,
    class_profile,
    mutual_coherence,
    stability,
    top_samples,
)


@pytest.fixture(scope="module", name="digits")
def some_digits():
    X, y = load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]


def fitted_coder(X, **parameters):
    return SparseDictionaryCoder(
        16,
        algorithm="omp",
        n_nonzero_coefs=3,
        max_epochs=2,
        random_state=0,
        **parameters,
    ).fit(X)


def test_use_and_codes_are_means_over_samples(digits):
    X, _ = digits
    coder = fitted_coder(X)
    codes = coder.transform(X).toarray()
    table = atom_table(coder, X)
    assert_allclose(table.usage, (codes != 0).mean(axis=0))
    assert_allclose(table.mean_abs_code, np.abs(codes).mean(axis=0), rtol=1e-6)


def test_the_nearest_atom_is_the_one_of_the_largest_cosine(digits):
    coder = fitted_coder(digits[0])
    table = atom_table(coder, digits[0])
    for atom, row in table.iterrows():
        cosines = [
            abs(a @ coder.components_[atom])
            / np.linalg.norm(a)
            / np.linalg.norm(coder.components_[atom])
            for a in coder.components_
        ]
        cosines[atom] = -1
        assert row.nearest == np.argmax(cosines)
        assert row.coherence == pytest.approx(max(cosines), rel=1e-5)
    assert mutual_coherence(coder.components_) == table.coherence.max()


def test_split_signs_are_taken_together(digits):
    X, y = digits
    coder = fitted_coder(X)
    split = fitted_coder(X, split_sign=True)
    one, two = (atom_table(c, X, y, random_state=0) for c in (coder, split))
    assert_allclose(one.usage, two.usage)
    assert_allclose(one.class_share, two.class_share, rtol=1e-5)


def test_regions_of_patches_are_taken_together(digits):
    X, y = digits
    coder = ImagePatchCoder(
        8, image_shape=(8, 8), patch_size=4, max_epochs=1, random_state=0
    ).fit(X)
    table = atom_table(coder, X, y, random_state=0)
    assert len(table) == 8
    total = np.abs(coder.transform(X)).mean(axis=0).reshape(-1, 8).sum(axis=0)
    assert_allclose(table.mean_abs_code, total, rtol=1e-5)


def test_labels_that_mean_nothing_look_like_chance_and_others_do_not(digits):
    X, y = digits
    coder = fitted_coder(X)
    rng = np.random.default_rng(0)
    true = atom_table(coder, X, y, random_state=0)
    random = atom_table(coder, X, rng.permutation(y), random_state=0)
    assert true.class_score.median() > 5
    assert abs(random.class_score.median()) < 2


def test_shares_of_classes_count_classes_alike():
    codes = np.array([[1.0, 0], [1, 0], [1, 0], [2, 0]])
    profile = class_profile(codes, ["a", "a", "a", "b"], random_state=0)
    assert_allclose(profile.shares, [[1 / 3, 2 / 3], [0, 0]])
    with pytest.raises(ValueError, match="Got 4 and 3"):
        class_profile(codes, [0, 1, 1])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_top_samples_have_the_largest_magnitudes(container):
    codes = np.array([[0.0, 1, 0], [5, -2, 0], [-7, 1, 0]])
    assert_array_equal(
        top_samples(container(codes), 3), [[2, 1, -1], [1, 0, 2], [-1, -1, -1]]
    )


def test_the_same_atoms_in_another_order_are_stable(digits):
    found = stability(TruncatedSVDReducer(5), digits[0], n_fits=3, random_state=0)
    assert_allclose(found.cosines, 1, atol=1e-5)
    coder = SparseDictionaryCoder(16, algorithm="omp", n_nonzero_coefs=3, max_epochs=1)
    found = stability(coder, digits[0], n_fits=3, random_state=0)
    assert found.cosines.shape == (2, 16)
    assert (found.cosines <= 1 + 1e-6).all()
    with pytest.raises(ValueError, match="Got 1"):
        stability(coder, digits[0], n_fits=1)


def test_a_pipeline_of_transformers_is_described_by_its_last_step(digits):
    X, y = digits
    model = make_pipeline(StandardScaler(), TruncatedSVDReducer(4)).fit(X)
    assert len(atom_table(model, X, y)) == 4
    with pytest.raises(TypeError, match="Got StandardScaler"):
        atom_table(make_pipeline(TruncatedSVDReducer(4), StandardScaler()).fit(X), X)


def test_one_atom_has_no_neighbour(digits):
    table = atom_table(TruncatedSVDReducer(1).fit(digits[0]), digits[0])
    assert table.nearest[0] == -1
    assert table.coherence[0] == 0


def test_a_frozen_coder_is_described_as_it_is(digits):
    coder = ImagePatchCoder(
        8, image_shape=(8, 8), patch_size=4, max_epochs=1, random_state=0
    ).fit(digits[0])
    frozen = atom_table(FrozenEstimator(coder), digits[0])
    pd.testing.assert_frame_equal(frozen, atom_table(coder, digits[0]))


@pytest.mark.parametrize("factor", [1e-300, 1e-170, 1e160, 1e300])
def test_the_unit_of_atoms_does_not_matter_to_their_coherence(factor):
    atoms = np.array([[1.0, 1.0], [1.0, 0.0]])
    assert mutual_coherence(factor * atoms) == pytest.approx(0.5**0.5)
