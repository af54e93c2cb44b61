"""Detectors of outliers behind the rules, on one scale with them."""

import numpy as np
from sklearn.base import clone

from sksparse_nn.decomposition import TruncatedSVDReducer
from sksparse_nn.screening._reconstruction import ReconstructionDetector

# Share of held-out rows that a reconstruction may exclude.
_QUANTILE = 0.01

# Least unit of decisions, as a share of the largest one.
_LEAST = 1e-6


def fit_detector(detector, quantile, numbers, spread):
    """Fit a detector on rows that broke no rule.

    Parameters
    ----------
    detector : estimator or "reconstruction"
        As given to the screener.

    quantile : float or None
        Quantile of the scores below which rows are excluded.

    numbers : ndarray or CSR matrix of shape (n_kept, n_numbers)
        The rows.

    spread : ndarray of shape (n_numbers,)
        Unit of each column; zero where there is none.

    Returns
    -------
    detector : estimator
        A fitted copy.

    threshold, scale : float
        What is excluded has a smaller decision than the first; a median row lies above
        it by the second.
    """
    if isinstance(detector, str):
        detector = TruncatedSVDReducer(0.9, center=True, random_state=0)
    if hasattr(detector, "decision_function"):
        fitted = clone(detector).fit(numbers)
        decisions = fitted.decision_function(numbers)
        threshold = 0.0 if quantile is None else float(np.quantile(decisions, quantile))
    else:
        share = _QUANTILE if quantile is None else quantile
        unit = np.where(spread > 0, spread, 1.0)
        fitted = ReconstructionDetector(clone(detector), share, unit).fit(numbers)
        decisions, threshold = fitted.decision_function(numbers), 0.0
    above = np.asarray(decisions, dtype=np.float64) - threshold
    scale = max(float(np.median(above)), _LEAST * float(np.abs(above).max()))
    return fitted, threshold, scale if scale > 0 else 1.0


def compare(decisions, threshold, scale):
    """Bring the decisions of a detector to the scale of the rules.

    Parameters
    ----------
    decisions : ndarray of shape (n_samples,)
        Result of its ``decision_function``.

    threshold, scale : float
        Results of `fit_detector`.

    Returns
    -------
    ratios : ndarray of shape (n_samples,)
        Above one exactly where a decision is smaller than the threshold.
    """
    with np.errstate(over="ignore"):
        ratios = np.exp((threshold - np.asarray(decisions, np.float64)) / scale)
    least = np.nextafter(1.0, 2.0)
    is_out = decisions < threshold
    return np.where(is_out, np.maximum(ratios, least), np.minimum(ratios, 1.0))
