"""Laws of what fits know of the data: it adds up, and it can be written down."""

import numbers
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn import SparseAttentionCoder
from sksparse_nn.screening._samples import Samples
from sksparse_nn.screening._state import ScreeningState
from sksparse_nn.solvers._state import State
from sksparse_nn.solvers.coding import OMP
from sksparse_nn.solvers.dictionary import (
    DictionaryState,
    OnlineLearner,
    Plan,
    Progress,
    normalise_atoms,
)
from sksparse_nn.solvers.patches import (
    HardAssignment,
    KMeansAtoms,
    PatchMoments,
    PatchPlan,
    PatchState,
    Whitening,
)
from sksparse_nn.solvers.patches._whitening import Patches
from sksparse_nn.solvers.simplex import AttentionState
from sksparse_nn.solvers.svd import Partition, WeightedRows
from sksparse_nn.solvers.svd._moments import read_moments
from sksparse_nn.solvers.svd._sketch import empty_sketch

WIDTH = 6
GROUPS = Partition(np.array([0, 1, 0, 1, 1, 1]))


@dataclass(frozen=True)
class Kind:
    """A kind of state: after the first samples, and the pieces that are added to it."""

    begin: Callable
    piece: Callable
    is_exact: bool = False
    in_order: bool = False


def weighted(X):
    return (WeightedRows(X, None, GROUPS),)


def weights_of(X):
    return 0.5 + np.asarray(abs(X).sum(axis=1)).ravel()


def patches_of(X):
    X = X.toarray() if sparse.issparse(X) else X
    centred = X - X.mean(axis=1, keepdims=True)
    return Patches(centred, centred.var(axis=1, ddof=1)), weights_of(X)


def whitening():
    matrix = np.eye(WIDTH) + 0.1 * np.tri(WIDTH)
    return Whitening(0.1, np.linspace(-0.1, 0.1, WIDTH), matrix)


def online():
    return OnlineLearner(batch_size=16)


def first_atoms(X):
    X = X.toarray() if sparse.issparse(X) else X
    return normalise_atoms(X[:5].copy())


def begin_dictionary(X):
    plan = Plan(
        online(),
        lambda n_atoms: OMP(n_nonzero_coefs=2),
        count_first=lambda X: 5,
        begin=lambda X, weights, seed: first_atoms(X),
    )
    return DictionaryState(plan=plan).begin_stream(0).add(X, weights_of(X))


def begin_patches(learner, coder):
    def begin(X):
        plan = PatchPlan(whitening(), learner(), coder())
        moments = PatchMoments.empty(WIDTH, plan.whitening).add(*patches_of(X))
        progress = Progress.begin(first_atoms(X))
        known = PatchState.begin("own", moments, progress)
        known = replace(known, plan=plan, seed=3)
        known = replace(known, dictionary=replace(known.dictionary, plan=plan.of_atoms))
        return known.add(*patches_of(X))

    return begin


def begin_attention(X):
    coder = SparseAttentionCoder(5, random_state=0).fit(X)
    return coder._known_state(coder._setting())


def screened(X):
    return Samples(X, "n" * WIDTH), {"a": X.shape[0]}


def begin_screening(X):
    return ScreeningState.empty("n" * WIDTH).add(*screened(X))


KINDS = {
    "screening": Kind(begin_screening, screened, in_order=True),
    "moments": Kind(lambda X: read_moments(*weighted(X)), weighted, is_exact=True),
    "sketch": Kind(
        lambda X: empty_sketch(GROUPS, 8, X.dtype).add(*weighted(X)),
        weighted,
        is_exact=True,
    ),
    "moments of patches": Kind(
        lambda X: PatchMoments.empty(WIDTH, whitening()).add(*patches_of(X)),
        patches_of,
        is_exact=True,
    ),
    "dictionary": Kind(begin_dictionary, lambda X: (X, weights_of(X)), in_order=True),
    "attention": Kind(begin_attention, lambda X: (X, weights_of(X))),
    "patches of an online learner": Kind(
        begin_patches(online, lambda: OMP(n_nonzero_coefs=2)), patches_of
    ),
    "patches of clusters": Kind(begin_patches(KMeansAtoms, HardAssignment), patches_of),
}
EXACT = {name: kind for name, kind in KINDS.items() if kind.is_exact}
IN_ORDER = {name: kind for name, kind in KINDS.items() if kind.in_order}


def of_all(kinds):
    return pytest.mark.parametrize("kind", kinds.values(), ids=kinds)


@pytest.fixture(name="X", params=[np.asarray, sparse.csr_array], ids=["dense", "CSR"])
def samples(request):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, WIDTH)) + 1
    return request.param(X * (rng.random(X.shape) < 0.7))


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert_array_equal(value, other[name], strict=True)


