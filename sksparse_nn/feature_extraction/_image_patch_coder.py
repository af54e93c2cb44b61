"""Sparse features of images by their patches."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sksparse_nn._interrupts import keeps_interrupted
from sksparse_nn._kinds import check_kind
from sksparse_nn._progress import ProgressLines
from sksparse_nn._validation import (
    check_atoms,
    check_n_components,
    check_rows,
    restored_on_error,
    warn_once,
)
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
    Whitening,
    check_scale,
    draw_patches,
    encoder_of,
    fit_whitening,
    float_type,
    learn_atoms,
    prepared,
    read_layout,
    reconstructed,
)

# What some encoders read and others do not, and its default.
_OF_ENCODERS = {"alpha": 0.25, "n_nonzero_coefs": None}

# The same of learners in epochs.
_MAX_EPOCHS = 10

# Patches that the work of an encoder is estimated by.
_COUNTED_PATCHES = 1000


def _approximates(estimator):
    return ENCODERS.look_up(estimator.algorithm).approximates


class ImagePatchCoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Describe images by how much of each atom is in which region of them.

    A row is a flattened image. Its patches are made alike in brightness and contrast
    and whitened, encoded by atoms that were learnt from such patches, and what the
    encoder says is pooled over a grid of regions. A linear model on top of such
    features comes near to what small convolutional networks reach [1]_ [2]_.

    Parameters
    ----------
    n_components : int, default=400
        Number of atoms.

    image_shape : tuple of int, default=None
        Height and width of the images, and for colours the number of channels, first
        or last. None takes rows for square images: of one channel where their width is
        a square number, as 784, and of three where it is three times one, as 3072. The
        three are then one plane after the other, as CIFAR-10 has them, unless
        `channel_axis` says last. Other widths are an error. (1, -1) takes a row for one
        row of pixels, however long.

    channel_axis : {0, 2, -1} or None, default=None
        Where in an `image_shape` of three the channels are. None takes the first place
        if that number is smaller than the last one, and the last place otherwise.

    patch_size : int or tuple of int, default=6
        Height and width of a patch, in pixels. Where `image_shape` is (1, -1) a patch
        is one pixel high and at most as wide as the row.

    stride : int, default=1
        Distance of neighbouring patches, in pixels.

    algorithm : str, AbstractCoder or PatchEncoder, default="soft_threshold"
        How the codes of a patch are found:

        - "soft_threshold": its products with unit atoms, shrunk by `alpha`;
        - "threshold": products of a magnitude above `alpha`, as they are;
        - "top_k": its `n_nonzero_coefs` largest products;
        - "triangle": by how much an atom is nearer than atoms are on average;
        - "hard_assignment": one for the nearest atom;
        - "omp", "ols": codes of `n_nonzero_coefs` atoms by orthogonal matching pursuit
          or orthogonal least squares;
        - "lasso", "elastic_net": codes of the lasso or the elastic net with penalty
          `alpha`;
        - an object of an algorithm of your own, or of one of these with all its
          parameters, such as ``ElasticNet(alpha=0.25, l1_ratio=0.9)``.

    alpha : float, default=0.25
        Level of the thresholds, penalty of the lasso and the elastic net. Whitened
        patches have along each principal direction the variance v / (v + `whiten_reg`),
        where v is that of patches of even contrast, about one on average. By default
        values of whitened patches of photographs had a variance of 0.16, of digits
        0.33. Where it leaves all values zero, `fit` and `transform` warn and name the
        largest useful one. An error if it is set and `algorithm` does not read it.

    n_nonzero_coefs : int or None, default=None
        Nonzero codes per row, at most.

        Here a row is a patch. Read by "omp", "ols" and "top_k". None: a tenth of the
        number of values of a patch but at least five. An error if it is set and
        `algorithm` does not read it.

    contrast_reg : float, default=0.01
        Added to the variance of a patch before it is divided by its deviation, as a
        share of the mean variance of patches: flat patches stay flatter than others.

    whiten : {"zca"} or None, default="zca"
        Whether to bring the variances along principal directions to one.

        "zca" does so for the values of patches, up to `whiten_reg`, and turns them back
        to where they were.

    whiten_reg : float, default=1.0
        Added to the variance along each principal direction of patches, whose mean is
        about one: weak directions, which are mostly noise, stay weaker than others. 0.1
        was published for images without loss [1]_.

    pooled_shape : int or tuple of int, default=2
        Rows and columns of the grid of regions.

    pooling : {"sum", "mean", "max"}, default="sum"
        What is kept of the values of a region.

    split_sign : bool, default=True
        Whether positive and negative values get columns of their own, so that no output
        is negative.

        They are pooled apart. Values of "triangle" and "hard_assignment" are never
        negative.

    init : {"random", "k-means++", "svd"} or array-like of shape \
            (n_components, patch_width), default="random"
        Where the atoms start:

        - "random": patches drawn at random;
        - "k-means++": patches far from each other;
        - "svd": singular vectors of the patches, and patches beyond their number;
        - array-like: these atoms, of whitened patches. A patch is flattened by row,
          column and channel.

    learner : str, AbstractLearner or None, default="online"
        How the atoms are learnt: "kmeans" takes the centres of clusters; "online",
        "ksvd", "exact_ksvd" and "mod" are those of `SparseDictionaryCoder`, with the
        codes of `algorithm` if these approximate patches and with one atom per patch
        otherwise (gain-shape clustering, OMP-1). None keeps the atoms of `init`. An
        object is a learner of your own, or one of these with its parameters.

    n_patches : int, default=100_000
        Patches to learn from, drawn at random, if the images have as many.

    max_epochs : int, default=10
        Passes over the rows, at most.

        The rows are patches. An error if it is set and there is no learner, or it is
        "kmeans", which goes on until its centres stay, fifty times at most.

    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.

        "kmeans" takes the threads of OpenMP instead.

    random_state : int, RandomState instance or None, default=None
        Seed of all random draws.

        They give the patches, the initial atoms and the mini-batches.

    verbose : int, default=0
        Whether to print lines about the progress.

        One line per step of `fit`, and one per second while images are encoded.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, patch_width)
        The atoms.

        They are those of whitened patches.

    whitening_ : ndarray of shape (patch_width, patch_width)
        Matrix that patches of even contrast are multiplied by, less their mean.

    patch_mean_ : ndarray of shape (patch_width,)
        That mean.

    contrast_reg_ : float
        What is added to the variance of a patch.

    history_ : dict of ndarray of shape (n_iter_,)
        Values per epoch, an array per quantity.

        "objective" is the mean over the patches of what the learner lowers; empty where
        nothing is learnt in epochs.

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
    SparseDictionaryCoder : Codes of whole rows.

    Notes
    -----
    Outputs stand by region, by row and column of the grid; in a region positive values
    of all atoms come first, then negative ones.

    Work goes over a few images at a time, whose patches are gathered, multiplied by
    the atoms with the whitening folded in, encoded and pooled while they are in cache:
    all patches of all images never exist at once.

    Features do not depend on the unit of pixels, bytes or from 0 to 1, other than for
    which patches a seed draws where the change of units rounds.

    More atoms than there are distinct patches, or more `n_nonzero_coefs` than a patch
    can have, make `fit` warn.

    `algorithm`, its parameters, `pooling` and `split_sign` may be changed after `fit`;
    all else is as it was then.

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
        n_components=400,
        *,
        image_shape=None,
        channel_axis=None,
        patch_size=6,
        stride=1,
        algorithm="soft_threshold",
        alpha=0.25,
        n_nonzero_coefs=None,
        contrast_reg=0.01,
        whiten="zca",
        whiten_reg=1.0,
        pooled_shape=2,
        pooling="sum",
        split_sign=True,
        init="random",
        learner="online",
        n_patches=100_000,
        max_epochs=10,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the whitening and the atoms from patches of the images.

        Ctrl-C keeps the epochs that are done, with a warning, where your own code calls
        this method or that of a pipeline which ends here; else it is raised.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one a row.

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
        with restored_on_error(self):
            self._fit(self._check_images(X, reset=True))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Learn the whitening and the atoms from images, and encode these.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one a row.

        y : Ignored
            Present by convention.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_outputs)
            Features; float64 for such images, float32 for others.
        """
        with restored_on_error(self):
            X = self._check_images(X, reset=True)
            self._fit(X)
            return self._encode(X)

    def _fit(self, X):
        layout, report = self._read_layout(X.shape[1]), self._report()
        rng = check_random_state(self.random_state)
        self._encoder(), self._learner()  # before any work
        drawn = draw_patches(X, layout, self.n_patches, rng)
        report(f"{len(drawn)} patches drawn")
        whitening = fit_whitening(
            drawn,
            kind=self.whiten,
            regularisation=self.whiten_reg,
            contrast=self.contrast_reg,
        )
        whitened = whitening.apply(drawn)
        atoms, objectives = self._atoms(whitened, rng, report)
        self.history_, self.n_iter_ = {"objective": objectives}, len(objectives)
        report(f"{len(atoms)} atoms")
        self.components_ = atoms
        self.whitening_ = whitening.matrix
        self.patch_mean_ = whitening.mean
        self.contrast_reg_ = whitening.contrast
        self.image_shape_ = layout.height, layout.width, layout.n_channels
        self._layout = layout
        few, nothing = self._beyond_the_data(whitened), self._nothing_said(drawn)
        warn_once(*few, nothing)

    def _beyond_the_data(self, whitened):
        """Yield sentences on what is asked for and cannot be had of these patches."""
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

    def _nothing_said(self, patches):
        """Return what alpha would give a nonzero if no patch has one, or nothing."""
        encoder, dtype = self._encoder(), patches.centred.dtype
        if encoder.alpha is None:
            return ""
        state = prepared(encoder, self.components_, self._whitening(), dtype)
        patches, largest = patches[patches.variances > 0], 0.0  # flat ones say nothing
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

    def transform(self, X):
        """Encode the patches of images, and pool what is said of them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one a row.

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
        if len(Z) > 1 and not Z.any():  # of one image it says little
            rng = np.random.RandomState(0)
            some = draw_patches(X, self._layout, self.n_patches, rng)
            warn_once(self._nothing_said(some))
        return Z

    def _encode(self, X):
        pooling = self._pooling()
        state = self._prepared(pooling, X)
        return pooling.encode(X, state, self.n_jobs, self._report())

    def _report(self):
        return ProgressLines(type(self).__name__, self.verbose)

    @available_if(_approximates)
    def reconstruct(self, X):
        """Put images together again from the codes of their patches.

        Each patch is replaced by the sum of atoms that its code says, in its own
        brightness and contrast; where patches overlap, the mean is taken. Only with
        codes that approximate: those of "omp", "ols", "lasso" and "elastic_net".

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one a row.

        Returns
        -------
        Y : ndarray of shape (n_samples, n_features)
            Images. Pixels that no patch covers are as they were.
        """
        check_is_fitted(self)
        X = self._check_images(X, reset=False)
        pooling = self._pooling()
        return reconstructed(
            X,
            pooling,
            self._prepared(pooling, X),
            whitening=self._whitening(),
            atoms=normalise_atoms(self.components_),
            n_jobs=self.n_jobs,
        )

    def _multiply_adds(self, X):
        """Estimate those of an image: whitening patches, products, their updates."""
        pooling, rng = self._pooling(), np.random.RandomState(0)
        images = self._check_images(X, reset=False)
        state = self._prepared(pooling, images)
        some = draw_patches(images, pooling.layout, _COUNTED_PATCHES, rng)
        n_used = np.count_nonzero(pooling.encoder.values(state, some)) / len(some)
        work = pooling.encoder.work(*self.components_.shape, n_used)
        return pooling.layout.n_positions * work

    def _check_images(self, X, *, reset):
        """Validate images; bytes stay bytes, which are a quarter of floats."""
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
        return encoder_of(
            ENCODERS.resolve(
                self.algorithm,
                self.get_params(deep=False),
                _OF_ENCODERS,
                self._parameter_constraints,
            )
        )

    def _learner(self):
        """Return what moves atoms, checked against all else, or None."""
        parameters, learner = self.get_params(deep=False), None
        if self.learner is not None:
            constraints = self._parameter_constraints
            learner = LEARNERS.resolve(self.learner, parameters, None, constraints)
        if learner is None or not learner.in_epochs:
            able = [name for name in LEARNERS if LEARNERS[name].in_epochs]
            given = self.learner, "max_epochs", self.max_epochs
            LEARNERS.refuse(*given, _MAX_EPOCHS, able)
        elif self._encoder().learning_coder().penalised and not learner.heeds_penalty:
            able = [name for name in LEARNERS if LEARNERS[name].heeds_penalty]
            raise ValueError(
                f"algorithm={self.algorithm!r} needs one of the learners {able} or "
                f"None. Got {self.learner!r}, whose least squares would undo the "
                "penalty."
            )
        return learner

    def _whitening(self):
        return Whitening(self.contrast_reg_, self.patch_mean_, self.whitening_)

    def _prepared(self, pooling, X):
        self._validate_params()  # those of the encoder and of pooling are read anew
        dtype, whitening = float_type(X), self._whitening()
        return prepared(pooling.encoder, self.components_, whitening, dtype)

    def _pooling(self):
        return Pooling(
            self._layout,
            self._encoder(),
            self.pooling,
            self.split_sign,
            len(self.components_),
        )

    def _atoms(self, patches, rng, report):
        given = self._given_atoms(patches)
        check_n_components(self.n_components, patches.shape[1])
        if self.learner is None and given is not None:
            return given, np.empty(0)
        return learn_atoms(
            patches,
            self.n_components,
            rng,
            start=given,
            init=self.init,
            learner=self._learner(),
            coder=self._encoder().learning_coder(),
            max_epochs=self.max_epochs,
            report=report,
            keeps=self._keeps,
        )

    def _keeps(self, n_done):
        return keeps_interrupted(self, n_done, self.max_epochs)

    def _given_atoms(self, patches):
        if isinstance(self.init, str):
            return None
        return check_atoms(self.init, self.n_components, patches)

    @property
    def _n_features_out(self):
        return self._pooling().n_outputs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
