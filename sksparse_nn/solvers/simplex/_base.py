"""What every mapping of scores onto the simplex tells."""

from abc import ABC, abstractmethod

import numpy as np

from sksparse_nn._registry import Algorithm


class AbstractMapping(Algorithm, ABC):
    """Function of scores whose values are not negative and add up to one.

    Entries join the code one by one, the larger score first, as the temperature rises
    that scores are divided by.
    """

    projects = False  # is the Euclidean projection onto the simplex

    @abstractmethod
    def encode(self, block, offsets, sharpness, codes):
        """Map the scores of a block of rows.

        Parameters
        ----------
        block : Block
            Products of rows and keys.

        offsets : ndarray of shape (n_keys,)
            Subtracted from the products.

        sharpness : float
            Multiplies the differences of scores.

        codes : Codes
            Overwritten.
        """

    def jacobian(self, shares):
        """Differentiate the entries of a code by their scores.

        Parameters
        ----------
        shares : ndarray of shape (n_entries,)
            Entries of a row's code, above zero.

        Returns
        -------
        jacobian : ndarray of shape (n_entries, n_entries)
            A row an entry, in units of one over the temperature; what is added to all
            scores changes no entry.

        Raises
        ------
        TypeError
            If the mapping does not say.
        """
        raise TypeError(
            "Predictions cannot be attributed through the mapping "
            f"{type(self).__name__}, which has no jacobian; write its method jacobian, "
            "or use features=False."
        )

    def adjoint(self, codes, gradients):
        """Turn the gradients of codes into those of their scores.

        Parameters
        ----------
        codes : ndarray of shape (n_rows, n_keys)
            What `encode` gives for some rows.

        gradients : ndarray of shape (n_rows, n_keys)
            Of a loss by all codes.

        Returns
        -------
        adjoint : ndarray of shape (n_rows, n_keys)
            Zero outside the support, which is held fixed.
        """
        adjoint = np.zeros_like(codes)
        for i, code in enumerate(codes):
            used = np.flatnonzero(code)
            adjoint[i, used] = self.jacobian(code[used]).T @ gradients[i, used]
        return adjoint

    @abstractmethod
    def joining(self, depths):
        """Return the temperature above which each entry is in the code.

        Parameters
        ----------
        depths : ndarray of shape (n_rows, n_keys)
            By how much each score is below the largest of its row, ascending.

        Returns
        -------
        temperatures : ndarray of shape (n_rows, n_keys)
            Ascending, in the units of the scores; that of the first is zero.
        """
