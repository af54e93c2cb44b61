"""Optimizers by name."""

from functools import partial

import torch
from torch import optim

from sksparse_nn.neural._equality import are_same

OPTIMIZERS = {
    "adagrad": optim.Adagrad,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
    "sgd": partial(optim.SGD, momentum=0.9, nesterov=True),
}

# One kernel for all parameters instead of several each saves a fifth of an epoch.
_FUSED = {"adagrad": {"cpu"}, "adam": {"cpu", "cuda"}, "adamw": {"cpu", "cuda"}}
_FUSED["sgd"] = {"cpu", "cuda"}

# Settings that optimizers read in each step, and that need no state of their own.
_READ_EACH_STEP = {"alpha", "betas", "dampening", "eps", "lr_decay", "momentum_decay"}
_READ_EACH_STEP |= {"rho", "weight_decay"}


def make_optimizer(name, device):
    """Return a callable that makes an optimizer.

    Parameters
    ----------
    name : str or callable
        One of `OPTIMIZERS`, or a class such as ``torch.optim.NAdam``.

    device : torch.device
        Device of the parameters.

    Returns
    -------
    optimizer : callable
        Takes parameters, ``lr`` and ``weight_decay``.
    """
    if not isinstance(name, str):
        return name
    fused = {"fused": True} if device.type in _FUSED.get(name, ()) else {}
    return partial(OPTIMIZERS[name], **fused)


def makes_optimizer(make, name):
    """Return whether a callable is the one that `make_optimizer` returns.

    Parameters
    ----------
    make : callable
        Of a net, on whatever device.

    name : str or callable
        One of `OPTIMIZERS`, or a class such as ``torch.optim.NAdam``.

    Returns
    -------
    makes_optimizer : bool
        Whether it makes the same optimizers.
    """
    if not isinstance(name, str):
        return are_same(make, name)
    return are_same(_without_kernels(make), _without_kernels(OPTIMIZERS[name]))


def _without_kernels(make):
    """Return what a callable calls, and with what, but for the kind of kernels."""
    if not isinstance(make, partial):
        return make, {"fused": None}
    return make.func, {**make.keywords, "fused": None}


def find_defaults(name, settings):
    """Return all settings of an optimizer.

    Parameters
    ----------
    name : str or callable
        One of `OPTIMIZERS`, or a class such as ``torch.optim.NAdam``.

    settings : dict
        Those that are given, other than the learning rate.

    Returns
    -------
    settings : dict
        Also those that are not given.
    """
    return _make_one(name, settings).param_groups[0]


def may_change(optimizer, name):
    """Return whether a setting of an optimizer takes effect after its first steps.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The optimizer.

    name : str
        Of the setting.

    Returns
    -------
    may_change : bool
        False for what needs a state of its own, such as ``amsgrad``.
    """
    is_read = name in _READ_EACH_STEP
    if type(optimizer) is optim.SGD:
        is_read = is_read or name in ("momentum", "nesterov")
    return is_read and all(name in group for group in optimizer.param_groups)


def check_settings(name, weight_decay, others):
    """Check the settings of an optimizer by making one.

    Parameters
    ----------
    name : str or callable
        One of `OPTIMIZERS`, or a class such as ``torch.optim.NAdam``.

    weight_decay : float
        Decay of the weights.

    others : dict or None
        Further keyword arguments of the optimizer.

    Returns
    -------
    settings : dict
        All settings by name, except the learning rate, and except a decay of zero if
        the optimizer has none.

    Raises
    ------
    ValueError
        If the optimizer rejects an argument or its value.
    """
    others = others or {}
    for own in ("lr", "params", "weight_decay"):
        if own in others:
            raise ValueError(
                f"optimizer_params must leave learning_rate and weight_decay to the "
                f"parameters of these names. Got {own!r} in optimizer_params={others}."
            )
    settings = {"weight_decay": weight_decay, **others}
    if not weight_decay and _is_refused(name, settings):
        # L-BFGS and Rprop, among others, take no decay, not even zero.
        settings = others if not _is_refused(name, others) else settings
    try:
        _make_one(name, settings)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"optimizer={name!r} must take the settings that are given. Got "
            f"{settings}: {error}"
        ) from error
    return settings


def takes_groups(name, settings):
    """Return whether an optimizer takes groups of parameters, which L-BFGS does not.

    Parameters
    ----------
    name : str or callable
        One of `OPTIMIZERS`, or a class such as ``torch.optim.NAdam``.

    settings : dict
        All settings but the learning rate.

    Returns
    -------
    takes_groups : bool
        Whether there may be two.
    """
    weights = [torch.nn.Parameter(torch.zeros(1, 1)) for _ in range(2)]
    groups = [{"params": [weight]} for weight in weights]
    try:
        make_optimizer(name, torch.device("cpu"))(groups, lr=1e-3, **settings)
    except (TypeError, ValueError):
        return False
    return True


def _is_refused(name, settings):
    try:
        _make_one(name, settings)
    except TypeError:
        return True
    except ValueError:
        return False
    return False


def _make_one(name, settings):
    weight = torch.nn.Parameter(torch.zeros(1, 1))
    return make_optimizer(name, torch.device("cpu"))([weight], lr=1e-3, **settings)
