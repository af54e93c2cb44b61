"""Sparse codes in a dictionary, learnt or given."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real
from operator import attrgetter
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._methods import available_if, fits
from sksparse_nn._progress import ProgressLines
from sksparse_nn._transformers import AtomsTransformer
from sksparse_nn._typing import Codes, MatrixLike, Seed
from sksparse_nn._validation import (
    check_container,
    check_fitted,
    check_mergeable,
    check_rows,
    check_weights,
    restored_on_error,
    warn_once,
)
from sksparse_nn.decomposition._coder_algorithms import (
    OF_ALGORITHMS,
    average_alphas,
    make_coding_algorithm,
)
from sksparse_nn.decomposition._dictionary_learning import DictionaryLearning
from sksparse_nn.decomposition._dictionary_rounds import DictionaryRounds
from sksparse_nn.decomposition._remembered import remember_atoms, remember_coder
from sksparse_nn.solvers.coding import (
    CODERS,
    AbstractCoder,
    describe_zero_codes,
    encode_with,
)
from sksparse_nn.solvers.dictionary import (
    INITS,
    LEARNERS,
    AbstractLearner,
    DictionaryState,
)
from sksparse_nn.solvers.svd import check_squares


def _codes_approximate(estimator):
    if CODERS.look_up(estimator.algorithm).approximates:
        return True
    raise AttributeError(
        f"Codes of algorithm={estimator.algorithm!r} do not add up to rows, so that"
        " there is no inverse_transform."
    )


def _learns_from_streams(estimator):
    if estimator.learner is None or LEARNERS.look_up(estimator.learner).streams:
        return True
    able = [name for name in LEARNERS if LEARNERS[name].streams]
    raise AttributeError(
        f"partial_fit needs one of the learners {able}. Got {estimator.learner!r},"
        " which codes all rows before it moves the atoms."
    )


class SparseDictionaryCoder(
    CallbackSupportMixin, DictionaryRounds, DictionaryLearning, AtomsTransformer
):
    """Write each sample with few atoms of a dictionary, learnt from data or given.

    A sample x becomes a sparse code c such that c D is near x, D being the dictionary.
    The codes are what a network or any other estimator then sees: few numbers per
    sample, each the share of one atom.

    The first six parameters are those that matter most. Behind them stand those of
    the sparsity, `l1_ratio` to `atom_weights`; of learning, `learner` to `warm_start`;
    and of input and output, `allow_nan` to `verbose`. A parameter that is set, but
    that `algorithm` or `learner` does not read, is an error.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of atoms.

        None: as many as an array `init` has; without one as many as there are features,
        at most 256.

    algorithm : {"omp", "ols", "lasso", "elastic_net", "threshold", \
            "soft_threshold", "top_k", "triangle"} or AbstractCoder, default="lasso"
        How a code is found.

        - "lasso": the minimum of ||x - c D||^2 / 2 + `alpha` |c|_1;
        - "elastic_net": the minimum of ||x - c D||^2 / 2 + `alpha` (`l1_ratio` |c|_1 +
          (1 - `l1_ratio`) |c|^2 / 2);
        - "omp": orthogonal matching pursuit, next the atom that correlates best with
          what is left of the sample, until `n_nonzero_coefs`, `residual_tol` or
          `abs_residual_tol` is met;
        - "ols": the same, next the atom that lowers the error most;
        - "threshold": products with the atoms, where larger than `alpha`;
        - "soft_threshold": the same, brought nearer to zero by `alpha`;
        - "top_k": the `n_nonzero_coefs` largest products;
        - "triangle": by how much an atom is nearer than atoms are on average;
        - an object of an algorithm of your own, or of one of these with its parameters,
          such as ``Lasso(alpha=0.1)``; those are then not set here.

        The four before the last look at the sample once and are the fastest. They are
        for classification, on data that are centred; samples cannot be rebuilt from
        them. Their dictionaries are learnt with pursuit: "top_k" with "omp", the others
        with one atom per sample.

    alpha : float or None, default=None
        Weight of the penalty of "lasso" and "elastic_net", level of "threshold" and
        "soft_threshold"; in the units of `X`. None: 0.03 of the root mean square norm
        of the samples seen in `fit`, for atoms of unit norm; the quadratic penalty of
        "elastic_net" is then 0.03 (1 - `l1_ratio`) |c|^2 / 2. So neither the unit of
        `X` nor that of the atoms changes which atoms a sample has. Where `alpha` leaves
        the codes of all samples zero, `fit` and `transform` warn and name the largest
        one that does not.

    n_active : float or None, default=None
        Mean number of nonzeros per sample.

        In place of `alpha`, which then follows from the samples: it is found for the
        atoms to start from, and again for those that are learnt. In `partial_fit` it is
        that of the last samples. A network that tunes the coder holds the number too.

    n_nonzero_coefs : int or None, default=None
        Nonzero codes per sample, at most.

        Read by "omp", "ols" and "top_k". None: a tenth of the number of features but at
        least five, or no bound where a tolerance is given. More than there are atoms,
        or for a pursuit features, makes `fit` warn.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They give the initial atoms, the held-out samples and the mini-batches.

    l1_ratio : float, default=0.5
        Share of the l1 norm in the penalty of "elastic_net"; with one it is the lasso.

    residual_tol : float or None, default=None
        For "omp" and "ols": a sample is done when the squared norm of what is left is
        at most this share of the sample's squared norm, less than one.

    abs_residual_tol : float or None, default=None
        The same with the squared norm itself, for a known level of noise.

    positive_code : bool, default=False
        Whether codes must not be negative; for "lasso", "elastic_net" and
        "soft_threshold".

    atom_weights : array-like of shape (n_components,) or None, default=None
        For "lasso", "elastic_net", "threshold" and "soft_threshold": positive factors
        of `alpha`, one an atom. A large one makes an atom rare.

    learner : {"online", "ksvd", "exact_ksvd", "mod"}, AbstractLearner or None, \
            default="online"
        How the dictionary is learnt.

        - "online": the atoms move after each mini-batch; the fastest on many samples;
        - "ksvd": after coding all samples, each atom moves together with its
          coefficients, by a step of the power method, or by an SVD with "exact_ksvd";
        - "mod": after coding all samples, all atoms move at once, by least squares;
        - None: the atoms of `init` are kept. Setting what only learning reads, from
          `max_epochs` to `warm_start`, is then an error;
        - an object of a learner of your own, or of one of these with its parameters.

        K-SVD and MOD fit by least squares and so do not go with "lasso" and
        "elastic_net"; set ``algorithm="omp"`` for them.

    init : {"random", "k-means++", "svd"} or array-like of shape \
            (n_components, n_features), default="random"
        Where the atoms start:

        - "random": samples drawn at random;
        - "k-means++": samples drawn one after another, those far from all atoms so far,
          up to their sign, more likely;
        - "svd": the right singular vectors, then samples;
        - array-like: these atoms. Their norms may differ from one; with
          ``learner=None`` the codes are then in their scale.

    positive_dict : bool, default=False
        Whether learnt atoms must not have entries below zero.

    max_epochs : int, default=10
        Passes over the samples, at most.

    batch_size : int, default=512
        Samples per mini-batch.

        After each, "online" moves the atoms. Where a sample has about one atom or less,
        as with a large `abs_residual_tol`, some thousand samples are better.

    shuffle : bool, default=True
        Whether "online" takes the samples in random order. Without, one epoch is what
        `partial_fit` does with the same samples in pieces: initial atoms and ``alpha_``
        then come from the first samples, `batch_size` or three an atom, whichever is
        more.

    forgetting : float, default=8.0
        For "online": of t mini-batches the one with number i counts as
        (i / t) ** `forgetting`, as early codes belong to atoms that have moved since;
        and none longer than for an epoch. Zero forgets nothing.

    early_stopping : bool, default=False
        Whether to stop before `max_epochs` once there is no improvement.

        What is to improve is the objective, which falls.

    validation_fraction : float or None, default=0.1
        Share of the samples that are held out from training to stop by. None stops by
        the samples that are learnt from.

    n_iter_no_change : int, default=5
        Epochs without improvement after which to stop.

    tol : float, default=1e-3
        When to stop iterating.

        With `early_stopping`, the share of the best objective so far by which it has to
        fall to be an improvement.

    warm_start : bool, default=False
        Whether `fit` goes on from the former fit.

        It starts from the atoms of that fit.

    allow_nan : bool, default=False
        Whether NaN in `X` is a missing value. A sample is then coded on the entries
        that it has, and `inverse_transform` of its code fills in the others. While
        learning they are filled in so at every mini-batch. Each pattern of gaps costs a
        Gram matrix of the atoms.

    split_sign : bool, default=False
        Whether positive and negative values get columns of their own, so that no output
        is negative.

        The columns of the negative values stand behind the others.

    sparse_output : bool, default=True
        Whether codes come as a CSR matrix.

    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per epoch, and one per second while samples are coded.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The atoms.

        They have unit norm where they are learnt.

    n_iter_ : int
        Number of epochs run.

    history_ : dict of ndarray of shape (n_iter_,)
        Values per epoch, an array per quantity.

        "objective" is the mean over the samples, while learning, of half the squared
        norm of what a code leaves and of its penalty; "validation_objective" the same
        of the held-out samples, after the epoch, or NaN; "n_nonzero" the mean number of
        atoms per sample; "gap" the largest relative duality gap of a code; "n_replaced"
        the atoms replaced. All samples of `partial_fit` are one epoch.

    usage_ : ndarray of shape (n_components,)
        Samples, or their weight, that each atom served during the last epoch; zero for
        an idle atom. Only with a learner.

    alpha_ : float
        What ``alpha=None`` stands for.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    TruncatedSVDReducer : Few dense directions instead of many sparse ones.

    Notes
    -----
    Callbacks of scikit-learn, where its version has them, are told of each epoch of
    `fit`.

    Atoms that serve no sample, and the less used of two that are alike, are replaced
    after each mini-batch by what is left of the samples that are served worst. So data
    with a large common offset use all atoms too.

    When there are fewer distinct samples than atoms, `fit` warns; the atoms beyond stay
    random directions, and `usage_` is zero for those that remain idle. `partial_fit`
    does not warn, as more samples may come.

    References
    ----------
    R. Rubinstein, M. Zibulevsky, M. Elad (2008), Efficient implementation of the K-SVD
    algorithm using batch orthogonal matching pursuit. Technion CS-2008-08.

    J. Mairal, F. Bach, J. Ponce, G. Sapiro (2010), Online learning for matrix
    factorization and sparse coding. JMLR 11.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(
    ...     100, algorithm="omp", n_nonzero_coefs=5, random_state=0
    ... )
    >>> codes = coder.fit_transform(X)
    >>> codes.shape, int(codes.nnz / len(X))
    ((1797, 100), 5)
    >>> error = ((X - coder.inverse_transform(codes)) ** 2).sum() / (X**2).sum()
    >>> bool(error < 0.1)
    True
    """

    # What `transform` does without.
    _only_for_fitting = ("_state", "history_")

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "algorithm": [StrOptions(set(CODERS)), AbstractCoder],
        "alpha": [Interval(Real, 0, None, closed="left"), None],
        "n_active": [Interval(Real, 0, None, closed="neither"), None],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "l1_ratio": [Interval(Real, 0, 1, closed="right")],
        "residual_tol": [Interval(Real, 0, 1, closed="left"), None],
        "abs_residual_tol": [Interval(Real, 0, None, closed="left"), None],
        "positive_code": ["boolean"],
        "atom_weights": ["array-like", None],
        "learner": [StrOptions(set(LEARNERS)), AbstractLearner, None],
        "init": [StrOptions(set(INITS)), "array-like"],
        "positive_dict": ["boolean"],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "forgetting": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "warm_start": ["boolean"],
        "allow_nan": ["boolean"],
        "split_sign": ["boolean"],
        "sparse_output": ["boolean"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        algorithm: str | AbstractCoder = "lasso",
        alpha: float | None = None,
        n_active: float | None = None,
        n_nonzero_coefs: int | None = None,
        random_state: Seed = None,
        l1_ratio: float = 0.5,
        residual_tol: float | None = None,
        abs_residual_tol: float | None = None,
        positive_code: bool = False,
        atom_weights: ArrayLike | None = None,
        learner: str | AbstractLearner | None = "online",
        init: str | ArrayLike = "random",
        positive_dict: bool = False,
        max_epochs: int = 10,
        batch_size: int = 512,
        shuffle: bool = True,
        forgetting: float = 8.0,
        early_stopping: bool = False,
        validation_fraction: float | None = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 1e-3,
        warm_start: bool = False,
        allow_nan: bool = False,
        split_sign: bool = False,
        sparse_output: bool = True,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.algorithm = algorithm
        self.alpha = alpha
        self.n_active = n_active
        self.n_nonzero_coefs = n_nonzero_coefs
        self.random_state = random_state
        self.l1_ratio = l1_ratio
        self.residual_tol = residual_tol
        self.abs_residual_tol = abs_residual_tol
        self.positive_code = positive_code
        self.atom_weights = atom_weights
        self.learner = learner
        self.init = init
        self.positive_dict = positive_dict
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.forgetting = forgetting
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.allow_nan = allow_nan
        self.split_sign = split_sign
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fits
    def fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the dictionary, or take the given one.

        Ctrl-C keeps the epochs that are done, with a warning, where your own code calls
        this method or that of a pipeline which ends here; else it is raised.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the samples. A weight is as good as repetition where the samples
            fit in one mini-batch, and on average otherwise.

        Returns
        -------
        self : SparseDictionaryCoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If parameters contradict each other or the data.
        """
        given = X, y, sample_weight
        with fit_task(self, self._most_epochs, *given) as task, restored_on_error(self):
            X, weights = self._fit(task, X, sample_weight)
            warn_once(*self._beyond_the_data(X, weights))
        return self

    @fits
    def fit_transform(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Codes:
        """Learn the dictionary and code the samples with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the samples. All are coded, those of weight zero too.

        Returns
        -------
        codes : CSR matrix or ndarray of shape (n_samples, n_components)
            Codes in the float type of `X`; twice as wide with ``split_sign=True``.
        """
        check_container(self)
        given = X, y, sample_weight
        with fit_task(self, self._most_epochs, *given) as task, restored_on_error(self):
            learnt_from = self._fit(task, X, sample_weight)
            warn_once(*self._beyond_the_data(*learnt_from))
            return self._encode(self._check_rows(X, reset=False))

    @property
    def _most_epochs(self):
        return 0 if self.learner is None else self.max_epochs

    def _fit(self, task, X, sample_weight):
        """Fit, and return the checked samples that count, and their weights."""
        warm = self.warm_start and hasattr(self, "components_")
        X, weights = self._check_samples(X, sample_weight, reset=not warm)
        self._check_choices()
        if self.learner is None:
            self._keep_dictionary(X, weights)
            return X, weights
        rng = check_random_state(self.random_state)
        if not warm:
            start = self._start(*self._pick_first(X, weights), rng)
        else:
            start = self._read_former(X)
        self._learn(task, start, X, weights, rng)
        self._fit_alpha(self.components_, X, weights)
        return X, weights

    @available_if(_learns_from_streams)
    @fits
    def partial_fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from more samples, taken once and in their order.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, one or more. They are learnt from as soon as they fill a
            mini-batch; what the coder knows is, at any time, what `fit` with
            ``shuffle=False`` and ``max_epochs=1`` knows of all samples so far.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the samples.

        Returns
        -------
        self : SparseDictionaryCoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If parameters contradict each other or the data.
        """
        with restored_on_error(self):
            first = not hasattr(self, "components_")
            X, weights = self._check_samples(X, sample_weight, reset=first)
            self._check_choices()
            if self.learner is None:
                return self._keep_dictionary(X, weights)
            if not first:
                self._read_former(X)
            self._stream(X, weights)
            self._fit_alpha(self.components_, X, weights)
        return self

    def merge(self, other: Self) -> Self:
        """Take over what another coder has learnt from other samples.

        The other's atoms are matched with the own ones, what both have learnt is added,
        and the atoms are fitted to the sum. So parts of the data can be learnt from on
        different machines; best from one dictionary, so that atoms have partners.

        Parameters
        ----------
        other : SparseDictionaryCoder
            Fitted with a learner on samples of the same width, with as many atoms. It
            does not change.

        Returns
        -------
        self : SparseDictionaryCoder
            Fitted on the samples of both.

        Raises
        ------
        ValueError
            If one of the two has learnt nothing, or their dictionaries differ in shape.
        """
        check_mergeable(self, other)
        if self.components_.shape != other.components_.shape:
            raise ValueError(
                "merge needs two coders with as many atoms and features. Got"
                f" {self.components_.shape} and {other.components_.shape}."
            )
        are_learnt = all(hasattr(coder, "_state") for coder in (self, other))
        if self.learner is None or not are_learnt:
            raise ValueError(
                "merge needs two coders that have learnt. Got one with learner=None."
            )
        one, two = (_state_of_atoms(coder, self._plan()) for coder in (self, other))
        state = one.merge(two)
        weights = [one.reached.weight, two.reached.weight]
        self.alpha_ = average_alphas([self.alpha_, other.alpha_], weights)
        self._store(state, self.history_)
        return self

    def transform(self, X: MatrixLike) -> Codes:
        """Code samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : CSR matrix or ndarray of shape (n_samples, n_components)
            Codes in the float type of `X`; twice as wide with ``split_sign=True``.
        """
        check_fitted(self, "components_")
        check_container(self)
        return self._transform(self._check_rows(X, reset=False))

    def _transform(self, X):
        codes = self._encode(X)
        if X.shape[0] > 1 and not _has_nonzero(codes):  # of one row it says little
            X = self._fill(X)
            coder = self._coder(len(self.components_))
            warn_once(describe_zero_codes(coder, self.components_, X))
        return codes

    def _multiply_adds(self, X):
        codes = self.transform(X)
        n_values = codes.nnz if sparse.issparse(codes) else np.count_nonzero(codes)
        shape = self.components_.shape
        return self._coder(shape[0]).work(*shape, n_values / codes.shape[0])

    @available_if(_codes_approximate)
    def inverse_transform(self, X: MatrixLike) -> NDArray:
        """Rebuild samples from codes of a pursuit or of a penalty.

        The codes of "threshold", "soft_threshold", "top_k" and "triangle" add up to
        more than the samples where atoms are alike, so that there is no such method.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            Sums of atoms.

        Raises
        ------
        ValueError
            If the width is not that of the codes.
        """
        return super().inverse_transform(X)

    def _reconstruct(self, codes):
        if self.split_sign:
            n_atoms = len(self.components_)
            codes = codes[:, :n_atoms] - codes[:, n_atoms:]
        return super()._reconstruct(codes)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allow_nan
        return tags

    @property
    def _n_features_out(self):
        return super()._n_features_out * (2 if self.split_sign else 1)

    def _check_rows(self, X, reset):
        finite = "allow-nan" if self.allow_nan else True
        return check_rows(self, X, reset=reset, ensure_all_finite=finite)

    def _check_samples(self, X, sample_weight, reset):
        X = self._check_rows(X, reset=reset)
        if self.learner is not None:  # it adds up squares
            check_squares(X, vanishing=False)
        return check_weights(X, sample_weight)

    def _encode(self, X):
        coder = self._coder(len(self.components_))
        return encode_with(
            coder,
            remember_atoms(self, coder, self.components_, X.dtype),
            X,
            n_jobs=self.n_jobs,
            sparse_output=self.sparse_output,
            split_sign=self.split_sign,
            report=self._report(),
        )

    def _report(self):
        return ProgressLines(type(self).__name__, self.verbose)

    def _coder(self, n_atoms):
        is_name = isinstance(self.algorithm, str)
        values = self.alpha_, n_atoms, is_name and CODERS.get(self.algorithm)
        values += _read_parameters_of_coding(self)
        return remember_coder(self, values, partial(self._make_coder, n_atoms))

    def _make_coder(self, n_atoms):
        self._validate_params()
        return make_coding_algorithm(
            self.get_params(deep=False),
            self._parameter_constraints,
            self.alpha_,
            n_atoms,
        )


_read_parameters_of_coding = attrgetter(
    *OF_ALGORITHMS, "algorithm", "allow_nan", "n_jobs", "sparse_output", "split_sign"
)


def _state_of_atoms(coder, plan):
    """Return the state of a coder, whose atoms may be a user's own by now."""
    own = {"dictionary": coder.components_, "usage": coder.usage_}
    return DictionaryState.from_arrays(coder._state | own, plan)


def _has_nonzero(codes):
    return bool((codes.data if sparse.issparse(codes) else codes).any())
