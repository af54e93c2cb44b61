"""The net of an estimator as plain arrays, numbers and strings, and back."""

import json
from functools import partial

import numpy as np
import torch
from skorch.history import History
from skorch.utils import get_map_location

from sksparse_nn.modules import _plain_kinds  # noqa: F401 (registers our layers)
from sksparse_nn.modules._plain import KINDS
from sksparse_nn.modules._spec import ModuleSpec
from sksparse_nn.neural._batches import BatchIterator, TrainingSamples
from sksparse_nn.neural._losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    NumberLoss,
    OwnClassLoss,
)
from sksparse_nn.neural._optimizers import OPTIMIZERS, make_optimizer
from sksparse_nn.neural._weight_averaging import WeightAverage

KINDS.register(BinaryCrossEntropy, CrossEntropy, NumberLoss, OwnClassLoss)

_SETTINGS = "lr", "max_epochs", "batch_size", "verbose", "iterator_train__last_batch"
_OF_OPTIMIZER = "optimizer__"
_RECORDS = "lowest_", "constant", "has_failed", "path"
_OF_AVERAGE = "decay", "n_steps", "_mean", "_own"


def write_net(net, writer):
    """Return a net in plain form.

    Parameters
    ----------
    net : Net
        A trained net, which does not change.

    writer : Writer
        Writes its parts.

    Returns
    -------
    plain : dict
        For `read_net`.

    Raises
    ------
    ValueError
        If something in it is neither a number nor a string nor an array.
    """
    names = [*_SETTINGS, *(n for n in vars(net) if n.startswith(_OF_OPTIMIZER))]
    steps = None if net.optimizer_ is None else net.optimizer_.state_dict()
    parts = {
        "module": net.module_,
        "criterion": net.criterion_,
        "builder": _write_builder(net.module),
        "optimizer": _write_optimizer(net.optimizer),
        "steps": steps,
        "average": _write_average(net.average),
        "settings": {name: getattr(net, name) for name in names},
        "records": {name: getattr(net, name) for name in _RECORDS},
        "device": None if net.device is None else str(net.device),
    }
    return writer.write(parts) | {"history": _write_history(net.history)}


def read_net(plain, targets, reader):
    """Make a net anew, and give it its weights.

    Parameters
    ----------
    plain : dict
        From `write_net`.

    targets : Targets
        Those of the estimator.

    reader : Reader
        Reads its parts.

    Returns
    -------
    net : Net
        Goes on as the one that was written. It is on the CPU if its device is absent.
    """
    history = History(json.loads(plain["history"]))
    parts = {name: reader.read(plain[name]) for name in plain if name != "history"}
    net = targets.net_class(
        parts["module"],
        parts["criterion"],
        optimizer=_make_any_optimizer,
        iterator_train=BatchIterator,
        iterator_valid=BatchIterator,
        iterator_valid__shuffles=False,
        dataset=TrainingSamples,
        train_split=None,
        callbacks=None,
        predict_nonlinearity=targets.net_class.nonlinearity,
        device=_find_device(parts["device"]),
        **parts["settings"],
    ).initialize()
    net.module = _read_builder(parts["builder"])
    net.optimizer = _read_optimizer(parts["optimizer"])
    net.callbacks_, net.history_, net.targets_ = [], history, targets
    net.held_out = None
    if parts["steps"] is None:
        net.optimizer_ = None
    else:
        net.initialize_optimizer()
        net.optimizer_.load_state_dict(parts["steps"])
    vars(net).update({name: parts["records"][name] for name in _RECORDS})
    net.average = _read_average(parts["average"])
    return net


def _make_any_optimizer(*parameters, **settings):
    """Make what stands for an optimizer while skorch builds a net of such a part."""
    return torch.optim.SGD([torch.zeros(1)])


def _write_history(history):
    """Return records of epochs as text, which is shorter than a part per number."""
    try:
        return json.dumps(history, default=np.generic.item)
    except TypeError as error:
        raise ValueError(
            "What callbacks record per epoch must be numbers or strings to be saved. "
            f"Got: {error}; leave it out of the history."
        ) from error


def _write_builder(build):
    spec = getattr(build, "__self__", None)
    return dict(vars(spec)) if isinstance(spec, ModuleSpec) else build


def _read_builder(plain):
    return ModuleSpec(**plain).build if isinstance(plain, dict) else plain


def _write_optimizer(optimizer):
    """Return what makes an optimizer: a name and a device for one of ours."""
    for name in OPTIMIZERS:
        for device in ("cpu", "cuda", "mps"):
            if _do_the_same(make_optimizer(name, torch.device(device)), optimizer):
                return {"name": name, "device": device}
    return optimizer


def _read_optimizer(plain):
    if not isinstance(plain, dict):
        return plain
    return make_optimizer(plain["name"], torch.device(plain["device"]))


def _do_the_same(one, other):
    parts = [
        (call.func, call.args, call.keywords) if isinstance(call, partial) else call
        for call in (one, other)
    ]
    return parts[0] == parts[1]


def _write_average(average):
    return average and {name: getattr(average, name) for name in _OF_AVERAGE}


def _read_average(plain):
    if plain is None:
        return None
    average = WeightAverage.__new__(WeightAverage)
    vars(average).update({name: plain[name] for name in _OF_AVERAGE})
    return average


def _find_device(name):
    return None if name is None else str(get_map_location(name))
