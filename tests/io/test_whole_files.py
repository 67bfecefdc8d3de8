"""Files that are either old or new."""

import os
import stat

import pytest

from minidl.io.whole_files import replacing


def test_all_of_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    events = []

    def flush(handle):
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        events.append("folder" if is_folder else os.fstat(handle).st_size)

    def replace(old, new, replace=os.replace):
        replace(old, new)
        events.append("in its place")

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", replace)
    with replacing(tmp_path / "file") as file:
        file.write(b"abc")
    assert events == [3, "in its place", "folder"]
    assert (tmp_path / "file").read_bytes() == b"abc"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt("stopped")]
)
def test_an_error_on_the_way_leaves_the_old_file(error, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write():
        with replacing(path) as file:
            file.write(b"ne")
            raise error

    with pytest.raises(type(error), match=r"No space|stopped") as caught:
        write()
    assert caught.value.__notes__ == [f"while writing {path}, which is as it was before"]
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_is_gone_is_named(tmp_path):
    path = tmp_path / "gone" / "file"
    with pytest.raises(FileNotFoundError, match="gone") as caught, replacing(path):
        pass
    assert caught.value.__notes__ == [f"while writing {path}, which is as it was before"]


def test_a_folder_that_cannot_be_flushed_is_no_error(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with replacing(tmp_path / "file") as file:
        file.write(b"abc")
    assert (tmp_path / "file").read_bytes() == b"abc"
