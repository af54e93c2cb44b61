"""Units for numbers whose squares would overflow or underflow."""

import numpy as np

# Between these, sums of squares neither overflow nor vanish.
_USUAL = 1e-100, 1e100


def unit_of(peak):
    """Return the unit to divide numbers by before they are squared.

    Parameters
    ----------
    peak : float
        The largest absolute value among them.

    Returns
    -------
    unit : float
        One for usual numbers and for zeros, otherwise a power of two near the peak, so
        that nothing is rounded.
    """
    peak = float(peak)
    if peak == 0 or _USUAL[0] < peak < _USUAL[1]:
        return 1.0
    return float(np.ldexp(1.0, np.frexp(peak)[1] - 1))
