"""Products in bfloat16, which some devices multiply faster than float32."""

import torch

from sksparse_nn._warnings import warn


def multiplies_bfloat16(device):
    """Return whether a device has instructions that multiply numbers of bfloat16.

    Parameters
    ----------
    device : torch.device
        A device that torch can use.

    Returns
    -------
    multiplies : bool
        False where it is not known. Others compute in float32 and round, which takes
        longer than float32 alone.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    known = getattr(torch.cpu, "get_capabilities", dict)()
    return any(has for name, has in known.items() if name.endswith("bf16"))


def may_lower(wanted, device):
    """Return whether to train in mixed precision, and warn where that cannot be.

    Parameters
    ----------
    wanted : bool
        Whether the user asks for it.

    device : torch.device
        Where the network is trained.

    Returns
    -------
    may_lower : bool
        Whether it is wanted, and the device is faster with it.
    """
    if wanted and not multiplies_bfloat16(device):
        warn(
            f"mixed_precision=True changes nothing on this device ({device.type!r}), "
            "as torch knows of no instructions for bfloat16 here; the network is "
            "trained in its own float type."
        )
        return False
    return wanted
