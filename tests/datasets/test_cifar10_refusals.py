"""Files of CIFAR-10 that are wrong."""

import pickle

import numpy as np
import pytest
from scipy.io import savemat

from sksparse_nn.datasets import load_cifar10
from tests.datasets.cifar10_files import (
    BATCHES,
    ENDINGS,
    LAYOUTS,
    refusal,
    write,
)


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\.tar\.gz or folder.*nowhere"):
        load_cifar10(tmp_path / "nowhere")


def test_a_subset_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"'all', 'train', 'test'.*Got 'valid'"):
        load_cifar10(tmp_path, subset="valid")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_batches_that_are_missing_are_named(layout, tmp_path):
    write(layout, tmp_path)
    for stem in ("data_batch_3", "test_batch"):
        (tmp_path / f"{stem}{ENDINGS[layout]}").unlink()
    message = refusal(tmp_path)
    assert f"data_batch_3{ENDINGS[layout]}, test_batch{ENDINGS[layout]}" in message


def test_a_folder_without_batches_is_told_what_was_expected(tmp_path):
    assert "data_batch_1, data_batch_2" in refusal(tmp_path)


def test_two_equal_data_sets_are_not_chosen_between(tmp_path):
    for name in ("one", "two"):
        write("bin", tmp_path / name)
    assert "one, two" in refusal(tmp_path)


@pytest.mark.parametrize("n_left", [1, 3072, 3074, 12000])
def test_a_binary_file_that_is_cut_short_tells_its_size(n_left, tmp_path):
    file = write("bin", tmp_path) / "test_batch.bin"
    file.write_bytes(file.read_bytes()[:n_left])
    message = refusal(tmp_path)
    assert "test_batch.bin" in message
    assert "multiple of 3073" in message
    assert f"{n_left:,} bytes" in message


@pytest.mark.parametrize("layout", ["mat", "py"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_other_files_that_are_cut_short_are_named(layout, share, tmp_path):
    file = write(layout, tmp_path) / f"data_batch_4{ENDINGS[layout]}"
    raw = file.read_bytes()
    file.write_bytes(raw[: int(share * len(raw))])
    assert f"{file.name}: expected a whole" in refusal(tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_file_is_named(layout, tmp_path):
    file = write(layout, tmp_path) / f"data_batch_2{ENDINGS[layout]}"
    file.write_bytes(b"")
    assert f"{file.name}: expected data. Got an empty file" in refusal(tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_of_something_else_is_named(layout, tmp_path):
    file = write(layout, tmp_path) / f"data_batch_5{ENDINGS[layout]}"
    file.write_bytes(b"<html>404 Not Found</html>")
    message = refusal(tmp_path)
    assert file.name in message
    assert "26 bytes that begin with b'<html>40'" in message


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_beyond_the_ten_classes_are_refused(layout, tmp_path, monkeypatch):
    pixels, _ = BATCHES["test_batch"]
    labels = np.array([0, 3, 10, 9], np.uint8)
    monkeypatch.setitem(BATCHES, "test_batch", (pixels, labels))
    assert "from 0 to 9. Got labels from 0 to 10" in refusal(write(layout, tmp_path))


@pytest.mark.parametrize("layout", ["mat", "py"])
@pytest.mark.parametrize(
    "pixels",
    [np.ones((4, 3071), np.uint8), np.ones((4, 3072)), np.ones((4, 3, 1024), np.uint8)],
    ids=["width", "type", "dimensions"],
)
def test_images_of_another_shape_or_type_are_refused(
    layout, pixels, tmp_path, monkeypatch
):
    monkeypatch.setitem(BATCHES, "test_batch", (pixels, BATCHES["test_batch"][1]))
    message = refusal(write(layout, tmp_path))
    assert "uint8 of shape (n_samples, 3072)" in message


@pytest.mark.parametrize("layout", ["mat", "py"])
def test_labels_of_another_number_than_images_are_refused(
    layout, tmp_path, monkeypatch
):
    pixels, labels = BATCHES["test_batch"]
    monkeypatch.setitem(BATCHES, "test_batch", (pixels, labels[:3]))
    assert "to be 4 integers" in refusal(write(layout, tmp_path))


@pytest.mark.parametrize("labels", [[0.0] * 4, ["cat"] * 4, [[1], [2, 3]], None])
def test_labels_that_are_not_integers_are_refused(labels, tmp_path):
    content = {"data": BATCHES["test_batch"][0], "labels": labels}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content))
    assert "list of integers" in refusal(tmp_path, subset="test")


def test_a_pickle_of_another_data_set_tells_what_it_has(tmp_path):
    content = {"data": BATCHES["test_batch"][0], "fine_labels": [1, 2, 3, 4]}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content))
    message = refusal(tmp_path, subset="test")
    assert "'labels'. Got 'data', 'fine_labels'" in message


def test_a_matlab_file_of_another_data_set_tells_what_it_has(tmp_path):
    savemat(tmp_path / "test_batch.mat", {"labels": np.arange(3)})
    assert "'data'. Got 'labels'" in refusal(tmp_path, subset="test")


def test_a_newer_matlab_file_is_refused(tmp_path):
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "test_batch.mat").write_bytes(header + bytes(1000))
    assert "whole MATLAB 5 file" in refusal(tmp_path, subset="test")


def test_a_matlab_file_that_unfolds_to_a_huge_array_is_refused(tmp_path):
    huge = np.zeros((2**26 + 1, 1), np.uint8)
    savemat(tmp_path / "test_batch.mat", {"data": huge}, do_compression=True)
    assert "at most 67,108,864 bytes" in refusal(tmp_path, subset="test")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_other_than_ten_names_are_refused(layout, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.datasets.cifar10_files.NAMES", ["cat", "dog"])
    message = refusal(write(layout, tmp_path))
    assert "batches.meta" in message
    assert "ten classes. Got ['cat', 'dog']" in message


def test_a_pickle_that_names_a_function_is_refused(tmp_path):
    raw = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
    (tmp_path / "test_batch").write_bytes(raw)
    message = refusal(tmp_path, subset="test")
    assert "test_batch: " in message
    assert "os.system" in message


def test_a_file_of_unlikely_size_is_not_read(tmp_path):
    with (tmp_path / "test_batch").open("wb") as file:
        file.truncate(2**33)
    assert "at most 67,108,864 bytes" in refusal(tmp_path, subset="test")
