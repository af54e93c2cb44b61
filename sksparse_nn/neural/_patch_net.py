"""The network of atoms of patches, made for an estimator."""

from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.modules._patch_net import PatchNet
from sksparse_nn.modules._run import run
from sksparse_nn.neural._scale_of_codes import choose_some, root_mean_square

_N_COMPONENTS, _PATCH_SIZE, _STRIDE = 32, 5, 2
_N_PATCHES, _MAX_EPOCHS = 20_000, 5


def default_patch_coder(image_shape):
    """Return the coder that a network of atoms begins with if none is given.

    Parameters
    ----------
    image_shape : tuple of int
        Channels, height and width.

    Returns
    -------
    coder : ImagePatchCoder
        Not fitted.
    """
    size = min(_PATCH_SIZE, *image_shape[1:])
    return ImagePatchCoder(
        _N_COMPONENTS,
        image_shape=image_shape,
        channel_axis=0,
        patch_size=size,
        stride=_STRIDE if min(image_shape[1:]) > 4 * size else 1,
        pooled_shape=1,
        n_patches=_N_PATCHES,
        max_epochs=_MAX_EPOCHS,
    )


def build_patch_net(spec, estimator, samples, **settings):
    """Build the network of atoms of patches.

    Parameters
    ----------
    spec : ModuleSpec
        Gives the number of outputs, the float type and parameters of the module.

    estimator : SparseNetClassifier or SparseNetRegressor
        With a fitted coder.

    samples : TrainingSamples
        Training samples.

    **settings : dict
        Further parameters of `PatchNet.from_coder`.

    Returns
    -------
    network : PatchNet
        Its codes have a mean square of about one.
    """
    coder = estimator.coder_
    if not isinstance(coder, ImagePatchCoder):
        raise ValueError(
            'module="patch_net" needs an ImagePatchCoder as coder, or None. Got '
            f"{coder!r}."
        )
    estimator._check_reconstructs()
    network = PatchNet.from_coder(
        coder,
        spec.n_outputs,
        tune=bool(estimator.tune_coder),
        learn_alpha=estimator.tune_coder == "all",
        **spec.module_params | settings,
    ).to(spec.dtype)
    some = choose_some(samples)
    [codes] = run(network.coding.eval(), some.X, len(some), use=list)
    scale = root_mean_square(codes.flatten(1).numpy(), some.row_weight)
    network.scale.factor.fill_(1 / (scale or 1.0))
    network.dropout = estimator.dropout
    return network
