"""CIFAR-10 from disk, in any of its published layouts."""

from __future__ import annotations

from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sksparse_nn.datasets._batch_files import find_files
from sksparse_nn.datasets._cifar10_layouts import (
    N_PIXELS,
    read_batch,
    read_class_names,
)
from sksparse_nn.datasets._file_set import choose_file_set, list_file_names
from sksparse_nn.exceptions import DataFormatError

_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST = ("test_batch",)
_SUBSETS = {"all": _TRAIN + _TEST, "train": _TRAIN, "test": _TEST}

_PLANES = (3, 32, 32)
_CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

_DESCR = """\
CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes, 6,000 per class,
of which 50,000 are for training and 10,000 for testing.

A row of `data` holds 1,024 red, 1,024 green and 1,024 blue values from 0 to 255,
each plane row by row. Collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton;
described in A. Krizhevsky, "Learning multiple layers of features from tiny images",
University of Toronto, 2009.
"""


def load_cifar10(
    path: str | PathLike, *, subset: str = "all", return_X_y: bool = False
) -> Any:
    """Load CIFAR-10 from disk in any of its published layouts.

    Python pickles, binary files and MATLAB files are recognised by their content.
    Pickles are read without running any code in them.

    Parameters
    ----------
    path : str or path-like
        A published ``.tar.gz``, the folder extracted from it, or a folder that contains
        that one. If several layouts are found, a complete one is preferred, then the
        binary, MATLAB and Python ones in this order.

    subset : {"all", "train", "test"}, default="all"
        Samples to load. ``"all"`` returns the training samples before the test
        samples; the other two need only their own files.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    dataset : Bunch
        Dictionary-like, with these attributes:

        data : ndarray of shape (n_samples, 3072), dtype uint8
            One image per row: 1,024 red values, 1,024 green and 1,024 blue ones.
        target : ndarray of shape (n_samples,), dtype int64
            Class numbers, 0 to 9.
        images : ndarray of shape (n_samples, 32, 32, 3), dtype uint8
            The same values as pictures: a view of `data`.
        target_names : list of str
            Names of the ten classes; the standard ones if the layout's
            ``batches.meta`` file is absent.
        feature_names : list of str
            Name of each column of `data`, such as ``"red_0_31"``: colour, row, column.
        n_train : int
            Number of training samples, which come first.
        DESCR : str
            A description of the data set.

    (data, target) : tuple if ``return_X_y=True``
        The first two of these attributes.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.

    DataFormatError
        If a file is missing, damaged, or does not match its layout.

    ValueError
        If `subset` is not one of the three.

    References
    ----------
    A. Krizhevsky, "Learning multiple layers of features from tiny images", University
    of Toronto, 2009. The data: https://www.cs.toronto.edu/~kriz/cifar.html

    Examples
    --------
    A test batch of two images in the binary layout, a label and 3,072 pixels each:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sksparse_nn.datasets import load_cifar10
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "test_batch.bin"
    ...     n_written = file.write_bytes(bytes([3, *[80] * 3072, 8, *[200] * 3072]))
    ...     cifar10 = load_cifar10(folder, subset="test")
    >>> cifar10.data.shape, cifar10.images.shape
    ((2, 3072), (2, 32, 32, 3))
    >>> [cifar10.target_names[label] for label in cifar10.target]
    ['cat', 'ship']
    """
    if subset not in list(_SUBSETS):
        known = ", ".join(map(repr, _SUBSETS))
        raise ValueError(f"subset must be one of {known}. Got {subset!r}.")
    path, stems = Path(path).expanduser(), _SUBSETS[subset]
    with _name_file(path):
        files = find_files(path, list_file_names(stems))
        file_set = choose_file_set(files, stems)
    batches = [_read(read_batch, path, name, files) for name in file_set.batches]
    data, target = _stack(batches)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        images=data.reshape(-1, *_PLANES).transpose(0, 2, 3, 1),
        target_names=_target_names(path, file_set.class_names, files),
        feature_names=_feature_names(),
        n_train=_count_train(stems, batches),
        DESCR=_DESCR,
    )


def _read(parse, path, name, files):
    with _name_file(f"{path}: {name}"):
        return parse(files[name]())


@contextmanager
def _name_file(place):
    """Begin the messages of format errors with the file."""
    try:
        yield
    except DataFormatError as error:
        raise DataFormatError(f"{place}: {error}") from error


def _stack(batches):
    n_samples = sum(len(labels) for _, labels in batches)
    data = np.empty((n_samples, N_PIXELS), np.uint8)
    np.concatenate([pixels for pixels, _ in batches], out=data)
    return data, np.concatenate([labels for _, labels in batches]).astype(np.int64)


def _target_names(path, name, files):
    if name is None:
        return list(_CLASS_NAMES)
    return _read(read_class_names, path, name, files)


def _count_train(stems, batches):
    pairs = zip(stems, batches, strict=True)
    return sum(len(labels) for stem, (_, labels) in pairs if stem in _TRAIN)


def _feature_names():
    _, n_rows, n_columns = _PLANES
    return [
        f"{colour}_{row}_{column}"
        for colour in ("red", "green", "blue")
        for row in range(n_rows)
        for column in range(n_columns)
    ]
