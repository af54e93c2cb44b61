"""Files that are written as a whole, or stay as they were."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path):
    """Write a file beside another, and put it in its place once it is whole.

    Parameters
    ----------
    path : str or path-like
        The file, which need not exist. Of a link, the file that it leads to; what is no
        file but a device or a pipe is written to as it stands.

    Yields
    ------
    beside : Path
        Where to write. If the body raises, it is removed, and the file as it was.
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        yield path
        return
    beside = path.with_name(f".{uuid4().hex}{path.suffix}")
    try:
        beside.touch()
        if path.exists():
            shutil.copymode(path, beside)
        yield beside
        _reach_the_disk(beside)
        beside.replace(path)
    except OSError as error:
        if error.filename != str(beside):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        beside.unlink(missing_ok=True)


def _reach_the_disk(path):
    """Let what some systems keep back fail now, such as for want of space."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
