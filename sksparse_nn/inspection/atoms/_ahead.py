"""Names of the features ahead of atoms, and shapes of atoms and samples."""

import numpy as np
from sklearn.pipeline import make_pipeline

from sksparse_nn._pipelines import list_steps
from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.inspection.atoms._codes import find_coder


def find_names_ahead(transformer):
    """Return the names of the features of atoms.

    Parameters
    ----------
    transformer : transformer
        Fitted, with atoms at its end.

    Returns
    -------
    names : ndarray of str of shape (n_features,)
        ``x0``, ``x1`` and so on if no step has names.
    """
    coder, ahead = find_coder(transformer), list_steps(transformer)[:-1]
    width = coder.components_.shape[1]
    names = getattr(coder, "feature_names_in_", None)
    if ahead:
        try:
            names = make_pipeline(*ahead).get_feature_names_out()
        except AttributeError:  # a step has no such method
            names = None
    if names is None or len(names) != width:
        names = [f"x{i}" for i in range(width)]
    return np.asarray(names, dtype=object)


def find_atom_shape(coder, image_shape=None):
    """Return the shape that atoms are drawn in.

    Parameters
    ----------
    coder : transformer
        With atoms.

    image_shape : tuple of int, default=None
        Given shape. Atoms of patches have the shape of a patch.

    Returns
    -------
    image_shape : tuple of int or None
        Their shape.

    channel_axis : int or None
        Axis of the channels.
    """
    if not isinstance(coder, ImagePatchCoder):
        return image_shape, None
    layout = coder._pooling().layout
    return (*layout.patch, layout.n_channels), 2


def find_image_shape(coder, image_shape=None):
    """Return the shape that samples are drawn in.

    Parameters
    ----------
    coder : transformer
        With atoms.

    image_shape : tuple of int, default=None
        Given shape. A coder of patches defines it.

    Returns
    -------
    image_shape : tuple of int or None
        Their shape.

    channel_axis : int or None
        Axis of the channels.
    """
    if image_shape is None and isinstance(coder, ImagePatchCoder):
        return coder.image_shape, coder.channel_axis
    return image_shape, None
