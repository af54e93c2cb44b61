"""Number of parameters, and the memory that they take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Number of parameters, and the memory that they take.

    Attributes
    ----------
    parameters : int, default=0
        Number of parameters.

    nonzero : int, default=0
        Number of those that are not zero.

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
            All are counted.

        Returns
        -------
        size : Size
            Their total.
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
