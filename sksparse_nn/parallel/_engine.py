"""What brings requests to chunks: the contract."""

from abc import ABC, abstractmethod

from sksparse_nn.parallel._job import Job
from sksparse_nn.parallel._parts import check_alike
from sksparse_nn.parallel._passes import Passes


class Engine(ABC):
    """Chunks, and workers that read them."""

    _has_samples = False

    def bring(self, request):
        """Return the sum of what chunks give.

        Parameters
        ----------
        request : Request
            What they are asked for.

        Returns
        -------
        total : object
            Of a round, the sum, or None if no chunk had samples for it; of passes, what
            is known after them.

        Raises
        ------
        ValueError
            If chunks differ, or none has a sample.
        """
        if isinstance(request.what, Passes):
            known = self.pass_over(request.what, request.ahead)
            self._check_any(known.layouts)
            return known
        part = self.add_up(Job(request.what, request.ahead))
        check_alike(part.layouts)
        self._check_any(part.layouts)
        return part.total

    def _check_any(self, layouts):
        self._has_samples |= bool(layouts)
        if not self._has_samples:
            raise ValueError(
                "At least one chunk must have a sample of weight above zero. Got none."
            )

    @abstractmethod
    def add_up(self, job):
        """Run a job on the chunks that its round takes.

        Parameters
        ----------
        job : Job
            A function of a numbered chunk.

        Returns
        -------
        part : Part
            The sum of the results, by the tree of `_parts.add_up`.
        """

    @abstractmethod
    def pass_over(self, passes, ahead):
        """Let an estimator learn from the chunks in order.

        Parameters
        ----------
        passes : Passes
            The estimator, and how often.

        ahead : tuple of transformer
            Fitted steps that the samples go through first.

        Returns
        -------
        known : Known
            After the last chunk.
        """
