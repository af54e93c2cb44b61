"""Which version saved an estimator, and whether this one can load it."""

import inspect
import re
from functools import cache

import sksparse_nn
from sksparse_nn._warnings import warn

# Number of the form of saved estimators. Raise it by one when older versions of the
# package could not load what is saved now, and keep what loads the former form: files
# of each version are kept in tests/persistence/files.
FORMAT = 1

_KEY = "_saved_by"


class Saved:
    """An estimator whose saved state says which version saved it."""

    def __getstate__(self):
        return super().__getstate__() | {_KEY: (FORMAT, sksparse_nn.__version__)}

    def __setstate__(self, state):
        state = dict(state)
        _check_version(type(self).__name__, *state.pop(_KEY, (FORMAT, "0")))
        super().__setstate__(_defaults(type(self)) | state)


@cache
def _defaults(kind):
    """Return the defaults of parameters, which files of former versions may lack."""
    names, parameters = kind._get_param_names(), inspect.signature(kind).parameters
    return {
        name: parameters[name].default
        for name in names
        if parameters[name].default is not inspect.Parameter.empty
    }


def _check_version(name, form, version):
    """Raise if this version cannot load a form, and warn if it may not."""
    own = sksparse_nn.__version__
    if form > FORMAT:
        raise ValueError(
            f"{name} was saved by sksparse_nn {version}, in a form that sksparse_nn "
            f"{own} does not know. Got form {form}, where {FORMAT} is the last one; "
            "update sksparse_nn."
        )
    if _numbers(version) > _numbers(own):
        warn(
            f"{name} was saved by sksparse_nn {version}, which is newer than {own}. "
            "It may predict otherwise here; update sksparse_nn."
        )


def _numbers(version):
    return [int(number) for number in re.findall(r"\d+", str(version))[:3]]
