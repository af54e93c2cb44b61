"""Sparse codes on the simplex, by distances to keys."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Self

from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions

from sksparse_nn._callbacks import (
    CallbackSupportMixin,
    fit_task,
    no_task,
)
from sksparse_nn._methods import available_if, fits
from sksparse_nn._progress import ProgressLines
from sksparse_nn._transformers import AtomsTransformer
from sksparse_nn._typing import Codes, MatrixLike, Seed
from sksparse_nn._validation import (
    check_container,
    check_fitted,
    check_mergeable,
    check_rows,
    restored_on_error,
)
from sksparse_nn.decomposition._attention_learning import (
    AttentionLearning,
    list_streaming,
)
from sksparse_nn.decomposition._attention_rounds import AttentionRounds
from sksparse_nn.solvers.simplex import (
    KEYS,
    MAPPINGS,
    AbstractKeys,
    AbstractMapping,
    encode,
    make_coding,
)
from sksparse_nn.solvers.svd import check_squares


def _goes_on_from_rows(estimator):
    if KEYS.look_up(estimator.keys).streams:
        return True
    raise AttributeError(
        f"partial_fit needs one of the keys {list_streaming()}. Got"
        f" {estimator.keys!r}, which are found from all rows at once."
    )


class SparseAttentionCoder(
    CallbackSupportMixin, AttentionRounds, AttentionLearning, AtomsTransformer
):
    """Say of each sample which few keys it is near, in shares that add up to one.

    Keys are points among the samples. A code is attention of a sample to the keys:
    sparsemax or entmax of half the squared distances over a temperature, which most
    keys leave at exactly zero. The temperature is found so that samples have `n_active`
    nonzeros on average. A code is a convex mixture of values, one a key.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of atoms.

        Atoms are called keys here. If there are fewer distinct samples, as many as
        there are, with a warning from `fit`. None is 128, or as many as there are
        distinct samples.

    mapping : {"sparsemax", "entmax15"} or AbstractMapping, default="sparsemax"
        How distances become a code.

        - "sparsemax": the Euclidean projection onto the simplex, piecewise linear;
        - "entmax15": entmax with exponent 1.5, smooth; of as many nonzeros the small
          ones are smaller;
        - an object of a mapping of your own.

    n_active : float or None, default=None
        Mean number of nonzeros per sample.

        At least one. With one almost every sample belongs to its nearest key alone;
        with more than there are keys, all are nonzero. None is half the number of keys,
        which serves a network; fewer are for codes that are read.

    iterate : bool, default=False
        Whether projected gradient steps go on from there, until the mixture of the keys
        is nearest to the sample: the coding step of archetypal analysis. Sparsemax is
        the projection of such a step, so `mapping` has to be "sparsemax". Codes then
        have as many nonzeros as that takes; `n_active` is where they start. Samples
        that one far larger key hides from each other are coded by differences, to the
        same tolerance relative to their own distances.

    keys : {"kmeans", "medoids", "learned"} or AbstractKeys, default="kmeans"
        Where the keys come from.

        - "kmeans": centres of clusters;
        - "medoids": the sample of each cluster that is nearest to its centre;
        - "learned": codes and keys in turn leave less of the samples. With one step,
          centres of clusters move towards their values; with `iterate` keys are
          archetypes, mixtures of samples on the border of the data. These are found
          from sums over all samples, whose rounding hides others beside a cell more
          than 1e6 times as large (100 times in float32): clip such a cell, or take
          other keys;
        - an object of a way of your own, or of one of these with its parameters.

    values_reg : float, default=1e-3
        Values are fitted to the samples by least squares and drawn towards the keys
        with this weight, a share of the mean square of an entry of the codes.

    max_epochs : int, default=50
        Passes over the samples, at most.

        In these the keys are learnt.

    max_iter : int, default=2000
        Steps per sample, at most, with `iterate`; without, an error if it is set.

    tol : float, default=1e-6
        When to stop iterating.

        With `iterate`, a sample is done when the duality gap of its code is at most
        this share of the largest squared norm of a key, or product with one, about
        their mean; without, an error if it is set.

    sparse_output : bool, default=True
        Whether codes come as a CSR matrix.

    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They give the samples that keys start from, and the samples that the temperature
        is found on where there are more than 4096, and more than eight per key.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per pass over the samples, and one per second while samples are coded.

    Attributes
    ----------
    keys_ : ndarray of shape (n_components, n_features)
        What samples are compared with.

    components_ : ndarray of shape (n_components, n_features)
        The atoms.

        Codes are multiplied by them in `inverse_transform`.

    temperature_ : float
        Half the squared distances are divided by it; in squared units of `X`.

    n_active_ : float
        Mean number of nonzeros of the samples seen in `fit` and `partial_fit`.

    medoid_indices_ : ndarray of shape (n_components,)
        Which samples the keys are. Only with ``keys="medoids"``.

    history_ : dict of ndarray of shape (n_iter_,)
        Values per epoch, an array per quantity.

        "objective" is what `keys` lowers, as a mean over the samples: half the squared
        distance to the nearest key, or for "learned" half the square of what the code
        leaves of the sample. It never rises in `fit`. A call of `partial_fit` adds the
        value for its samples, before the keys move.

    n_iter_ : int
        Number of epochs run.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    SparseDictionaryCoder : Codes of any sign and sum, which lose less of the samples.

    Notes
    -----
    For scores s and a temperature t, sparsemax(s / t) minimises
    ``|c|^2 t / 2 - <s, c>`` over the simplex. With half the squared distances to the
    keys as -s, that is the mean distance to keys under the code c, and a penalty that
    spreads it.

    Scaling `X` by a number scales `temperature_` by its square and changes no code, nor
    does adding the same sample to all.

    References
    ----------
    A. F. T. Martins, R. F. Astudillo (2016), From softmax to sparsemax: a sparse model
    of attention and multi-label classification. ICML.

    B. Peters, V. Niculae, A. F. T. Martins (2019), Sparse sequence-to-sequence models.
    ACL.

    A. Cutler, L. Breiman (1994), Archetypal analysis. Technometrics 36.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseAttentionCoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseAttentionCoder(64, n_active=3, random_state=0)
    >>> codes = coder.fit_transform(X)
    >>> codes.shape, round(codes.nnz / len(X), 1)
    ((1797, 64), 3.0)
    >>> bool(abs(codes.sum(axis=1) - 1).max() < 1e-6)
    True
    """

    # What `transform` does without.
    _only_for_fitting = ("_state",)

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "mapping": [StrOptions(set(MAPPINGS)), AbstractMapping],
        "n_active": [Interval(Real, 1, None, closed="left"), None],
        "iterate": ["boolean"],
        "keys": [StrOptions(set(KEYS)), AbstractKeys],
        "values_reg": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="neither")],
        "sparse_output": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        mapping: str | AbstractMapping = "sparsemax",
        n_active: float | None = None,
        iterate: bool = False,
        keys: str | AbstractKeys = "kmeans",
        values_reg: float = 1e-3,
        max_epochs: int = 50,
        max_iter: int = 2000,
        tol: float = 1e-6,
        sparse_output: bool = True,
        n_jobs: int | None = None,
        random_state: Seed = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.mapping = mapping
        self.n_active = n_active
        self.iterate = iterate
        self.keys = keys
        self.values_reg = values_reg
        self.max_epochs = max_epochs
        self.max_iter = max_iter
        self.tol = tol
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fits
    def fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Find keys, the temperature and values.

        Ctrl-C keeps the passes that are done, with a warning, where your own code calls
        this method or that of a pipeline which ends here; else it is raised.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the samples. A weight is as good as repetition where the
            temperature is found on all samples, and on average otherwise.

        Returns
        -------
        self : SparseAttentionCoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If parameters contradict each other or the data.
        """
        n_passes = self._learner().most_passes(self.iterate)
        given = X, y, sample_weight
        with fit_task(self, n_passes, *given) as task, restored_on_error(self):
            self._fit(X, sample_weight, task)
        return self

    @available_if(_goes_on_from_rows)
    @fits
    def partial_fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Go on from more samples, taken once, so that their order counts.

        The first samples are fitted as `fit` does. So they determine the number of
        keys: if they have fewer distinct samples than `n_components`, there are as many
        keys as distinct samples, with a warning. Further samples go on from there or
        from `fit`.

        Each key stays the mean of the samples that were nearest to it when they came:
        mini-batch k-means. The temperature is the mean of those that suit the samples
        of each call, by their weight. The values are fitted to all samples, each coded
        with the keys after the call that it came in.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, one or more; taken in the float type of the first.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the samples; as good as repetition, as in `fit`.

        Returns
        -------
        self : SparseAttentionCoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If parameters contradict each other or the data, or an earlier `fit` kept
            nothing that could be added to.
        """
        with restored_on_error(self):
            if hasattr(self, "keys_"):
                self._go_on(X, sample_weight)
            else:
                self._fit(X, sample_weight)
        return self

    def merge(self, other: Self) -> Self:
        """Take over what another coder has learnt from other samples.

        The other's keys are matched with the own ones, one to one, and each pair gives
        its mean by the samples behind it; the sums that values are fitted from add up.
        Best are two coders that went on from one, so that keys have partners.

        Parameters
        ----------
        other : SparseAttentionCoder
            Fitted with the same kind of keys on samples of the same width, with as many
            keys. It does not change.

        Returns
        -------
        self : SparseAttentionCoder
            Fitted on the samples of both; `history_` stays its own.

        Raises
        ------
        ValueError
            If keys differ in shape, or a fit kept nothing that could be added to.
        """
        check_mergeable(self, other)
        if self.keys_.shape != other.keys_.shape:
            raise ValueError(
                "merge needs two coders with as many keys and features. Got"
                f" {self.keys_.shape} and {other.keys_.shape}; fit both with the same"
                " n_components on the same features."
            )
        states = [coder._known_state() for coder in (self, other)]
        with restored_on_error(self):
            self._store(states[0].merge(states[1]))
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
            Codes in the float type of `X`, not below zero, which add up to one per
            sample.
        """
        check_fitted(self, "keys_")
        check_container(self)
        X = check_rows(self, X, reset=False)
        check_squares(X, vanishing=False)
        return encode(
            make_coding(self._mapping(), self.temperature_, self._converged()),
            self.keys_,
            X,
            n_jobs=self.n_jobs,
            sparse_output=self.sparse_output,
            report=self._report(),
        )

    def _report(self, task=no_task):
        return ProgressLines(type(self).__name__, self.verbose, task)

    def _mapping(self):
        return MAPPINGS.resolve(self.mapping, self.get_params(deep=False))

    def _converged(self):
        return {"max_iter": self.max_iter, "tol": self.tol} if self.iterate else None
