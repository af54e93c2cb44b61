"""Reconstruct activations with a coder."""

from sklearn.utils.validation import check_is_fitted


def check_coder(coder):
    """Check that a coder can reconstruct activations.

    Parameters
    ----------
    coder : estimator
        Estimator whose reconstruction replaces an activation.

    Raises
    ------
    TypeError
        If it has no ``transform`` or no ``inverse_transform``.
    NotFittedError
        If it is not fitted.
    """
    if not (hasattr(coder, "transform") and hasattr(coder, "inverse_transform")):
        raise TypeError(
            "coder must have transform and inverse_transform, such as a TopKAutoencoder"
            " or a SparseDictionaryCoder with a pursuit or a penalty. "
            f"Got {coder!r}."
        )
    check_is_fitted(coder)


def reconstruct(coder, rows):
    """Reconstruct activations from their codes.

    Parameters
    ----------
    coder : estimator
        A fitted transformer with an ``inverse_transform``.

    rows : ndarray of shape (n_samples, n_units)
        Activations.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_units)
        Reconstruction.
    """
    return coder.inverse_transform(coder.transform(rows))
