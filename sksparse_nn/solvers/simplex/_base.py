"""Base class of the mappings of scores onto the simplex."""

from abc import ABC, abstractmethod

import numpy as np

from sksparse_nn._registry import Algorithm


class AbstractMapping(Algorithm, ABC):
    """Mapping of scores to nonnegative codes that add up to one.

    Scores are divided by a temperature. As it rises, entries join the code one by one,
    from the largest score to the smallest.
    """

    projects = False  # whether it is the Euclidean projection onto the simplex

    @abstractmethod
    def encode(self, block, offsets, sharpness, codes):
        """Map the scores of a block of rows.

        Parameters
        ----------
        block : Block
            Products of rows and keys.

        offsets : ndarray of shape (n_keys,)
            To subtract from the products.

        sharpness : float
            Factor of the scores, the inverse of the temperature.

        codes : Codes
            Overwritten.
        """

    def jacobian(self, shares):
        """Differentiate the entries of a code by their scores.

        Parameters
        ----------
        shares : ndarray of shape (n_entries,)
            Nonzero entries of the code of a row.

        Returns
        -------
        jacobian : ndarray of shape (n_entries, n_entries)
            One row per entry, in units of the inverse temperature. A constant added to
            all scores changes no entry.

        Raises
        ------
        TypeError
            If the mapping does not implement it.
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
    def joining_temperatures(self, depths):
        """Return the temperature above which each entry is in the code.

        Parameters
        ----------
        depths : ndarray of shape (n_rows, n_keys)
            Largest score of the row minus each score, ascending.

        Returns
        -------
        temperatures : ndarray of shape (n_rows, n_keys)
            Ascending, in the units of the scores; zero for the first entry.
        """
