"""What a coder makes of activations."""

from sklearn.utils.validation import check_is_fitted


def check_coder(coder):
    """Refuse what cannot rebuild activations.

    Parameters
    ----------
    coder : estimator
        What a user wants to put in the place of an activation.

    Raises
    ------
    TypeError
        If it has no ``transform`` or no ``inverse_transform``.
    NotFittedError
        If it is not fitted.
    """
    if not (hasattr(coder, "transform") and hasattr(coder, "inverse_transform")):
        raise TypeError(
            "coder must have transform and inverse_transform, as a TopKAutoencoder has,"
            " and a SparseDictionaryCoder of a pursuit or a penalty. "
            f"Got {coder!r}."
        )
    check_is_fitted(coder)


def reconstruction(coder, rows):
    """Return what a coder makes of rows.

    Parameters
    ----------
    coder : estimator
        A fitted transformer with an ``inverse_transform``.

    rows : ndarray of shape (n_samples, n_units)
        Activations.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_units)
        Rebuilt from their codes.
    """
    return coder.inverse_transform(coder.transform(rows))