def assert_close(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert_allclose(value, other[name], rtol=1e-9, atol=1e-9)


def measure(state):
    """Return what a state says of the samples, whatever its own basis is."""
    if hasattr(state, "columns"):
        known = state.whole()
        products = [known.unit**2 * kept @ kept.T for kept in known.columns]
        products = dict(enumerate(products))
        return products | {"mean": known.mean, "weight": known.weight}
    return state.arrays()


@of_all(KINDS)
def test_a_state_keeps_the_contract(kind, X):
    state = kind.begin(X)
    assert isinstance(state, State)
    assert state.context is not None


@of_all(KINDS)
def test_what_is_written_down_is_arrays_numbers_and_strings(kind, X):
    plain = (np.ndarray, numbers.Number, str, type(None))
    state = kind.begin(X[:47]).add(*kind.piece(X[47:50]))
    assert all(isinstance(value, plain) for value in state.arrays().values())


@of_all(KINDS)
def test_a_restored_state_goes_on_to_the_bit(kind, X):
    one, twin = (kind.begin(X[:47]) for _ in range(2))
    again = type(twin).from_arrays(twin.arrays(), twin.context)
    assert_same(again.arrays(), one.arrays())
    for piece in (X[47:49], X[49:90]):
        one, again = (state.add(*kind.piece(piece)) for state in (one, again))
        assert_same(again.arrays(), one.arrays())
    assert_same(again.merge(one).arrays(), one.merge(again).arrays())


@of_all(KINDS)
def test_the_order_of_what_is_written_down_does_not_matter(kind, X):
    state = kind.begin(X[:47])
    arrays = dict(sorted(state.arrays().items(), reverse=True))
    again = type(state).from_arrays(arrays, state.context)
    assert_same(again.arrays(), state.arrays())


@of_all(KINDS)
def test_states_do_not_change(kind, X):
    one, other = kind.begin(X[:47]), kind.begin(X[40:])
    known = [
        {name: np.copy(value) for name, value in state.arrays().items()}
        for state in (one, other)
    ]
    one.add(*kind.piece(X[:20]))
    one.merge(other)
    for state, before in zip((one, other), known, strict=True):
        for name, value in state.arrays().items():
            assert_array_equal(value, before[name])


@of_all(EXACT)
def test_a_merge_of_parts_is_the_whole_in_any_order(kind, X):
    one, two, three = (kind.begin(part) for part in (X[:40], X[40:47], X[47:]))
    whole = measure(kind.begin(X))
    assert_close(measure(one.merge(two).merge(three)), whole)
    assert_close(measure(one.merge(two.merge(three))), whole)
    assert_close(measure(three.merge(one).merge(two)), whole)


@of_all(EXACT)
def test_a_merge_adds_what_was_added(kind, X):
    one = kind.begin(X[:40])
    added = measure(one.add(*kind.piece(X[40:])))
    assert_close(measure(one.merge(kind.begin(X[40:]))), added)


@of_all(IN_ORDER)
def test_pieces_are_the_whole(kind, X):
    def pieces(*cuts):
        state = kind.begin(X[: cuts[0]])
        for start, stop in pairwise([*cuts, X.shape[0]]):
            state = state.add(*kind.piece(X[start:stop]))
        return state

    whole = kind.begin(X)
    for cuts in [(16,), (1, 2, 40), (47, 48)]:
        assert_same(pieces(*cuts).arrays(), whole.arrays())


@of_all(KINDS)
def test_a_merge_weighs_what_both_do(kind, X):
    one, other = kind.begin(X[:47]), kind.begin(X[40:])
    for both in (one.merge(other), other.merge(one)):
        assert total(both) == pytest.approx(total(one) + total(other))


def total(state):
    arrays = measure(state)
    return arrays["weight"] if "weight" in arrays else arrays["moments_weight"]


@of_all(KINDS)
def test_states_of_another_kind_are_refused(kind, X):
    state = kind.begin(X)
    for other in KINDS.values():
        if other is not kind and type(other.begin(X)) is not type(state):
            with pytest.raises(ValueError, match="of one kind can be merged"):
                state.merge(other.begin(X))


@pytest.mark.parametrize("X", [np.asarray], indirect=True)
@of_all(KINDS)
def test_states_of_another_shape_are_refused(kind, X):
    one = kind.begin(X)
    arrays = {
        name: value[..., :-1] if np.ndim(value) else value
        for name, value in one.arrays().items()
    }
    other = type(one).from_arrays(arrays, one.context)
    with pytest.raises(ValueError, match="of one shape can be merged"):
        one.merge(other)


@pytest.mark.parametrize("name", ["moments", "sketch"])
def test_states_of_other_groups_are_refused(name, X):
    one = KINDS[name].begin(X)
    groups = Partition(np.array([0, 0, 1, 1, 1, 1]))
    other = type(one).from_arrays(one.arrays(), groups)
    with pytest.raises(ValueError, match="same groups of features"):
        one.merge(other)


def test_attention_is_that_of_all_samples_it_was_given(X):
    state = begin_attention(X[:47])
    assert isinstance(state, AttentionState)
    both = state.merge(begin_attention(X[47:]))
    assert both.counts.sum() == X.shape[0]
    assert_allclose(both.sums.shares.sum(), X.shape[0])
