"""Lines that say how far a fit or a transform is."""

from time import perf_counter

_SECONDS = 1.0  # between lines of work that goes on in many small parts


class ProgressLines:
    """Print lines with the seconds since the start, if they are wanted.

    Parameters
    ----------
    name : str, default=""
        Whose progress it is.

    verbose : int, default=0
        Whether lines are printed at all.
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
            What has been reached.
        """
        if self._is_on:
            self._last = perf_counter()
            seconds = self._last - self._start
            print(f"[{self._name}] {text}, {seconds:.1f} s", flush=True)  # noqa: T201

    def through(self, parts, n_parts, what):
        """Hand parts on, with a line a second at most.

        Parameters
        ----------
        parts : iterable
            Parts of the work, as they are done.

        n_parts : int
            How many there will be.

        what : str
            What is done.

        Yields
        ------
        part : object
            Each of them.
        """
        for n_done, part in enumerate(parts, 1):
            yield part
            if self._is_on and perf_counter() - self._last > _SECONDS:
                self(f"{what}: {n_done / n_parts:.0%}")


silent = ProgressLines()
