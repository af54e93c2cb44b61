"""Lines on the progress of a fit or a transform."""

from time import perf_counter

_SECONDS = 1.0  # between lines of work in many small parts


class ProgressLines:
    """Print lines with the seconds since the start, if verbose.

    Parameters
    ----------
    name : str, default=""
        Name of the task.

    verbose : int, default=0
        Whether to print lines.
    """

    def __init__(self, name="", verbose=0):
        self._name = name
        self._is_on = verbose > 0
        self._start = self._last = perf_counter()

    def __call__(self, text):
        """Print a line.

        Parameters
        ----------
        text : object
            Description of the progress.
        """
        if self._is_on:
            self._last = perf_counter()
            seconds = self._last - self._start
            print(f"[{self._name}] {text}, {seconds:.1f} s", flush=True)  # noqa: T201

    def through(self, parts, n_parts, what):
        """Yield parts, with at most one line per second.

        Parameters
        ----------
        parts : iterable
            Finished parts of the work.

        n_parts : int
            Number of parts.

        what : str
            Description of the work.

        Yields
        ------
        part : object
            Each part.
        """
        for n_done, part in enumerate(parts, 1):
            yield part
            if self._is_on and perf_counter() - self._last > _SECONDS:
                self(f"{what}: {n_done / n_parts:.0%}")


silent = ProgressLines()
