"""The progress of a fit or a transform: lines for users, tasks for callbacks."""

from contextlib import contextmanager
from time import perf_counter

from sksparse_nn._callbacks import no_task

_SECONDS = 1.0  # between lines of work in many small parts


class ProgressLines:
    """Print lines with the seconds since the start, if verbose.

    Parameters
    ----------
    name : str, default=""
        Name of the task.

    verbose : int, default=0
        Whether to print lines.

    task : Task, default=no_task
        The task of the fit, whose epochs or passes are subtasks.
    """

    def __init__(self, name="", verbose=0, task=no_task):
        self.task = task
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

    @contextmanager
    def passing(self, what=""):
        """Do the body as a task that passes over the data, with a line at its end.

        Parameters
        ----------
        what : str, default=""
            Description of the pass; empty if the body prints the line.
        """
        with self.task.subtask("pass"):
            yield
        if what:
            self(f"pass over the data: {what}")

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
