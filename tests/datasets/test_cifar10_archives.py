"""Archives of CIFAR-10 that are wrong."""

import gzip
import tarfile

import pytest

from sksparse_nn.datasets import load_cifar10
from tests.datasets.cifar10_files import (
    pack,
    refusal,
    write,
)


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
