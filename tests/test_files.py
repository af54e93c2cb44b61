"""A file is written as a whole, or is as it was."""

import os
from contextlib import contextmanager

import pytest

from sksparse_nn._files import replacing
from sksparse_nn.inspection.pages._page import write_page

resource = pytest.importorskip("resource")


@contextmanager
def full_disk(n_bytes=50):
    """Let a file grow no further, so that writing fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_page_that_cannot_be_written_leaves_the_former_one(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("former")
    with full_disk(), pytest.raises(OSError, match="File too large"):
        write_page(path, title="new", summary="", sections=[])
    assert path.read_text() == "former"
    assert os.listdir(tmp_path) == ["page.html"]


def interrupted(path):
    with replacing(path) as beside:
        beside.write_text("half")
        raise KeyboardInterrupt


def test_an_interrupt_leaves_the_former_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("former")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == "former"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_is_replaced_and_keeps_who_may_read_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("former")
    path.chmod(0o640)
    with replacing(path) as beside:
        beside.write_text("new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["file"]


def test_a_new_file_can_be_read_by_whom_any_other_can(tmp_path):
    with replacing(tmp_path / "file") as beside:
        beside.write_text("new")
    (tmp_path / "other").write_text("other")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_goes_on_leading_to_the_file(tmp_path):
    (tmp_path / "file").write_text("former")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    with replacing(link) as beside:
        beside.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_device_is_written_to():
    with replacing(os.devnull) as beside:
        beside.write_text("gone")
    assert not os.path.isfile(os.devnull)


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "nowhere" / "file"
    with pytest.raises(FileNotFoundError, match=r"nowhere.file"), replacing(path):
        pass
