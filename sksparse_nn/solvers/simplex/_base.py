"""Base class of the mappings of scores onto the simplex."""

from abc import ABC, abstractmethod

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
