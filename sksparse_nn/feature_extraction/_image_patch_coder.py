"""Sparse features of images by their patches."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sksparse_nn._callbacks import (
    CallbackSupportMixin,
    fit_task,
    no_task,
)
from sksparse_nn._kinds import check_kind
from sksparse_nn._methods import available_if, fits
from sksparse_nn._progress import ProgressLines
from sksparse_nn._transformers import FloatTransformer
from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn._validation import (
    check_mergeable,
    check_rows,
    check_weights,
    restored_on_error,
    warn_once,
)
from sksparse_nn.feature_extraction._patch_learning import PatchLearning
from sksparse_nn.feature_extraction._patch_rounds import PatchRounds
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers.coding import AbstractCoder
from sksparse_nn.solvers.dictionary import (
    INITS,
    AbstractLearner,
    count_directions,
    normalise_atoms,
)
from sksparse_nn.solvers.patches import (
    ENCODERS,
    LEARNERS,
    POOLINGS,
    PatchEncoder,
    Pooling,
    check_scale,
    draw_patches,
    float_type,
    make_encoder,
    prepare_encoder,
    read_layout,
    reconstruct_images,
    restore_layout,
)

# Defaults of the parameters that only some encoders read.
_OF_ENCODERS = {"alpha": 0.25, "n_nonzero_coefs": None}

# Patches on which the multiply-adds of an encoder are estimated.
_COUNTED_PATCHES = 1000


def _approximates(estimator):
    return ENCODERS.look_up(estimator.algorithm).approximates


def _learns_from_streams(estimator):
    learner = estimator.learner
    if learner is None or LEARNERS.look_up(learner).streams:
        return True
    able = [name for name in LEARNERS if LEARNERS[name].streams]
    raise AttributeError(
        f"partial_fit needs one of the learners {able}, or None. Got {learner!r}, "
        "which codes all patches before it moves the atoms."
    )


class ImagePatchCoder(
    CallbackSupportMixin, PatchRounds, PatchLearning, FloatTransformer
):
    """Sparse features of images: codes of patches, pooled over regions.

    Each sample is a flattened image. Its patches are normalised in brightness and
    contrast, whitened and encoded with atoms that were learnt from such patches. The
    codes are pooled over a grid of regions. A linear model on these features comes near
    to small convolutional networks [1]_ [2]_.

    Parameters
    ----------
    n_components : int, default=400
        Number of atoms.

    image_shape : tuple of int, default=None
        Height and width of the images, and for colour images the number of channels,
        first or last. None takes samples for square images: of one channel if their
        width is a square number, such as 784, and of three channels if it is three
        times one, such as 3072. Channels then come one after the other, as in CIFAR-10,
        unless `channel_axis` is last. Other widths are an error. (1, -1) takes each
        sample for one row of pixels of any length.

    channel_axis : {0, 2, -1} or None, default=None
        Axis of the channels in an `image_shape` of three. None takes the first axis if
        it is shorter than the last one, and otherwise the last.

    patch_size : int or tuple of int, default=6
        Height and width of a patch, in pixels. With ``image_shape=(1, -1)`` a patch is
        one pixel high and at most as wide as the image.

    stride : int, default=1
        Distance between neighbouring patches, in pixels.

    algorithm : str, AbstractCoder or PatchEncoder, default="soft_threshold"
        How the codes of a patch are found:

        - "soft_threshold": products with unit atoms, shrunk towards zero by `alpha`;
        - "threshold": products whose magnitude exceeds `alpha`;
        - "top_k": the `n_nonzero_coefs` largest products;
        - "triangle": the mean distance from all atoms minus that from each, if
          positive;
        - "hard_assignment": one for the nearest atom;
        - "omp", "ols": codes of `n_nonzero_coefs` atoms by orthogonal matching pursuit
          or orthogonal least squares;
        - "lasso", "elastic_net": codes of the lasso or the elastic net with penalty
          `alpha`;
        - an object: a custom algorithm, or one of these with all its parameters, such
          as ``ElasticNet(alpha=0.25, l1_ratio=0.9)``.

    alpha : float, default=0.25
        Threshold, or penalty of the lasso and the elastic net. Along each principal
        direction whitened patches have the variance v / (v + `whiten_reg`), where v is
        that of patches of normalised contrast, about one on average. With the defaults
        the values of whitened patches had a variance of 0.16 for photographs and 0.33
        for digits. If all values are zero, `fit` and `transform` warn and name the
        largest useful `alpha`. An error if it is set and `algorithm` does not read it.

    n_nonzero_coefs : int or None, default=None
        Nonzero codes per sample, at most.

        Here a sample is a patch. Read by "omp", "ols" and "top_k". None means a tenth
        of the number of values of a patch, but at least five. An error if it is set and
        `algorithm` does not read it.

    contrast_reg : float, default=0.01
        Added to the variance of a patch before the patch is divided by its standard
        deviation, as a share of the mean variance of patches. Flat patches keep a lower
        contrast than others.

    whiten : {"zca"} or None, default="zca"
        Whether to bring the variances along principal directions to one.

        "zca" does so for patches, up to `whiten_reg`, and rotates them back, so that
        they stay patches of images.

    whiten_reg : float, default=1.0
        Added to the variance along each principal direction of patches, which is about
        one on average. Weak directions, which are mostly noise, stay weaker than
        others. The published value for images without compression loss is 0.1 [1]_.

    pooled_shape : int or tuple of int, default=2
        Number of rows and columns of the grid of regions.

    pooling : {"sum", "mean", "max"}, default="sum"
        Statistic of the values of a region.

    split_sign : bool, default=True
        Whether positive and negative values get columns of their own, so that no output
        is negative.

        They are pooled separately. Values of "triangle" and "hard_assignment" are never
        negative.

    init : {"random", "k-means++", "svd"} or array-like of shape \
            (n_components, patch_width), default="random"
        Where the atoms start:

        - "random": patches drawn at random;
        - "k-means++": patches that are far apart;
        - "svd": singular vectors of the patches, then patches if more are needed;
        - array-like: given atoms of whitened patches. A patch is flattened by row,
          column and channel.

    learner : str, AbstractLearner or None, default="online"
        How the atoms are learnt: "kmeans" takes the centres of clusters; "online",
        "ksvd", "exact_ksvd" and "mod" are those of `SparseDictionaryCoder`, with the
        codes of `algorithm` if these approximate patches, and otherwise with one atom
        per patch (gain-shape clustering, OMP-1). None keeps the atoms of `init`. An
        object is a custom learner, or one of these with its parameters.

    n_patches : int, default=100_000
        Maximum number of patches to learn from, drawn at random.

    max_epochs : int, default=10
        Passes over the samples, at most.

        The samples are patches. An error if it is set with ``learner=None`` or
        "kmeans", which runs until convergence, for at most fifty iterations.

    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.

        "kmeans" uses the threads of OpenMP instead.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They concern the patches, the initial atoms and the mini-batches.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`, and one per second while images are encoded.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, patch_width)
        The atoms.

        They are those of whitened patches.

    whitening_ : ndarray of shape (patch_width, patch_width)
        Matrix that multiplies patches of normalised contrast minus `patch_mean_`.

    patch_mean_ : ndarray of shape (patch_width,)
        Mean of the patches of normalised contrast.

    contrast_reg_ : float
        Added to the variance of each patch.

    history_ : dict of ndarray of shape (n_iter_,)
        Values per epoch, an array per quantity.

        "objective" is the mean objective of the learner per patch. It is empty if
        nothing is learnt in epochs. A later chunk of `partial_fit` is one epoch.

    n_iter_ : int
        Number of epochs run.

    image_shape_ : tuple of int
        Height, width and number of channels.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where `X` had names that are strings.

    See Also
    --------
    SparseDictionaryCoder : Codes of whole samples.

    Notes
    -----
    Outputs are ordered by row and column of the grid; within a region the positive
    values of all atoms come first, then the negative ones.

    A few images are processed at a time: their patches are gathered, multiplied by
    atoms that contain the whitening, encoded and pooled while they are in cache. All
    patches of all images never exist at once.

    Features do not depend on the unit of pixels, such as bytes or numbers from 0 to 1,
    up to rounding.

    `fit` warns if there are more atoms than distinct patches, or if `n_nonzero_coefs`
    is more than a patch can have.

    `algorithm`, its parameters, `pooling` and `split_sign` may be changed after `fit`;
    other changes have no effect until the next `fit`.

    References
    ----------
    .. [1] A. Coates, H. Lee, A. Y. Ng (2011), An analysis of single-layer networks in
       unsupervised feature learning. AISTATS.

    .. [2] A. Coates, A. Y. Ng (2011), The importance of encoding versus training with
       sparse coding and vector quantization. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import ImagePatchCoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = ImagePatchCoder(
    ...     48, image_shape=(8, 8), patch_size=4, max_epochs=2, random_state=0
    ... )
    >>> coder.fit_transform(X).shape
    (1797, 384)
    """

    # What `transform` does without.
    _only_for_fitting = ("_state",)

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "image_shape": ["array-like", None],
        "channel_axis": [Options(Integral, {0, 2, -1}), None],
        "patch_size": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "algorithm": [StrOptions(set(ENCODERS)), AbstractCoder, PatchEncoder],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "contrast_reg": [Interval(Real, 0, None, closed="left")],
        "whiten": [StrOptions({"zca"}), None],
        "whiten_reg": [Interval(Real, 0, None, closed="neither")],
        "pooled_shape": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pooling": [StrOptions(set(POOLINGS))],
        "split_sign": ["boolean"],
        "init": [StrOptions(set(INITS)), "array-like"],
        "learner": [StrOptions(set(LEARNERS)), AbstractLearner, None],
        "n_patches": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 400,
        *,
        image_shape: tuple[int, ...] | None = None,
        channel_axis: int | None = None,
        patch_size: int | tuple[int, ...] = 6,
        stride: int = 1,
        algorithm: str | AbstractCoder | PatchEncoder = "soft_threshold",
        alpha: float = 0.25,
        n_nonzero_coefs: int | None = None,
        contrast_reg: float = 0.01,
        whiten: str | None = "zca",
        whiten_reg: float = 1.0,
        pooled_shape: int | tuple[int, ...] = 2,
        pooling: str = "sum",
        split_sign: bool = True,
        init: str | ArrayLike = "random",
        learner: str | AbstractLearner | None = "online",
        n_patches: int = 100_000,
        max_epochs: int = 10,
        n_jobs: int | None = None,
        random_state: Seed = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.image_shape = image_shape
        self.channel_axis = channel_axis
        self.patch_size = patch_size
        self.stride = stride
        self.algorithm = algorithm
        self.alpha = alpha
        self.n_nonzero_coefs = n_nonzero_coefs
        self.contrast_reg = contrast_reg
        self.whiten = whiten
        self.whiten_reg = whiten_reg
        self.pooled_shape = pooled_shape
        self.pooling = pooling
        self.split_sign = split_sign
        self.init = init
        self.learner = learner
        self.n_patches = n_patches
        self.max_epochs = max_epochs
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fits
    def fit(self, X: MatrixLike, y: object = None) -> Self:
        """Learn the whitening and the atoms from patches of the images.

        Ctrl-C keeps the finished epochs, with a warning, if your own code calls this
        method or that of a pipeline that ends in this estimator. Otherwise
        KeyboardInterrupt is raised.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one per row.

        y : Ignored
            Present by convention.

        Returns
        -------
        self : ImagePatchCoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If parameters contradict each other or the data.
        """
        n_epochs = self._most_epochs()
        with fit_task(self, n_epochs, X, y) as task, restored_on_error(self):
            self._fit(self._check_images(X, reset=True), task)
        return self

    @fits
    def fit_transform(self, X: MatrixLike, y: object = None) -> NDArray:
        """Learn the whitening and the atoms from images, and encode the images.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one per row.

        y : Ignored
            Present by convention.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_outputs)
            Features; float64 for such images, float32 for others.
        """
        n_epochs = self._most_epochs()
        with fit_task(self, n_epochs, X, y) as task, restored_on_error(self):
            X = self._check_images(X, reset=True)
            self._fit(X, task)
            return self._encode(X)

    def _most_epochs(self):
        learner = self._learner()
        return self.max_epochs if learner is not None and learner.in_epochs else 0

    def _fit(self, X, task):
        learnt_from = self._learn(X, np.ones(X.shape[0]), self._keeps, task)
        self._warn_of_first_patches(*learnt_from)

    def _warn_of_first_patches(self, whitened, drawn):
        few, nothing = self._describe_excess(whitened), self._describe_zero_codes(drawn)
        warn_once(*few, nothing)

    @available_if(_learns_from_streams)
    @fits
    def partial_fit(
        self, X: MatrixLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from the images of a chunk.

        The first chunk gives what `fit` gives. Later ones keep its whitening, and the
        learner continues: "online" with mini-batches of 512 patches, each taken once,
        while "kmeans" moves each centre to the mean of all patches nearest to it so
        far. `n_patches` holds for each chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one or more. Images in random order are best.

        y : Ignored
            Present by convention.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the images, which all patches of an image have. Images of weight
            zero are left out.

        Returns
        -------
        self : ImagePatchCoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If parameters contradict each other, the data or the chunks so far.
        """
        with restored_on_error(self):
            first = not hasattr(self, "components_")
            X, weights = self._check_samples(X, sample_weight, reset=first)
            if first:
                self._learn(X, weights)
            else:
                self._continue(X, weights)
        return self

    def merge(self, other: Self) -> Self:
        """Take over what another coder has learnt from other images.

        The moments of the patches are added. Each atom is matched with one of the
        other: "kmeans" averages the two by their numbers of patches, other learners fit
        the atoms to the sums of both. Whitening and contrast stay those of this coder.
        Atoms of another whitening are carried into it: centres of clusters exactly,
        unit atoms without the difference of the means.

        Parameters
        ----------
        other : ImagePatchCoder
            Fitted with the same layout of images and patches, algorithm, learner and
            number of atoms. It does not change.

        Returns
        -------
        self : ImagePatchCoder
            Fitted on the images of both.

        Raises
        ------
        ValueError
            If one of the two has learnt no atoms, or they differ in one of these.
        """
        check_mergeable(self, other)
        self._check_same_kind(other)
        with restored_on_error(self):
            self._join(other)
        return self

    def _describe_excess(self, whitened):
        """Yield warnings of parameters that exceed what the patches allow."""
        n_atoms, n_values = self.components_.shape
        weights = np.ones(len(whitened))
        n_found = n_atoms
        if self.learner is not None or isinstance(self.init, str):
            n_found = count_directions(whitened, weights, n_atoms)
        if n_found < n_atoms:
            yield (
                f"n_components={n_atoms} is more than the {n_found} distinct patches "
                f"of X. The atoms beyond these are random directions; lower "
                f"n_components."
            )
        most = min(n_atoms, n_values)
        if self.n_nonzero_coefs is not None and self.n_nonzero_coefs > most:
            yield (
                f"n_nonzero_coefs={self.n_nonzero_coefs} is more than a patch can have "
                f"of {n_atoms} atoms of {n_values} values. There are {most} at most; "
                f"lower n_nonzero_coefs."
            )

    def _describe_zero_codes(self, patches):
        """Return a warning with the largest useful alpha if all codes are zero."""
        encoder, dtype = self._encoder(), patches.centred.dtype
        if encoder.alpha is None:
            return ""
        state = prepare_encoder(encoder, self.components_, self._whitening(), dtype)
        patches, largest = patches[patches.variances > 0], 0.0  # without flat ones
        for some in block_slices(len(patches), _COUNTED_PATCHES):
            found = encoder.largest_alpha(state, patches[some])
            if found is None or found > encoder.alpha:
                return ""
            largest = max(largest, found)
        if not largest:
            return ""
        return (
            f"alpha={encoder.alpha:.4g} is too large: all values of all {len(patches)} "
            f"patches are zero. The largest useful alpha, by the products of patches "
            f"and atoms, is below {largest:.4g}; lower alpha."
        )

    def transform(self, X: MatrixLike) -> NDArray:
        """Encode the patches of images, and pool their codes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one per row.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_outputs)
            Features; float64 for such images, float32 for others.

        Warns
        -----
        ConvergenceWarning
            If codes of the lasso are not at the optimum.
        """
        check_is_fitted(self)
        X = self._check_images(X, reset=False)
        Z = self._encode(X)
        if len(Z) > 1 and not Z.any():  # a single image may well be flat
            rng = np.random.RandomState(0)
            some = draw_patches(X, self._layout, self.n_patches, rng)
            warn_once(self._describe_zero_codes(some))
        return Z

    def _encode(self, X):
        pooling = self._pooling()
        state = self._prepare(pooling, X)
        return pooling.encode(X, state, self.n_jobs, self._report())

    def _report(self, task=no_task):
        return ProgressLines(type(self).__name__, self.verbose, task)

    @available_if(_approximates)
    def reconstruct(self, X: MatrixLike) -> NDArray:
        """Reconstruct images from the codes of their patches.

        Each patch is replaced by its code times the atoms, in its original brightness
        and contrast; overlapping patches are averaged. It is available with codes that
        approximate patches: those of "omp", "ols", "lasso" and "elastic_net".

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one per row.

        Returns
        -------
        Y : ndarray of shape (n_samples, n_features)
            Reconstructed images. Pixels that no patch covers do not change.
        """
        check_is_fitted(self)
        X = self._check_images(X, reset=False)
        pooling = self._pooling()
        return reconstruct_images(
            X,
            pooling,
            self._prepare(pooling, X),
            whitening=self._whitening(),
            atoms=normalise_atoms(self.components_),
            n_jobs=self.n_jobs,
        )

    def _multiply_adds(self, X):
        """Estimate the multiply-adds per image: whitening, products and searches."""
        pooling, rng = self._pooling(), np.random.RandomState(0)
        images = self._check_images(X, reset=False)
        state = self._prepare(pooling, images)
        some = draw_patches(images, pooling.layout, _COUNTED_PATCHES, rng)
        n_used = np.count_nonzero(pooling.encoder.values(state, some)) / len(some)
        work = pooling.encoder.work(*self.components_.shape, n_used)
        return pooling.layout.n_positions * work

    def _check_samples(self, X, sample_weight, *, reset):
        """Return checked images of weight above zero, and their weights."""
        return check_weights(self._check_images(X, reset=reset), sample_weight)

    def _check_images(self, X, *, reset):
        """Validate images; bytes stay bytes, which take a quarter of the memory."""
        if isinstance(X, np.ndarray) and X.dtype == np.uint8:
            return validate_data(self, check_kind(X), dtype=np.uint8, reset=reset)
        X = check_rows(self, X, reset=reset)
        check_scale(X)
        return X

    def _read_layout(self, n_features):
        layout = read_layout(
            n_features,
            image_shape=self.image_shape,
            channel_axis=self.channel_axis,
            patch_size=self.patch_size,
            stride=self.stride,
            pooled_shape=self.pooled_shape,
        )
        if layout.patch_width == 1 < n_features:
            raise ValueError(
                "Patches of one number are zero without their mean. Got "
                f"patch_size={self.patch_size!r} and one channel; raise patch_size."
            )
        return layout

    def _encoder(self):
        return make_encoder(
            ENCODERS.resolve(
                self.algorithm,
                self.get_params(deep=False),
                _OF_ENCODERS,
                self._parameter_constraints,
            )
        )

    def _prepare(self, pooling, X):
        self._validate_params()  # encoder and pooling may have changed after fit
        dtype, whitening = float_type(X), self._whitening()
        return prepare_encoder(pooling.encoder, self.components_, whitening, dtype)

    def _pooling(self):
        return Pooling(
            self._layout,
            self._encoder(),
            self.pooling,
            self.split_sign,
            len(self.components_),
        )

    @property
    def _n_features_out(self):
        return self._pooling().n_outputs

    def __getstate__(self):
        state = super().__getstate__()
        if "_layout" in state:
            state["_layout"] = state["_layout"].settings
        return state

    def __setstate__(self, state):
        if "_layout" in state:
            layout = restore_layout(state["_layout"])
            _check_fit(layout, state)
            state = state | {"_layout": layout}
        super().__setstate__(state)


def _check_fit(layout, state):
    """Raise if a saved layout is not that of the atoms, beyond which loops would read.

    A coder for prediction has no atoms any more if these are in its network.
    """
    width, atoms = layout.patch_width, state.get("components_")
    n_found = width if atoms is None else np.shape(atoms)[-1]
    if layout.n_features != state["n_features_in_"] or n_found != width:
        raise ValueError(
            f"A saved ImagePatchCoder of images of {layout.n_features} values must "
            f"have atoms of {width}. Got {state['n_features_in_']} features and atoms "
            f"of {n_found}; the file is damaged or forged."
        )
