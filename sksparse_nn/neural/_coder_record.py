"""What a network was given as its coder, to be compared with what it is given later.

Most of that can be seen in ``coder_``. A record holds what training changes there.
Files of older versions have none, and copies for prediction an empty one, as the coders
in them may be others.
"""

from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from sksparse_nn.neural._equality import list_changes, mark_fitted

# Parameters that a fitted coder has otherwise once it is trained, or has fewer atoms.
_CHANGED = "alpha", "algorithm", "atom_weights"


def record_coder(coder, tune_coder):
    """Record what a fitted coder does not show any more once it is trained.

    Parameters
    ----------
    coder : transformer
        As it is given, not fitted unless it is frozen.

    tune_coder : bool or "all"
        Whether it is trained.

    Returns
    -------
    record : dict
        Of plain values.
    """
    record = {"tune_coder": tune_coder}
    if isinstance(coder, FrozenEstimator):
        coder = coder.estimator
        check_is_fitted(coder)
        record["frozen"] = mark_fitted(coder)
    if tune_coder:
        given = coder.get_params(deep=False)
        record["given"] = {name: given[name] for name in _CHANGED if name in given}
    return record


def is_tuned_otherwise(estimator):
    """Return whether `tune_coder` has changed since the coder was fitted.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Fitted.

    Returns
    -------
    is_tuned_otherwise : bool
        False without a coder, and where it is not known.
    """
    record, present = estimator._coder_record, estimator.tune_coder
    if record is not None:
        return present != record.get("tune_coder", present)
    if "coder_" not in vars(estimator) or estimator._has_patch_net:
        return False
    return bool(present) != estimator._is_tuned


def list_coder_changes(estimator):
    """List the parameters of the coder that have changed since it was fitted.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Fitted.

    Returns
    -------
    names : list of str
        In the words of the estimator, such as "coder__alpha"; "coder" for another one.
    """
    former, coder = vars(estimator).get("coder_"), estimator._chosen_coder()
    if former is None or coder is None:
        # The former one may be a part of the network by now.
        had_one = estimator._is_tuned or former is not None
        return [] if had_one == (coder is not None) else ["coder"]
    if estimator._coder_record == {}:
        return []
    if isinstance(coder, FrozenEstimator):
        return ["coder"] * _is_another(coder.estimator, estimator)
    if "frozen" in _record_of(estimator) or type(coder) is not type(former):
        return ["coder"]
    names = _list_changes(coder, estimator)
    is_default = estimator.coder is None
    return ["coder"][: len(names)] if is_default else [f"coder__{x}" for x in names]


def _record_of(estimator):
    return estimator._coder_record or {}


def _is_another(coder, estimator):
    """Return whether a coder that was frozen is not the one that the network has."""
    if type(coder) is not type(estimator.coder_):
        return True
    record = estimator._coder_record
    if record is not None and record.get("frozen") != mark_fitted(coder):
        return True
    return bool(_list_changes(coder, estimator))


def _list_changes(coder, estimator):
    known = _record_of(estimator).get("given", {})
    if estimator._coder_record is None:
        known = _skip_what_may_be_trained(coder, estimator.tune_coder)
    return list_changes(coder, estimator.coder_, **known)


def _skip_what_may_be_trained(coder, tune_coder):
    """Return parameters that cannot be compared without a record, as they are now."""
    given = coder.get_params(deep=False)
    names = given.keys() & set(_CHANGED)
    if tune_coder != "all":
        names -= {"alpha"}
    return {name: given[name] for name in names if not isinstance(given[name], str)}
