"""What every mapping of scores onto the simplex tells."""

from abc import ABC, abstractmethod


class AbstractMapping(ABC):
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
