"""Loading CIFAR-10: three layouts, folders and archives, and files that are wrong."""

import gzip
import pickle
import struct
import subprocess
import sys
import tarfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.io import savemat

from sksparse_nn.datasets import load_cifar10
from sksparse_nn.exceptions import DataFormatError

STEMS = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
NAMES = [f"class-{i}" for i in range(10)]
LAYOUTS = ["bin", "mat", "py"]
ENDINGS = {"bin": ".bin", "mat": ".mat", "py": ""}


def make_batches():
    """Return {stem: (pixels, labels)}, three images in each training batch."""
    rng = np.random.default_rng(0)
    sizes = dict.fromkeys(STEMS, 3) | {"test_batch": 4}
    return {
        stem: (
            rng.integers(0, 256, (n, 3072), dtype=np.uint8),
            rng.integers(0, 10, n, dtype=np.uint8),
        )
        for stem, n in sizes.items()
    }


BATCHES = make_batches()


def write_bin(folder):
    for stem, (pixels, labels) in BATCHES.items():
        np.hstack([labels[:, None], pixels]).tofile(folder / f"{stem}.bin")
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")


def write_mat(folder):
    for stem, (pixels, labels) in BATCHES.items():
        savemat(folder / f"{stem}.mat", {"data": pixels, "labels": labels[:, None]})
    cells = np.array(NAMES, dtype=object)[:, None]
    savemat(folder / "batches.meta.mat", {"label_names": cells})


def write_py(folder, dump=lambda content: pickle.dumps(content, protocol=2)):
    for stem, (pixels, labels) in BATCHES.items():
        content = {b"data": pixels, b"labels": labels.tolist(), b"batch_label": b"one"}
        (folder / stem).write_bytes(dump(content))
    meta = {b"label_names": [name.encode() for name in NAMES], b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(dump(meta))


def write(layout, folder):
    folder.mkdir(parents=True, exist_ok=True)
    {"bin": write_bin, "mat": write_mat, "py": write_py}[layout](folder)
    return folder


def pack(folder, archive):
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    return archive


def assert_is_the_data(dataset):
    assert_array_equal(dataset.data, np.vstack([x for x, _ in BATCHES.values()]))
    assert_array_equal(dataset.target, np.hstack([y for _, y in BATCHES.values()]))
    assert dataset.target_names == NAMES


def refusal(path, **options):
    with pytest.raises(DataFormatError) as caught:
        load_cifar10(path, **options)
    return str(caught.value)


# ---- what is loaded


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


# ---- pickles of all ages


def python_2_pickle(content):
    """Write what Python 2's cPickle did, whose str was the type of text and bytes."""
    items = b"".join(python_2(key) + python_2(content[key]) for key in content)
    return b"\x80\x02}(" + items + b"u."


def python_2(value):
    if isinstance(value, bytes):
        return b"T" + struct.pack("<I", len(value)) + value
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(python_2, value)) + b"e"
    return b"".join(
        [
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n",
            b"K\x00\x85U\x01b\x87R(K\x01",
            *map(python_2, value.shape),
            b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R",
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            python_2(value.tobytes()),
            b"tb",
        ]
    )


def test_pickles_of_python_2_load(tmp_path):
    write_py(tmp_path, python_2_pickle)
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_binary_protocol_load(protocol, tmp_path):
    write_py(tmp_path, lambda content: pickle.dumps(content, protocol=protocol))
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.mark.parametrize("module", [b"numpy.core.", b"numpy._core."])
def test_both_names_of_numpys_module_load(module, tmp_path):
    write_py(tmp_path, lambda x: pickle.dumps(x, 2).replace(b"numpy._core.", module))
    assert_is_the_data(load_cifar10(tmp_path))


def test_keys_may_be_text(tmp_path):
    write_py(
        tmp_path,
        lambda x: pickle.dumps({key.decode(): value for key, value in x.items()}),
    )
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.mark.parametrize("labels", [list, np.int16, lambda y: y.astype(">i4")])
def test_labels_may_be_any_integers_of_numpy(labels, tmp_path):
    pixels, y = BATCHES["test_batch"]
    content = {"data": pixels, "labels": labels(y)}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content))
    assert_array_equal(load_cifar10(tmp_path, subset="test").target, y)


def test_columns_first_arrays_load(tmp_path):
    pixels, y = BATCHES["test_batch"]
    content = {"data": np.asfortranarray(pixels), "labels": y.tolist()}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content, protocol=2))
    dataset = load_cifar10(tmp_path, subset="test")
    assert_array_equal(dataset.data, pixels)
    assert dataset.data.flags.c_contiguous


# ---- the real images


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


# ---- files that are missing


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


# ---- files that are wrong


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
    monkeypatch.setattr(f"{__name__}.NAMES", ["cat", "dog"])
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


# ---- archives that are wrong


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
def test_an_archive_that_is_cut_short_is_refused(share, tmp_path):
    archive = pack(write("bin", tmp_path / "bin"), tmp_path / "cifar.tar.gz")
    raw = archive.read_bytes()
    archive.write_bytes(raw[: int(share * len(raw))])
    message = refusal(archive)
    assert "cifar.tar.gz: expected a folder or a whole .tar.gz" in message


def test_a_damaged_archive_is_refused(tmp_path):
    archive = pack(write("bin", tmp_path / "bin"), tmp_path / "cifar.tar.gz")
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 2] ^= 255
    archive.write_bytes(raw)
    assert "whole .tar.gz" in refusal(archive)


@pytest.mark.parametrize(
    "content", [b"text", gzip.compress(b"text")], ids=["text", "gzip"]
)
def test_a_file_that_is_no_archive_is_refused(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    assert "folder or a whole .tar.gz" in refusal(tmp_path / "file")


def test_an_archive_without_a_batch_names_the_missing_one(tmp_path):
    folder = write("bin", tmp_path / "bin")
    (folder / "data_batch_1.bin").unlink()
    message = refusal(pack(folder, tmp_path / "cifar.tar.gz"))
    assert "bin/data_batch_1.bin" in message


def member(name, content=b"", **attributes):
    header = tarfile.TarInfo(name)
    header.size = len(content)
    for key, value in attributes.items():
        setattr(header, key, value)
    return header.tobuf() + content.ljust(-(-len(content) // 512) * 512, b"\0")


def archive_of(path, *members):
    path.write_bytes(gzip.compress(b"".join(members) + bytes(1024)))
    return path


def test_a_huge_member_is_refused_before_it_is_read(tmp_path):
    archive = archive_of(tmp_path / "a", member("unrelated", size=2**60))
    assert "unrelated to have at most" in refusal(archive)


def test_an_archive_with_too_much_content_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sksparse_nn.datasets._batch_files._MAX_ARCHIVE_BYTES", 9999)
    archive = archive_of(tmp_path / "a", member("unrelated", bytes(20_000)))
    assert "at most 9,999 bytes" in refusal(archive)


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    target = write("bin", tmp_path / "bin") / "test_batch.bin"
    link = member("test_batch.bin", type=tarfile.SYMTYPE, linkname=str(target))
    archive = archive_of(tmp_path / "a", link)
    assert "Got none" in refusal(archive, subset="test")


def test_nothing_of_an_archive_is_written_to_disk(tmp_path):
    record = bytes([7, *[1] * 3072])
    (tmp_path / "inner").mkdir()
    archive = archive_of(
        tmp_path / "inner" / "a", member("../escaped/test_batch.bin", record)
    )
    before = sorted(tmp_path.rglob("*"))
    assert load_cifar10(archive, subset="test").target.tolist() == [7]
    assert sorted(tmp_path.rglob("*")) == before
