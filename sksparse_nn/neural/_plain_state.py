"""The state of a network estimator: objects for pickle, plain parts for skops."""

from copyreg import __newobj__

import torch

from sksparse_nn._saved import Saved
from sksparse_nn.modules._plain import Reader, Writer
from sksparse_nn.neural._plain_net import read_net, write_net

_NET, _PLAIN = "net_", "_network"


class HasPlainState(Saved):
    """A network estimator that is saved without pickling anything.

    `pickle`, `joblib` and `copy` take the objects as they are. All others that ask for
    the state, as skops does, get arrays, numbers, strings, lists and dicts, from which
    the net is made anew.
    """

    def __reduce__(self):
        if type(self).__getstate__ is not HasPlainState.__getstate__:
            return __newobj__, (type(self),), self.__getstate__()
        return __newobj__, (type(self),), super().__getstate__()

    def __getstate__(self):
        state, writer = super().__getstate__(), Writer()
        net = state.pop(_NET, None)
        plain = None if net is None else write_net(net, writer)
        return writer.write(state) | {_PLAIN: plain}

    def __setstate__(self, state):
        if _PLAIN in state:
            state = _read(type(self).__name__, dict(state))
        super().__setstate__(state)


def _read(name, state):
    if _NET in state:
        raise ValueError(
            f"A saved {name} must be plain. Got {_NET}={state[_NET]!r}; the file is "
            "forged."
        )
    reader, plain, targets = Reader(), state.pop(_PLAIN), state.get("_targets")
    try:
        with torch.inference_mode(False), torch.no_grad():
            net = None if plain is None else read_net(plain, targets, reader)
            state = reader.read(state)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"A saved {name} must have all parts of its network. Got a "
            f"{type(error).__name__} from the file: {error}; it is damaged, forged, or "
            "of a version that is not supported any more."
        ) from error
    return state if net is None else state | {_NET: net}
