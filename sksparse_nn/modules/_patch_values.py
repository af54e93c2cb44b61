"""Values of patches: functions of their products with atoms."""

from abc import ABC, abstractmethod

import torch
from torch.nn import functional

from sksparse_nn.solvers.coding import CODERS, HardThreshold, SoftThreshold, Triangle


class PatchValues(ABC):
    """Contract of the values of whitened patches.

    Attributes
    ----------
    is_signed : bool, default=True
        Whether values can be negative.

    unit_atoms : bool, default=True
        Whether atoms are of unit norm.

    has_level : bool, default=True
        Whether there is an `alpha`.

    is_smooth : bool, default=True
        Whether values have a derivative by the level.

    is_swept : bool, default=False
        Whether a kernel computes sums of values and their gradients.
    """

    is_signed = True
    unit_atoms = True
    has_level = True
    is_smooth = True
    is_swept = False

    @abstractmethod
    def __call__(self, products, squares, per_atom):
        """Compute the values.

        Parameters
        ----------
        products : Tensor of shape (n_images, n_positions, n_atoms)
            Of whitened patches and atoms.

        squares : Tensor of shape (n_images, n_positions, 1) or None
            Squared norms of whitened patches, where there is no level.

        per_atom : float or Tensor of shape () or (n_atoms,)
            The level, a tensor where it is trained, or squared norms of the atoms.

        Returns
        -------
        values : Tensor of shape (n_images, n_positions, n_atoms)
            New.
        """


class SoftThresholds(PatchValues):
    """Products shrunk towards zero by a level."""

    is_swept = True

    def __call__(self, products, squares, per_atom):
        if isinstance(per_atom, torch.Tensor):
            return products - torch.clamp(products, -per_atom, per_atom)
        return functional.softshrink(products, per_atom)


class HardThresholds(PatchValues):
    """Products whose magnitude exceeds a level."""

    is_smooth = False

    def __call__(self, products, squares, per_atom):
        return functional.hardshrink(products, per_atom)


class Triangles(PatchValues):
    """By how much atoms are nearer to a patch than all atoms on average."""

    is_signed = False
    unit_atoms = False
    has_level = False

    def __call__(self, products, squares, per_atom):
        found = squares + (per_atom - 2 * products)
        # The slope of the root is infinite at zero.
        distances = found.clamp(min=torch.finfo(found.dtype).tiny).sqrt()
        return torch.relu(distances.mean(dim=2, keepdim=True) - distances)


_OF_CODERS = {
    SoftThreshold: SoftThresholds(),
    HardThreshold: HardThresholds(),
    Triangle: Triangles(),
}

PATCH_VALUES = {
    name: _OF_CODERS[CODERS[name]] for name in CODERS if CODERS[name] in _OF_CODERS
}
