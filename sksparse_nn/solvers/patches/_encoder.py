"""Base class of the encoders of patches."""

from abc import ABC, abstractmethod

from sksparse_nn._registry import Algorithm
from sksparse_nn.solvers.coding import OMP


class PatchEncoder(Algorithm, ABC):
    """Algorithm that encodes patches: a value per patch and atom.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names.
    """

    alpha = None  # threshold or penalty, if it has one
    approximates = False  # whether values times unit atoms approximate the patches
    signed = True  # whether values can be negative
    sweeps = False  # whether it has `add_split`, as soft thresholds do

    def learning_coder(self):
        """Return the coder with which a dictionary for this encoder is learnt.

        Returns
        -------
        coder : AbstractCoder
            By default pursuit with one atom per patch.
        """
        return OMP(n_nonzero_coefs=1)

    @abstractmethod
    def prepare(self, dictionary, whitening):
        """Precompute what does not depend on the patches.

        Parameters
        ----------
        dictionary : ndarray of shape (n_atoms, patch_width)
            Atoms of whitened patches.

        whitening : Whitening
            The map of patches.

        Returns
        -------
        state : object
            Argument of `values`.
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
            Buffer that may hold the values.

        Returns
        -------
        values : ndarray of shape (n_patches, n_atoms)
            Values, of the type of the patches.
        """

    def slopes(self, state, whitened, values, attributions):
        """Pull attributions of values back to patches of unit contrast.

        Parameters
        ----------
        state : object
            From `prepare`, in float64.

        whitened : ndarray of shape (n_patches, patch_width)
            Whitened patches.

        values : ndarray of shape (n_patches, n_atoms)
            From `values`.

        attributions : ndarray of shape (n_targets, n_patches, n_atoms)
            Contribution to each target per unit of each value.

        Returns
        -------
        attributions : ndarray of shape (n_targets, n_patches, patch_width)
            Contribution per unit of the entries of the patches.

        Raises
        ------
        TypeError
            If the encoder does not implement it.
        """
        raise TypeError(
            "Predictions cannot be attributed through the encoder "
            f"{type(self).__name__}, which has no slopes; write its method slopes, or "
            "use features=False."
        )

    def largest_alpha(self, state, patches):
        """Return the bound on `alpha` below which some patch has a nonzero value.

        Parameters
        ----------
        state : object
            From `prepare`.

        patches : Patches
            The patches.

        Returns
        -------
        largest : float or None
            The bound; None if there is no such level.
        """

    def work(self, n_atoms, patch_width, n_nonzero):
        """Estimate the multiply-adds that encoding a patch takes.

        Parameters
        ----------
        n_atoms, patch_width : int
            Shape of the dictionary.

        n_nonzero : float
            Mean number of nonzero values per patch.

        Returns
        -------
        work : float
            Multiply-adds; by default those of the products with the atoms.
        """
        return n_atoms * patch_width

    def finish(self, state):
        """Warn, if need be, once all patches are encoded.

        Parameters
        ----------
        state : object
            From `prepare`, used for all patches.
        """
        return
