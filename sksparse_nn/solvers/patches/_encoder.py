"""What says for each patch how much of each atom there is."""

from abc import ABC, abstractmethod

from sksparse_nn._registry import Algorithm
from sksparse_nn.solvers.coding import OMP


class PatchEncoder(Algorithm, ABC):
    """Algorithm that says for each patch how much of each atom there is.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names.
    """

    alpha = None  # the level, where there is one
    approximates = False  # values times unit atoms are near the whitened patches
    signed = True  # values can be below zero
    sweeps = False  # there is `add_split`, as soft thresholds have it

    def learning_coder(self):
        """Return the coder whose codes a dictionary for this one is learnt with.

        Returns
        -------
        coder : AbstractCoder
            Of one atom per patch, unless said otherwise.
        """
        return OMP(n_nonzero_coefs=1)

    @abstractmethod
    def prepare(self, dictionary, whitening):
        """Do the work that needs no patch.

        Parameters
        ----------
        dictionary : ndarray of shape (n_atoms, patch_width)
            Atoms of whitened patches.

        whitening : Whitening
            The map of patches.

        Returns
        -------
        state : object
            What `values` needs.
        """

    @abstractmethod
    def values(self, state, patches, out=None):
        """Encode patches.

        Parameters
        ----------
        state : object
            From `prepare`.

        patches : Patches
            The patches.

        out : ndarray of shape (n_patches, n_atoms), default=None
            Memory that may be used for the values.

        Returns
        -------
        values : ndarray of shape (n_patches, n_atoms)
            In the type of the patches.
        """

    def slopes(self, state, whitened, values, attributions):
        """Turn attributions of values into those of patches of unit contrast.

        Parameters
        ----------
        state : object
            From `prepare`, in float64.

        whitened : ndarray of shape (n_patches, patch_width)
            Whitened patches.

        values : ndarray of shape (n_patches, n_atoms)
            From `values`.

        attributions : ndarray of shape (n_targets, n_patches, n_atoms)
            What a unit of each value adds to each target; of no value, nothing.

        Returns
        -------
        attributions : ndarray of shape (n_targets, n_patches, patch_width)
            What a unit of the patches adds.

        Raises
        ------
        TypeError
            If the encoder does not say.
        """
        raise TypeError(
            "Predictions cannot be attributed through the encoder "
            f"{type(self).__name__}, which has no slopes; write its method slopes, or "
            "use features=False."
        )

    def largest_alpha(self, state, patches):
        """Return up to which `alpha` a patch has a nonzero.

        Parameters
        ----------
        state : object
            From `prepare`.

        patches : Patches
            The patches.

        Returns
        -------
        largest : float or None
            None where there is no such level.
        """

    def work(self, n_atoms, patch_width, n_nonzero):
        """Estimate the multiply-adds that encoding a patch takes.

        Parameters
        ----------
        n_atoms, patch_width : int
            Shape of the dictionary.

        n_nonzero : float
            Mean number of nonzero values of a patch.

        Returns
        -------
        work : float
            Products of the patch and the atoms, unless said otherwise.
        """
        return n_atoms * patch_width

    def finish(self, state):
        """Warn of what went wrong, once all patches are encoded.

        Parameters
        ----------
        state : object
            From `prepare`, used on all of them.
        """
        return
