"""The device that a network runs on."""

import torch


def check_device(device):
    """Return a device after checking that torch can use it here.

    Parameters
    ----------
    device : str or torch.device
        As torch names it, such as ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Returns
    -------
    device : torch.device
        The device.

    Raises
    ------
    ValueError
        If torch does not know the device or cannot use it on this machine.
    """
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device must be one that torch can use here. Got {device!r}: {reason} "
            'Set device="cpu", or install a torch build for the hardware.'
        ) from error
    return found
