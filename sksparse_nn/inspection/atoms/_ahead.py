"""What stands ahead of the atoms of a pipeline: its steps, rows, names and shapes."""

import numpy as np
from sklearn.pipeline import make_pipeline

from sksparse_nn._pipelines import flat_steps
from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.inspection.atoms._codes import coder_of


def names_ahead(transformer):
    """Return the names of the features that atoms are made of.

    Parameters
    ----------
    transformer : transformer
        Fitted, with atoms at its end.

    Returns
    -------
    names : ndarray of str of shape (n_features,)
        ``x0``, ``x1`` and so on where nothing has names.
    """
    coder, ahead = coder_of(transformer), flat_steps(transformer)[:-1]
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


def shape_of_atoms(coder, image_shape=None):
    """Return the shape that atoms are drawn in.

    Parameters
    ----------
    coder : transformer
        With atoms.

    image_shape : tuple of int, default=None
        What the user gave. Atoms of patches have the shape of a patch.

    Returns
    -------
    image_shape : tuple of int or None
        Their shape.

    channel_axis : int or None
        Where the channels are in it.
    """
    if not isinstance(coder, ImagePatchCoder):
        return image_shape, None
    layout = coder._pooling().layout
    return (*layout.patch, layout.n_channels), 2


def shape_of_images(coder, image_shape=None):
    """Return the shape that samples are drawn in.

    Parameters
    ----------
    coder : transformer
        With atoms.

    image_shape : tuple of int, default=None
        What the user gave. A coder of patches knows it.

    Returns
    -------
    image_shape : tuple of int or None
        Their shape.

    channel_axis : int or None
        Where the channels are in it.
    """
    if image_shape is None and isinstance(coder, ImagePatchCoder):
        return coder.image_shape, coder.channel_axis
    return image_shape, None
