"""Read files of a folder or a ``.tar.gz``, with bounded sizes."""

import gzip
import tarfile
import zlib
from functools import partial
from pathlib import PurePosixPath

from sksparse_nn.exceptions import DataFormatError

MAX_FILE_BYTES = 2**26
_MAX_ARCHIVE_BYTES = 2**30
_CHUNK_BYTES = 2**20


def find_files(path, wanted):
    """Find the files that have certain names.

    Parameters
    ----------
    path : Path
        A folder, searched together with the folders in it, or a ``.tar.gz``, which is
        read in memory and not unpacked.

    wanted : collection of str
        File names, without folders.

    Returns
    -------
    files : dict
        Maps each file found, a PurePosixPath relative to `path`, to a function that
        returns its content.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.

    DataFormatError
        If an archive is damaged, or larger than a data set can be.
    """
    if path.is_dir():
        return _find_in_folder(path, wanted)
    if path.exists():
        return _find_in_archive(path, wanted)
    raise FileNotFoundError(
        f"expected a data set's .tar.gz or folder. Got {str(path)!r}, which does not "
        "exist; give the path of one that is on this computer."
    )


def _find_in_folder(folder, wanted):
    return {
        PurePosixPath(found.relative_to(folder).as_posix()): partial(_read_file, found)
        for name in wanted
        for pattern in (name, f"*/{name}")
        for found in folder.glob(pattern)
        if found.is_file()
    }


def _read_file(path):
    _check_size(path.name, path.stat().st_size)
    return path.read_bytes()


def _check_size(name, n_bytes):
    if not 0 <= n_bytes <= MAX_FILE_BYTES:
        raise DataFormatError(
            f"expected {name} to have at most {MAX_FILE_BYTES:,} bytes, twice what the "
            f"published files have. Got {n_bytes:,}; get the published file."
        )


def _find_in_archive(path, wanted):
    try:
        with gzip.open(path) as stream:
            return _read_members(_BoundedStream(stream, _MAX_ARCHIVE_BYTES), wanted)
    except DataFormatError:
        raise
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, ValueError, zlib.error) as e:
        raise DataFormatError(
            "expected a folder or a whole .tar.gz. Got a file that cannot be "
            f"read as one ({type(e).__name__}: {e}); it is cut short or something "
            "else, so download it again."
        ) from e


def _read_members(stream, wanted):
    """Read members in the archive's order; links are skipped, names are never paths."""
    files = {}
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK_BYTES) as archive:
        for member in archive:
            _check_size(member.name, member.size)
            name = PurePosixPath(member.name)
            if member.isreg() and name.name in wanted:
                files[name] = partial(bytes, archive.extractfile(member).read())
    while stream.read(_CHUNK_BYTES):
        pass  # the checksum is at the end
    return files


class _BoundedStream:
    """A stream that raises once too many bytes are read."""

    def __init__(self, stream, max_bytes):
        self._stream = stream
        self._n_left = max_bytes

    def read(self, size):
        chunk = self._stream.read(size)
        self._n_left -= len(chunk)
        if self._n_left < 0:
            raise DataFormatError(
                f"expected at most {_MAX_ARCHIVE_BYTES:,} bytes of content. Got more; "
                "this is not the published archive, so download that one."
            )
        return chunk
