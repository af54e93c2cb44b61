"""Loading CIFAR-10: three layouts, folders and archives."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn.datasets import load_cifar10
from tests.datasets.cifar10_files import (
    ENDINGS,
    LAYOUTS,
    STEMS,
    assert_is_the_data,
    pack,
    write,
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_rows_that_were_written(layout, tmp_path):
    assert_is_the_data(load_cifar10(write(layout, tmp_path)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_that_contains_the_layout_will_do(layout, tmp_path):
    write(layout, tmp_path / "any name")
    assert_is_the_data(load_cifar10(str(tmp_path)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_archive_is_read_as_it_is(layout, tmp_path):
    folder = write(layout, tmp_path / "any name")
    assert_is_the_data(load_cifar10(pack(folder, tmp_path / "any.name")))


def test_the_layout_is_told_by_the_content_of_the_file(tmp_path):
    for layout in LAYOUTS:
        write(layout, tmp_path / layout)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for stem, layout in zip(STEMS, LAYOUTS * 2, strict=True):
        source = tmp_path / layout / f"{stem}{ENDINGS[layout]}"
        (mixed / f"{stem}.bin").write_bytes(source.read_bytes())
    assert_array_equal(
        load_cifar10(mixed).data, load_cifar10(tmp_path / "bin").data, strict=True
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_types_and_memory_order_are_the_same_for_all_layouts(layout, tmp_path):
    dataset = load_cifar10(write(layout, tmp_path))
    assert dataset.data.dtype == np.uint8
    assert dataset.data.flags.c_contiguous
    assert dataset.data.flags.writeable
    assert dataset.target.dtype == np.int64


def test_images_are_a_view_with_the_colours_last(tmp_path):
    dataset = load_cifar10(write("bin", tmp_path))
    assert dataset.images.shape == (19, 32, 32, 3)
    assert np.shares_memory(dataset.images, dataset.data)
    assert dataset.images[7, 4, 9, 2] == dataset.data[7, 2 * 1024 + 4 * 32 + 9]


def test_feature_names_say_colour_row_and_column(tmp_path):
    names = load_cifar10(write("bin", tmp_path)).feature_names
    assert len(set(names)) == 3072
    assert names[2 * 1024 + 4 * 32 + 9] == "blue_4_9"


def test_training_rows_come_first(tmp_path):
    folder = write("bin", tmp_path)
    everything = load_cifar10(folder)
    assert everything.n_train == 15
    train, test = (load_cifar10(folder, subset=name) for name in ("train", "test"))
    assert_array_equal(everything.data[:15], train.data, strict=True)
    assert_array_equal(everything.data[15:], test.data, strict=True)
    assert (train.n_train, test.n_train) == (15, 0)


def test_data_and_target_alone_can_be_asked_for(tmp_path):
    folder = write("bin", tmp_path)
    X, y = load_cifar10(folder, return_X_y=True)
    dataset = load_cifar10(folder)
    assert_array_equal(X, dataset.data, strict=True)
    assert_array_equal(y, dataset.target, strict=True)


def test_a_subset_needs_only_its_own_files(tmp_path):
    write("bin", tmp_path)
    (tmp_path / "test_batch.bin").unlink()
    assert len(load_cifar10(tmp_path, subset="train").target) == 15


def test_without_a_file_of_names_the_standard_ones_are_given(tmp_path):
    write("bin", tmp_path)
    (tmp_path / "batches.meta.txt").unlink()
    assert load_cifar10(tmp_path).target_names[:2] == ["airplane", "automobile"]


def test_of_several_layouts_a_complete_one_is_read(tmp_path):
    for layout in LAYOUTS:
        write(layout, tmp_path / layout)
    (tmp_path / "bin" / "data_batch_2.bin").unlink()
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.fixture(scope="module")
def real_layouts(data_dir, tmp_path_factory):
    """Write ten training images a class in the three layouts."""
    pytest.importorskip("PIL", reason="make_cifar10.py needs pillow")
    folder = tmp_path_factory.mktemp("cifar10")
    command = [sys.executable, data_dir / "make_cifar10.py", folder]
    subprocess.run([*command, "--images-per-class", "10"], check=True)
    return folder


def test_the_layouts_of_the_real_images_agree(real_layouts):
    one, *others = (
        load_cifar10(real_layouts / f"cifar-10-batches-{layout}") for layout in LAYOUTS
    )
    assert one.data.shape == (120, 3072)
    assert one.target_names[3] == "cat"
    for other in others:
        assert_array_equal(one.data, other.data, strict=True)
        assert_array_equal(one.target, other.target, strict=True)
        assert one.target_names == other.target_names


def test_each_class_of_the_real_images_has_its_share(real_layouts):
    dataset = load_cifar10(real_layouts)
    assert_array_equal(np.bincount(dataset.target[: dataset.n_train]), [10] * 10)
