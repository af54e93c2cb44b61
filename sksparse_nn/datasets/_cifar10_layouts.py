"""The three layouts of a CIFAR-10 file, recognised by how the file begins."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sksparse_nn.datasets._batch_files import MAX_FILE_BYTES
from sksparse_nn.datasets._safe_matlab import load_plain_matlab
from sksparse_nn.datasets._safe_pickle import load_plain_pickle
from sksparse_nn.exceptions import DataFormatError

N_PIXELS = 3072
N_CLASSES = 10


def read_batch(raw):
    """Read the images and labels of one batch file.

    Parameters
    ----------
    raw : bytes
        The whole file.

    Returns
    -------
    pixels : ndarray of shape (n_samples, 3072), dtype uint8
        The images; possibly a view of `raw`.

    labels : ndarray of shape (n_samples,)
        Integers from 0 to 9.

    Raises
    ------
    DataFormatError
        If the file is empty, damaged or none of the three layouts.
    """
    pixels, labels = _find_layout(raw).read_batch(raw)
    _check_pixels(pixels)
    _check_labels(labels, len(pixels))
    return pixels, labels


def read_class_names(raw):
    """Read the names of the classes from a ``batches.meta`` file.

    Parameters
    ----------
    raw : bytes
        The whole file.

    Returns
    -------
    names : list of str
        Ten names, in the order of the labels.

    Raises
    ------
    DataFormatError
        If the file is empty, damaged or does not hold ten names.
    """
    names = _find_layout(raw).read_class_names(raw)
    if not _are_class_names(names):
        raise DataFormatError(f"expected the names of ten classes. Got {names!r:.200}.")
    return names


def _are_class_names(names):
    is_list = isinstance(names, list) and len(names) == N_CLASSES
    return is_list and all(isinstance(name, str) for name in names)


def _find_layout(raw):
    if not raw:
        raise DataFormatError("expected data. Got an empty file; get it again.")
    return next(layout for layout in _LAYOUTS if raw.startswith(layout.magic))


def _check_pixels(pixels):
    what = f"expected `data` to be uint8 of shape (n_samples, {N_PIXELS})"
    if not isinstance(pixels, np.ndarray):
        raise DataFormatError(f"{what}. Got a {type(pixels).__name__}.")
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (N_PIXELS,):
        raise DataFormatError(f"{what}. Got {pixels.dtype} of shape {pixels.shape}.")
    if not len(pixels):
        raise DataFormatError(f"{what}. Got no images.")


def _check_labels(labels, n_samples):
    what = f"expected `labels` to be {n_samples} integers from 0 to {N_CLASSES - 1}"
    if labels.dtype.kind not in "iu" or labels.shape != (n_samples,):
        raise DataFormatError(f"{what}. Got {labels.dtype} of shape {labels.shape}.")
    if labels.min() < 0 or labels.max() >= N_CLASSES:
        raise DataFormatError(
            f"{what}. Got labels from {labels.min()} to {labels.max()}."
        )


def _read_binary_batch(raw):
    if len(raw) % (1 + N_PIXELS):
        raise DataFormatError(
            f"expected a multiple of {1 + N_PIXELS} bytes (a label and {N_PIXELS} "
            "pixels per image; 30,730,000 in the published files), or a pickle, or a "
            f"MATLAB 5 file. Got {len(raw):,} bytes that begin with {raw[:8]!r}; the "
            "file is cut short or something else, so get it again."
        )
    rows = np.frombuffer(raw, np.uint8).reshape(-1, 1 + N_PIXELS)
    return rows[:, 1:], rows[:, 0]


def _read_text_names(raw):
    lines = raw.decode("utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _read_pickle_batch(raw):
    content = load_plain_pickle(raw)
    return _get_entry(content, "data"), _as_labels(_get_entry(content, "labels"))


def _read_pickle_names(raw):
    names = _get_entry(load_plain_pickle(raw), "label_names")
    return [_decode(name) for name in names] if isinstance(names, list) else names


def _decode(name):
    return name.decode("utf-8", errors="replace") if isinstance(name, bytes) else name


def _get_entry(content, key):
    if key not in content:
        found = ", ".join(map(repr, content))
        raise DataFormatError(f"expected an entry {key!r}. Got {found or 'none'}.")
    return content[key]


def _as_labels(labels):
    if isinstance(labels, np.ndarray):
        return labels
    if isinstance(labels, list) and all(isinstance(label, int) for label in labels):
        return np.array(labels)
    raise DataFormatError(
        "expected `labels` to be a list of integers. Got a "
        f"{type(labels).__name__} of something else."
    )


def _read_matlab_batch(raw):
    content = load_plain_matlab(raw, ("data", "labels"), MAX_FILE_BYTES)
    return _get_entry(content, "data"), np.ravel(_get_entry(content, "labels"))


def _read_matlab_names(raw):
    content = load_plain_matlab(raw, ("label_names",), MAX_FILE_BYTES)
    return _get_entry(content, "label_names")


class _Layout(NamedTuple):
    magic: bytes
    read_batch: Callable
    read_class_names: Callable


# The binary layout has no mark of its own: it begins with a label, 0 to 9.
_LAYOUTS = (
    _Layout(b"\x80", _read_pickle_batch, _read_pickle_names),
    _Layout(b"MATLAB", _read_matlab_batch, _read_matlab_names),
    _Layout(b"", _read_binary_batch, _read_text_names),
)
