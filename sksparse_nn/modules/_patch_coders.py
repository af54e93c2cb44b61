"""A fitted coder of patches as a layer."""

from sksparse_nn.modules._patch_values import PATCH_VALUES
from sksparse_nn.solvers.coding import CODERS

# Algorithms of patches that a layer has, and their names.
_OF_PATCHES = {CODERS[name]: name for name in PATCH_VALUES}


def patch_layer(coder, *, learn_alpha, kind):
    """Return a fitted coder of patches as a layer that can be trained.

    Parameters
    ----------
    coder : ImagePatchCoder
        Fitted.

    learn_alpha : bool
        Whether the level is trained too.

    kind : type
        Class of the layer: `PatchLayer`, or one derived from it.

    Returns
    -------
    layer : PatchLayer
        In the float type of the atoms.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    algorithm = _patch_algorithm(coder)
    name = _OF_PATCHES[type(algorithm)]
    if learn_alpha and not _has_slope(PATCH_VALUES[name]):
        raise ValueError(
            'tune_coder="all" needs an ImagePatchCoder whose codes have a derivative '
            f'by alpha: algorithm="soft_threshold". Got {coder.algorithm!r}; set '
            "tune_coder=True."
        )
    return kind(
        coder.components_,
        **coder._layout.settings,
        algorithm=name,
        alpha=getattr(algorithm, "alpha", None),
        contrast_reg=coder.contrast_reg_,
        whitening=coder.whitening_,
        patch_mean=coder.patch_mean_,
        pooling=coder.pooling,
        split_sign=coder.split_sign,
        learn_alpha=learn_alpha,
        n_jobs=coder.n_jobs,
    )


def _has_slope(values):
    return values.has_level and values.is_smooth


def _patch_algorithm(coder):
    """Return the algorithm of a coder of patches, if a layer has it."""
    algorithm = getattr(coder._encoder(), "coder", None)
    is_restricted = (
        getattr(algorithm, "positive_code", False)
        or getattr(algorithm, "atom_weights", None) is not None
    )
    if type(algorithm) not in _OF_PATCHES or is_restricted:
        raise ValueError(
            "tune_coder=True needs an ImagePatchCoder with algorithm "
            '"soft_threshold", "threshold" or "triangle", without positive_code and '
            f"atom_weights. Got algorithm={coder.algorithm!r}; choose one of these, or "
            "set tune_coder=False, which takes all of them."
        )
    return algorithm
