"""Truncated singular value decomposition, of all features or of groups of them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._callbacks import (
    CallbackSupportMixin,
    fit_task,
    no_task,
)
from sksparse_nn._kinds import check_kind
from sksparse_nn._methods import fits
from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._transformers import AtomsTransformer
from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn._validation import (
    check_finite,
    check_mergeable,
    check_rows,
    check_weights,
    float_types,
    restored_on_error,
)
from sksparse_nn.decomposition._deferred import Deferred
from sksparse_nn.decomposition._reducer_rounds import ReducerRounds
from sksparse_nn.solvers.svd import (
    SOLVERS,
    Partition,
    Projector,
    SVDSolver,
    WeightedRows,
    are_squares_safe,
    begin_stream,
    check_squares,
    decompose,
    decompose_by_best,
    dtype_of,
    name_solver,
    partition_features,
    rank_rule,
    statistics_from,
    stream_solver,
    warn_if_clipped,
)

# What all solvers take from the estimator.
_SHARED = ("center", "random_state", "n_jobs")
# What some solvers read and others do not, and its default.
_OF_SOLVERS = {"tol": 1e-3, "max_passes": 12}


class TruncatedSVDReducer(CallbackSupportMixin, ReducerRounds, AtomsTransformer):
    """Coordinates in the leading right singular vectors, a group of features at a time.

    A sample ``x`` becomes ``(x - mean_) @ components_.T``. With groups, each group of
    features has a decomposition of its own, and the outputs stand side by side: for
    features that belong together, such as the pixels of one image row, that costs a
    small part of one decomposition of everything and keeps what is local.

    Parameters
    ----------
    n_components : int, float or "auto", default=0.99
        How much to keep.

        - float in (0, 1): the fewest components that together keep this share of the
          energy, the sum of the squares of `X` (about the mean with ``center=True``).
          The singular values of all groups are ranked together. The solver "krylov"
          stops at 128 components of a group, with a warning from `fit` that tells the
          share they keep: give an int for text and whatever else is that wide.
        - int: that many components, of each group. If the data hold fewer above
          rounding, those that they hold, with a warning from `fit`. For images 10 for
          each group of 32 features are a good first choice.
        - "auto": those that stand out of white noise of unknown level [1]_, judged in
          each group. Of standardised tables, whose columns share little, these are one
          to three.

        There is always at least one output, which is constant if the data are.

    groups : None, int or array-like of shape (n_features,), default=None
        Which features are decomposed together: None for all, an int for groups of that
        many neighbours (the last may be smaller), or a label for each feature. Labels
        are taken in the order in which they first appear.

    center : bool, default=False
        Whether to take the mean off the features. Sparse input stays sparse.

    whiten : bool, default=False
        Whether to bring the variances along principal directions to one.

        Each output is divided by the root of its ``explained_variance_``: its root mean
        square over the fitted samples, with ``center=True`` its deviation. Components
        that cannot be told from rounding are never kept, so this does not blow up.

    solver : {"auto", "gram", "krylov", "exact"} or SVDSolver, default="auto"
        How `fit` computes it.

        - "exact": LAPACK on each group, dense in float64, by blocks of samples. For
          what is small.
        - "gram": eigenvectors of the products of features, summed in one pass over
          blocks of samples. For many samples; groups of at most 5000 features. Singular
          values below the square root of the type's precision, relative to the largest
          of their group, are lost; float32 is multiplied in float64 where that takes
          hardly longer.
        - "krylov": block Krylov iteration [2]_, for what is wide. Stops by `tol`.
        - "auto": "gram" where that takes moments, or where up to 512 features in one
          group are dense; with products in float64 where float32 is not proven to be
          enough, and "exact" where neither is, so that no digit is lost. Of what is
          larger, "krylov" where a group has more features than there are samples, or
          more than 5000, and for at most ``n_features / 24 - 10`` components of all
          features together, 16 instead of 24 if `X` is sparse; else "gram". "exact" for
          less than 1000 samples that take moments, and for wide ones that do.
        - an object of a solver of your own, or of one of these with its parameters.

    tol : float, default=1e-3
        When to stop iterating.

        "krylov" stops at this relative residual of the singular triplets. An error if
        it is set and `solver` does not read it.

    max_passes : int, default=12
        Most times that "krylov" multiplies by the data and their transpose before its
        last steps. An error if it is set and `solver` does not read it.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They give the starting vectors of "krylov". The other solvers draw none.

    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.

        None is as many as BLAS takes: its own threads where groups are wide, ours
        otherwise.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        Right singular vectors, group after group, zero outside their group. Of the
        entries of largest magnitude, the first is positive. float64 if all samples came
        as that, float32 otherwise.

    component_groups_ : ndarray of shape (n_components_,)
        Group of each component.

    singular_values_ : ndarray of shape (n_components_,)
        Singular values, falling within each group, float64.

    explained_variance_ : ndarray of shape (n_components_,)
        Mean square of each output over the fitted samples, before whitening. With
        ``center=True`` the variance as in ``PCA``: the sum of squares over the number
        of samples less one. Weights count as repetitions; where they add up to less
        than 2, the sum of squares is divided by their sum.

    explained_variance_ratio_ : ndarray of shape (n_components_,)
        Share of the energy of all features that each component keeps; zero where there
        is none.

    mean_ : ndarray of shape (n_features_in_,)
        What is taken off each sample, float64: zeros without `center`.

    n_components_ : int
        Number of components of all groups together.

    groups_ : ndarray of shape (n_features_in_,)
        Group of each feature, numbered from 0.

    noise_ : ndarray of shape (n_groups,)
        Level of each group below which a singular value is taken for rounding.

    residuals_ : ndarray of shape (n_components_,)
        Relative residual ``||X'u - s v|| / s`` of each triplet, where ``v`` is the
        component and ``u = X v / s``, of the group's features, centred if asked for: a
        singular value of the data is at most this share of ``s`` away. The solvers
        "gram" and "sketch" do not see the data again and give bounds.

    n_passes_ : int
        Times the data were read, multiplying by them and their transpose: by "auto"
        more than once where the first products did not prove enough.

    solver_ : str
        The solver that was used, by its name or that of its class; after `partial_fit`
        "gram", or "sketch" where a group is wider than 5000 features.

    n_samples_seen_ : int
        Samples that have been fitted; those of weight zero do not count.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    SparseDictionaryCoder : Combinations of few out of many atoms.
    sklearn.decomposition.TruncatedSVD : Without groups, centring or streaming.
    sklearn.decomposition.PCA : The same as ``center=True`` on dense data.

    Notes
    -----
    `partial_fit` and `merge` add up products of features, exactly, whatever
    `solver` says. `fit` keeps these products, so that samples can be added to it
    afterwards; only where they would cost more than the decomposition, as with the
    solver "krylov" on data that are not small, it does not.

    Where a group is wider than 5000 features, `partial_fit` keeps a sketch instead: of
    the samples so far and each 512 that come, the ``2 * n_components + 10`` longest
    directions [3]_. No singular value is found too large, and `residuals_` bound how
    much too small they can be.

    References
    ----------
    .. [1] M. Gavish, D. L. Donoho, "The Optimal Hard Threshold for Singular Values is
       4/sqrt(3)", IEEE Transactions on Information Theory 60(8), 2014.
    .. [2] C. Musco, C. Musco, "Randomized Block Krylov Methods for Stronger and Faster
       Approximate Singular Value Decomposition", NeurIPS 2015.
    .. [3] D. Ross, J. Lim, R. Lin, M. Yang, "Incremental Learning for Robust Visual
       Tracking", International Journal of Computer Vision 77, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sksparse_nn import TruncatedSVDReducer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 64))
    >>> TruncatedSVDReducer(3).fit_transform(X).shape
    (200, 3)
    >>> reducer = TruncatedSVDReducer(2, groups=16).fit(X)
    >>> reducer.transform(X).shape
    (200, 8)
    >>> bool(reducer.explained_variance_ratio_.sum() < 1)
    True
    >>> whole = TruncatedSVDReducer(0.999, groups=16).fit(X)
    >>> np.allclose(whole.inverse_transform(whole.transform(X)), X)
    True
    """

    # What `transform` does without.
    _only_for_fitting = ("_state",)

    # After `partial_fit` and `merge`: the first two without a decomposition.
    solver_ = Deferred(lambda state, solver: name_solver(state))
    noise_ = Deferred(lambda state, solver: solver.noise(state))
    components_ = Deferred()
    component_groups_ = Deferred()
    singular_values_ = Deferred()
    explained_variance_ = Deferred()
    explained_variance_ratio_ = Deferred()
    mean_ = Deferred()
    n_components_ = Deferred()
    residuals_ = Deferred()
    n_passes_ = Deferred()

    _parameter_constraints: dict = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"auto"}),
        ],
        "groups": [None, Interval(Integral, 1, None, closed="left"), "array-like"],
        "center": ["boolean"],
        "whiten": ["boolean"],
        "solver": [StrOptions({"auto", *SOLVERS}), SVDSolver],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_passes": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int | float | str = 0.99,
        *,
        groups: int | ArrayLike | None = None,
        center: bool = False,
        whiten: bool = False,
        solver: str | SVDSolver = "auto",
        tol: float = 1e-3,
        max_passes: int = 12,
        random_state: Seed = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.groups = groups
        self.center = center
        self.whiten = whiten
        self.solver = solver
        self.tol = tol
        self.max_passes = max_passes
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fits
    def fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Decompose the samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample counts.

        Returns
        -------
        self : TruncatedSVDReducer
            The fitted transformer.

        Raises
        ------
        ValueError
            If the labels in `groups` are not one a feature, or the solver cannot do
            what is asked on data of this width.
        """
        given = X, y, sample_weight
        with fit_task(self, None, *given) as task, restored_on_error(self):
            self._fit(self._checked(X, reset=True), sample_weight, task)
        return self

    @fits
    def fit_transform(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray:
        """Decompose the samples and return their coordinates, checking them only once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample counts.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components_)
            Of type float64 if `X` is, float32 otherwise.
        """
        given = X, y, sample_weight
        with fit_task(self, None, *given) as task, restored_on_error(self):
            X = self._checked(X, reset=True)
            self._fit(X, sample_weight, task)
            return self._current_projector().project(X, self.n_jobs)

    def _fit(self, X, sample_weight, task):
        if not _is_auto(self.solver):
            SOLVERS.check_read(self.solver, vars(self), _OF_SOLVERS)
        rows = self._weighted_rows(X, sample_weight, reset=True)
        rule, report = rank_rule(self.n_components), self._report(task)
        parameters = {name: getattr(self, name) for name in (*_SHARED, *_OF_SOLVERS)}
        parameters["report"] = report
        if _is_auto(self.solver):
            best = decompose_by_best(rows, rule, SOLVERS, parameters)
            name, found, moments = best
        else:
            name = SOLVERS.name_of(self.solver)
            solver = SOLVERS.resolve(
                self.solver, parameters, _OF_SOLVERS, self._parameter_constraints
            )
            state = solver.prepare(rows)
            found = decompose(solver, state, rows.partition, rule)
            moments = solver.moments(rows, state)
        warn_if_clipped(rule, found, rows.X.shape)
        self._store_state(moments, rows.partition, rows.X.shape[0])
        self._store(found, name, rows.X.dtype)
        report(f"{self.n_components_} components by solver={name!r}")

    def _report(self, task=no_task):
        return ProgressLines(type(self).__name__, self.verbose, task)

    @fits
    def partial_fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Add samples to those fitted so far.

        All of them are decomposed when a result is first asked for, an attribute or
        `transform`. It is that of one `fit` of all samples by the solver "gram", or, in
        groups wider than 5000 features, close to it within `residuals_`. There is no
        warning if the samples so far hold fewer components than asked for.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, one or more.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample counts.

        Returns
        -------
        self : TruncatedSVDReducer
            The fitted transformer.

        Raises
        ------
        ValueError
            If an earlier `fit` kept nothing that could be added to, or if a group is
            wider than 5000 features and `n_components` is not an int.
        """
        with restored_on_error(self):
            if "n_samples_seen_" in vars(self):
                X = self._checked(X, reset=False)
                rows = self._weighted_rows(X, sample_weight, reset=False)
                state = self._known_state().add(rows, n_jobs=self.n_jobs)
                n_samples = self.n_samples_seen_ + rows.X.shape[0]
            else:
                state, n_samples = self._begin_stream(X, sample_weight)
            self._store_state(state, state.partition, n_samples)
        self._report()(f"{n_samples} rows so far")
        return self

    def _begin_stream(self, X, sample_weight):
        """Return the state of the first samples, and how many they are."""
        X = self._checked(X, reset=True)
        rows = self._weighted_rows(X, sample_weight, reset=True)
        state = begin_stream(rows, rank_rule(self.n_components), self.n_jobs)
        return state, rows.X.shape[0]

    def merge(self, other: Self) -> Self:
        """Add the samples that another reducer was fitted on.

        As with `partial_fit`, all of them are decomposed when a result is asked for.

        Parameters
        ----------
        other : TruncatedSVDReducer
            Fitted on other samples with the same features and groups. It does not
            change.

        Returns
        -------
        self : TruncatedSVDReducer
            Fitted on the samples of both.

        Raises
        ------
        ValueError
            If features or groups differ, or a `fit` of one of the two kept nothing
            that could be added to.
        """
        check_mergeable(self, other)
        if not np.array_equal(self.groups_, other.groups_):
            raise ValueError(
                f"merge needs two reducers of the same features in the same groups. "
                f"Got {self._described()} and {other._described()}, or other labels; "
                f"fit both with the same groups."
            )
        with restored_on_error(self):
            merged = self._known_state().merge(other._known_state())
            n_samples = self.n_samples_seen_ + other.n_samples_seen_
            self._store_state(merged, merged.partition, n_samples)
        return self

    def transform(self, X: MatrixLike) -> NDArray:
        """Return the coordinates of samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components_)
            Of type float64 if `X` is, float32 otherwise.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        return self._current_projector().project(X, self.n_jobs)

    def inverse_transform(self, X: ArrayLike) -> NDArray:
        """Return the samples that have given coordinates.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components_)
            Coordinates.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features_in_)
            The closest that the components come to the samples.

        Raises
        ------
        ValueError
            If the width of `X` is not `n_components_`.
        """
        check_is_fitted(self)
        check_structure(X)
        X = check_kind(X)
        Z = check_array(X, dtype=float_types(X))
        if Z.shape[1] != self.n_components_:
            raise ValueError(
                f"X must have one column for each of the {self.n_components_} "
                f"components. Got {Z.shape[1]}; give what transform returns."
            )
        return self._current_projector().restore(Z, self.n_jobs)

    def _checked(self, X, *, reset):
        """Check samples that are fitted, by one reading of them where all is well."""
        X = check_rows(self, X, reset=reset, ensure_all_finite=False)
        if not are_squares_safe(X):
            check_finite(self, X)
            check_squares(X)
        return X

    def _weighted_rows(self, X, sample_weight, *, reset):
        if reset:
            partition = partition_features(self.groups, X.shape[1])
        else:
            partition = Partition(self.groups_)
        if sample_weight is None:
            return WeightedRows(X, None, partition)
        X, weight = check_weights(X, sample_weight)
        return WeightedRows(X, weight, partition)

    def _described(self):
        return f"{self.n_features_in_} features in {self.groups_.max() + 1} groups"

    def _store(self, found, solver, dtype):
        squares = found.singular_values**2
        total = max(found.energy, squares.sum()) or 1
        vars(self).update(
            components_=found.components.astype(dtype, copy=False),
            component_groups_=found.component_groups,
            singular_values_=found.singular_values,
            explained_variance_=squares / self._degrees_of_freedom(found.weight),
            explained_variance_ratio_=squares / total,
            mean_=found.mean,
            n_components_=len(found.components),
            noise_=found.noise,
            residuals_=found.residuals,
            n_passes_=found.n_passes,
            solver_=solver,
        )
        self._projector = self._make_projector()

    def _degrees_of_freedom(self, weight):
        # The mean takes one, as in PCA, unless weights do not count repetitions.
        return weight - 1 if self.center and weight >= 2 else weight

    def _store_state(self, state, partition, n_samples):
        for name in (*_DEFERRED, "_projector"):
            vars(self).pop(name, None)
        self._state = state and state.arrays()
        self.groups_ = partition.labels
        self.n_samples_seen_ = n_samples

    def _known_state(self):
        if vars(self).get("_state") is None:
            raise ValueError(
                f"Samples can be added only where fit kept products of features. Got a "
                f"fit by solver={self.solver_!r} on data too large to keep them, or a "
                f"copy for prediction; use partial_fit from the first samples on, or "
                f"solver='gram' for groups of at most 5000 features."
            )
        return statistics_from(Partition(self.groups_), self._state)

    def _known_solver(self):
        """Return the state of all samples so far, and the solver that decomposes it."""
        state = self._known_state()
        return state, stream_solver(state, center=self.center)

    def _decompose(self):
        """Store the decomposition of all samples so far."""
        state, solver = self._known_solver()
        name, rule = name_solver(state), rank_rule(self.n_components)
        found = decompose(solver, state, state.partition, rule)
        self._store(found, name, dtype_of(state))
        self._report()(f"{self.n_components_} components by solver={name!r}")

    def _current_projector(self):
        if self.components_ is not self._projector.components:  # a user's own
            return self._make_projector()
        return self._projector

    def __getstate__(self):
        # Once here rather than in every copy, of which there is one a process.
        if vars(self).get("_state") and "components_" not in vars(self):
            self._decompose()
        # What a projector holds are copies; components of groups are mostly zero.
        state = {k: v for k, v in super().__getstate__().items() if k != "_projector"}
        components = state.get("components_")
        if components is not None and _is_thin(components):
            state["components_"] = sparse.csr_array(components)
        return state

    def __setstate__(self, state):
        components = state.get("components_")
        if sparse.issparse(components):
            check_structure(components, "components_")
            state = state | {"components_": components.toarray()}
        super().__setstate__(state)
        if "components_" in state:
            self._projector = self._make_projector()

    def _make_projector(self):
        return Projector(
            self.components_,
            self.component_groups_,
            self.groups_,
            mean=self.mean_,
            scale=np.sqrt(self.explained_variance_) if self.whiten else None,
        )


_DEFERRED = [
    name
    for name, value in vars(TruncatedSVDReducer).items()
    if isinstance(value, Deferred)
]


def _is_auto(solver):
    return isinstance(solver, str) and solver == "auto"


def _is_thin(components):
    return 4 * np.count_nonzero(components) < components.size
