"""Downloads from servers on this machine: delivered whole and checked, or nothing is left."""

import hashlib
import re
import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pooch
import pytest

from minidl.datasets.download import cache_folder, download
from minidl.errors import DatasetNotFoundError

FILES = {
    "one.gz": np.random.default_rng(0).bytes(300_000),
    "two.gz": b"two",
}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
FAULTS = {
    "breaks off": r"150000 bytes read, 150000 more expected",
    "stalls": "timed out",
    "corrupts": "SHA256 hash of downloaded file .* does not match",
}
PATIENCE = {"breaks off": 4.0, "stalls": 1.0, "corrupts": 4.0}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_arrive_whole_and_alone(tmp_path, mirror):
    with mirror(FILES) as good:
        download(SHA256, tmp_path / "new" / "folder", [good])
    assert contents(tmp_path / "new" / "folder") == FILES


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_mirror_leaves_nothing_behind(tmp_path, mirror, fault):
    with (
        mirror(FILES, fault) as broken,
        pytest.raises(DatasetNotFoundError, match=rf"one\.gz \(tried {broken}: .*{FAULTS[fault]}"),
    ):
        download(SHA256, tmp_path, [broken], patience=PATIENCE[fault])
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_next_mirror_steps_in(tmp_path, mirror, fault):
    with mirror(FILES, fault) as broken, mirror(FILES) as good:
        download(SHA256, tmp_path, [broken, good], patience=PATIENCE[fault])
    assert contents(tmp_path) == FILES


def test_mirror_without_the_file_is_named(tmp_path, mirror):
    with (
        mirror({"one.gz": FILES["one.gz"]}) as partial,
        pytest.raises(DatasetNotFoundError, match=r"two\.gz .*404"),
    ):
        download(SHA256, tmp_path, [partial])
    assert contents(tmp_path) == {"one.gz": FILES["one.gz"]}


def test_every_mirror_is_named_when_nobody_listens(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(
            DatasetNotFoundError, match=rf"{dead}a/: .*refused.*{dead}b/: .*refused"
        ):
            download(SHA256, tmp_path, [f"{dead}a/", f"{dead}b/"])


def test_blocked_name_lookup_does_not_hang(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(2))
    start = time.monotonic()
    with pytest.raises(DatasetNotFoundError, match=r"a\.invalid.*no answer within 0\.2 s.*b\.inv"):
        download(SHA256, tmp_path, ["http://a.invalid/", "http://b.invalid/"], patience=0.2)
    assert time.monotonic() - start < 1.5
    # Nor does it keep the interpreter from ending.
    left = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    assert left
    assert all(thread.daemon for thread in left)


def test_server_that_never_answers_does_not_hang(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        start = time.monotonic()
        with pytest.raises(DatasetNotFoundError, match=re.escape(address)):
            download(SHA256, tmp_path, [address], patience=0.2)
        assert time.monotonic() - start < 1.5


def test_interrupted_by_the_user(tmp_path, monkeypatch):
    class Interrupted(pooch.HTTPDownloader):
        def __call__(self, url, output_file, pooch, check_only=False):
            if not check_only:
                Path(output_file).write_bytes(FILES["one.gz"][:1000])
                raise KeyboardInterrupt("Ctrl-C")

    monkeypatch.setattr(pooch, "HTTPDownloader", Interrupted)
    with pytest.raises(KeyboardInterrupt, match="Ctrl-C"):
        download(SHA256, tmp_path, ["http://127.0.0.1/"])
    assert contents(tmp_path) == {}


def test_folder_that_cannot_be_made(tmp_path, mirror):
    (tmp_path / "file").write_bytes(b"")
    with mirror(FILES) as good, pytest.raises(DatasetNotFoundError, match="Not a directory"):
        download(SHA256, tmp_path / "file" / "mnist", [good])


def test_missing_pooch_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DatasetNotFoundError, match=r"pip install minidl\[datasets\]"):
        download(SHA256, tmp_path, ["http://127.0.0.1/"])
    with pytest.raises(DatasetNotFoundError, match=r"pip install minidl\[datasets\]"):
        cache_folder("mnist")


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is a Linux convention")
def test_cache_folder_honours_xdg_cache_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("mnist") == tmp_path / "minidl" / "mnist"
