"""Find the files of a data set."""

from pathlib import PurePosixPath
from typing import NamedTuple

from sksparse_nn.exceptions import DataFormatError

# Each layout's file name ending, in the order of preference, and its file of names.
_META_NAMES = {
    ".bin": "batches.meta.txt",
    ".mat": "batches.meta.mat",
    "": "batches.meta",
}


class FileSet(NamedTuple):
    """The files of one data set in one layout.

    Attributes
    ----------
    batches : list of PurePosixPath
        The batch files, in the order of their rows.

    class_names : PurePosixPath or None
        File with the names of the classes, if it exists.
    """

    batches: list[PurePosixPath]
    class_names: PurePosixPath | None


def list_file_names(stems):
    """List the possible file names of a data set.

    Parameters
    ----------
    stems : sequence of str
        Names of the batches, such as ``"test_batch"``.

    Returns
    -------
    names : list of str
        Names with each layout's ending, and those of the files of class names.
    """
    batches = [stem + suffix for stem in stems for suffix in _META_NAMES]
    return batches + list(_META_NAMES.values())


def choose_file_set(present, stems):
    """Choose one folder and one layout out of the files that are present.

    Parameters
    ----------
    present : collection of PurePosixPath
        Files with names from `list_file_names`.

    stems : sequence of str
        Names of the batches that are needed.

    Returns
    -------
    file_set : FileSet
        The most complete set, in the outermost folder, in the layout that is fastest to
        read.

    Raises
    ------
    DataFormatError
        If there is no such set, if two are equally good, or if it is incomplete.
    """
    sets = {(name.parent, name.suffix) for name in present if name.stem in stems}
    if not sets:
        raise DataFormatError(
            f"expected files named {', '.join(stems)} (or with .bin or .mat), directly "
            "in it or one folder below. Got none; give the folder that holds them."
        )
    rank = {key: _rank(_find_missing(*key, stems, present), *key) for key in sets}
    best = [key for key in sorted(sets) if rank[key] == min(rank.values())]
    if len(best) > 1:
        folders = ", ".join(str(folder) for folder, _ in best)
        raise DataFormatError(
            f"expected one data set. Got one in each of {folders}; give one of them."
        )
    return _check_complete(*best[0], stems, present)


def _rank(missing, folder, suffix):
    return len(missing), len(folder.parts), list(_META_NAMES).index(suffix)


def _find_missing(folder, suffix, stems, present):
    paths = [folder / f"{stem}{suffix}" for stem in stems]
    return [path for path in paths if path not in present]


def _check_complete(folder, suffix, stems, present):
    missing = _find_missing(folder, suffix, stems, present)
    if missing:
        raise DataFormatError(
            f"expected {len(stems)} batch files. Got all but "
            f"{', '.join(map(str, missing))}; put the missing ones there."
        )
    meta = folder / _META_NAMES[suffix]
    batches = [folder / f"{stem}{suffix}" for stem in stems]
    return FileSet(batches, meta if meta in present else None)
