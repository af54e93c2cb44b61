"""How many numbers are held, and in how much room."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Numbers that are held, and their room.

    Attributes
    ----------
    parameters : int, default=0
        How many.

    nonzero : int, default=0
        How many of them are not zero.

    n_bytes : int, default=0
        Bytes in memory.
    """

    parameters: int = 0
    nonzero: int = 0
    n_bytes: int = 0

    @classmethod
    def of(cls, tensors):
        """Measure tensors.

        Parameters
        ----------
        tensors : sequence of Tensor
            Each is counted.

        Returns
        -------
        size : Size
            Of all together.
        """
        return cls(
            sum(x.numel() for x in tensors),
            sum(int(x.count_nonzero()) for x in tensors),
            sum(x.nbytes for x in tensors),
        )

    def __add__(self, other):
        return Size(
            self.parameters + other.parameters,
            self.nonzero + other.nonzero,
            self.n_bytes + other.n_bytes,
        )
