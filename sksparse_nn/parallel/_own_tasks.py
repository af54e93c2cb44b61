"""Tasks that make a part of a block, run inside the task that reads the block.

Each task costs a scheduler some milliseconds, and what one leaves for another takes
memory until the scheduler has noticed that it is read.
"""

from collections import Counter

from dask.core import get
from dask.utils import ensure_dict


class OwnTasks:
    """Tasks that no other block needs.

    Parameters
    ----------
    tasks : dict
        A graph of dask.

    key : object
        Key of the last task.
    """

    def __init__(self, tasks, key):
        self._tasks, self._key = tasks, key

    def run(self):
        """Run the tasks, and return the result of the last one.

        Returns
        -------
        part : object
            Part of a block.
        """
        return get(self._tasks, [self._key])[0]


def run_own(part):
    """Make a part of a block if it is not yet there.

    Parameters
    ----------
    part : object
        Part of a block, or `OwnTasks`.

    Returns
    -------
    part : object
        Part of a block.
    """
    return part.run() if isinstance(part, OwnTasks) else part


def take_own_tasks(parts):
    """Put tasks in place of parts that share none with others.

    Parts stay as they are if blocks share a task, as when several are cut from one
    file, or if they are on workers already.

    Parameters
    ----------
    parts : list of Delayed or None
        One per block.

    Returns
    -------
    parts : list of Delayed, OwnTasks or None
        One per block.
    """
    graphs = {}
    found = [_find_tasks(part, graphs) for part in parts]
    n_users = Counter(key for tasks in found for key in tasks)
    return [
        OwnTasks(tasks, part.key)
        if tasks and all(n_users[key] == 1 for key in tasks)
        else part
        for part, tasks in zip(parts, found, strict=True)
    ]


def _find_tasks(part, graphs):
    """Return all tasks that a part needs; none if some of them is not known."""
    if part is None:
        return {}
    if id(part.dask) not in graphs:  # blocks share it
        graphs[id(part.dask)] = ensure_dict(part.dask)
    graph = graphs[id(part.dask)]
    tasks, wanted = {}, [part.key]
    while wanted:
        key = wanted.pop()
        needed = getattr(graph.get(key), "dependencies", None)
        if needed is None:  # a result on a worker
            return {}
        tasks[key] = graph[key]
        wanted.extend(needed.difference(tasks))
    return tasks
