"""Files that are either old or new."""

import os
import stat
import threading

import pytest

import minidl as dl
from minidl.io.whole_files import make_folder_of, previous_of, remove_unfinished, replacing


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


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(dl.ArgumentError, match=r"save: .*file is a file, expected a folder"):
        make_folder_of(tmp_path / "file" / "model", "save")


@pytest.mark.parametrize("keep_previous", [False, True])
def test_two_writers_do_not_mix(keep_previous, tmp_path):
    path = tmp_path / "file"

    def write(text):
        with replacing(path, keep_previous=keep_previous) as file:
            file.write(text)
            if text == b"first":
                other = threading.Thread(target=write, args=(b"second, longer",))
                other.start()
                other.join()
                assert path.read_bytes() == b"second, longer"

    write(b"first")
    assert path.read_bytes() == b"first"
    assert len(os.listdir(tmp_path)) == 1 + keep_previous


def test_a_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "file"
    path.touch()
    for mode in (0o600, 0o640):
        path.chmod(mode)
        with replacing(path) as file:
            assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()} == {mode}
            file.write(b"abc")
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.read_bytes() == b"abc"


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_goes_on_leading_to_its_file(exists, tmp_path):
    (tmp_path / "there").mkdir()
    link, path = tmp_path / "link", tmp_path / "there" / "file"
    link.symlink_to("there/file")
    if exists:
        path.write_bytes(b"old")
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert link.read_bytes() == path.read_bytes() == b"new"
    assert os.listdir(tmp_path / "there") == ["file"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    """Such as a device: /dev/null in the place of a file is gone for everybody."""
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(dl.ArgumentError, match=r"pipe is no file that could be replaced\. Name"),
        replacing(tmp_path / "pipe"),
    ):
        pass
    assert (tmp_path / "pipe").is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_what_killed_processes_left_is_removed(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    for each in (path, previous_of(path)):
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: 12345)
            patch.setattr(os, "replace", lambda *_: None)  # as if killed before
            with replacing(each) as file:
                file.write(b"half")
    others = [tmp_path / ".run.ckpt.notes", tmp_path / f".run.ckpt.1.{os.getpid()}"]
    for other in others:
        other.touch()
    assert len(os.listdir(tmp_path)) == 4
    remove_unfinished(path)
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_folder_that_cannot_be_flushed_is_no_error(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with replacing(tmp_path / "file") as file:
        file.write(b"abc")
    assert (tmp_path / "file").read_bytes() == b"abc"
