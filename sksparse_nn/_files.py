"""Atomic replacement of files."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path):
    """Write a temporary file, and move it to a path once it is complete.

    Parameters
    ----------
    path : str or path-like
        The file, which need not exist. A link is resolved; a device or a pipe is
        written to directly.

    Yields
    ------
    beside : Path
        Where to write. If the body raises, it is removed, and the file is unchanged.
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
        _flush_to_disk(beside)
        beside.replace(path)
    except OSError as error:
        if error.filename != str(beside):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        beside.unlink(missing_ok=True)


def _flush_to_disk(path):
    """Flush to disk, so that delayed errors such as a full disk are raised now."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
