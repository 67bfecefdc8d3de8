"""load_mnist: where it looks, what it returns, and what it refuses."""

import gzip
import hashlib
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from minidl.datasets import mnist
from minidl.datasets.mnist import FILES, MIRRORS, IdxFile, load_mnist
from minidl.errors import DataError, DatasetNotFoundError


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


DATA_DIR = os.environ.get("MINIDL_DATA_DIR")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 2, 3), dtype=np.uint8)
IMAGES[0, 0] = 0, 255, 51
LABELS = np.array([5, 0, 4, 1, 9], dtype=np.uint8)
ARRAYS = (IMAGES, LABELS, IMAGES[:2], LABELS[:2])
CONTENT = {file.name: idx(array) for file, array in zip(FILES, ARRAYS, strict=True)}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """Small files in the place of MNIST's, an empty cache, and no mirrors."""

    def sha256(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    files = [IdxFile(n, sha256(CONTENT[n]), sha256(PACKED[f"{n}.gz"])) for n in CONTENT]
    monkeypatch.setattr(mnist, "FILES", files)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.setattr(mnist, "cache_folder", lambda dataset: tmp_path / "cache" / dataset)
    monkeypatch.delenv("MINIDL_DATA_DIR", raising=False)


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def assert_loaded(data) -> None:
    (x_train, y_train), (x_test, y_test) = data
    np.testing.assert_array_equal(y_train, LABELS.astype(np.int64), strict=True)
    np.testing.assert_array_equal(y_test, LABELS[:2].astype(np.int64), strict=True)
    expected = (IMAGES.reshape(5, 6) / 255).astype(np.float32)
    np.testing.assert_array_equal(x_train, expected, strict=True)
    np.testing.assert_array_equal(x_test, expected[:2], strict=True)


def test_grey_values_become_0_to_1(tmp_path):
    (x_train, _), _ = load_mnist(fill(tmp_path, PACKED))
    np.testing.assert_array_equal(x_train[0, :3], np.array([0, 1, 0.2], dtype=np.float32))
    assert x_train.flags.c_contiguous


@pytest.mark.parametrize("subfolder", [".", "mnist"])
@pytest.mark.parametrize("files", [CONTENT, PACKED], ids=["unpacked", "packed"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_data_dir_takes_every_spelling(tmp_path, subfolder, files, separator):
    named = {name.replace("-idx", f"{separator}idx"): files[name] for name in files}
    fill(tmp_path / subfolder, named)
    assert_loaded(load_mnist(str(tmp_path)))


def test_data_dir_comes_before_the_environment(tmp_path, monkeypatch):
    damaged = dict.fromkeys(CONTENT, b"damaged")
    monkeypatch.setenv("MINIDL_DATA_DIR", str(fill(tmp_path / "set" / "mnist", damaged).parent))
    assert_loaded(load_mnist(fill(tmp_path / "given", CONTENT)))


def test_environment_comes_before_the_cache(tmp_path, monkeypatch):
    fill(tmp_path / "cache" / "mnist", dict.fromkeys(CONTENT, b"damaged"))
    monkeypatch.setenv("MINIDL_DATA_DIR", str(fill(tmp_path / "set" / "mnist", PACKED).parent))
    assert_loaded(load_mnist())


def test_cache_completes_the_environment(tmp_path, monkeypatch):
    last = "t10k-labels-idx1-ubyte"
    damaged = dict.fromkeys(CONTENT, b"damaged")
    fill(tmp_path / "cache" / "mnist", damaged | {last: CONTENT[last]})
    fill(tmp_path / "set" / "mnist", {name: CONTENT[name] for name in CONTENT if name != last})
    monkeypatch.setenv("MINIDL_DATA_DIR", str(tmp_path / "set"))
    assert_loaded(load_mnist())


def test_cache_is_read_without_asking_a_mirror(tmp_path):
    fill(tmp_path / "cache" / "mnist", CONTENT)
    assert_loaded(load_mnist())


def test_folder_with_a_files_name_is_passed_over(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert_loaded(load_mnist(fill(tmp_path, PACKED)))


def test_missing_in_data_dir_is_an_error_and_no_download(tmp_path, mirror, monkeypatch):
    fill(tmp_path, {name: PACKED[name] for name in list(PACKED)[:3]})
    with mirror(PACKED) as good:
        monkeypatch.setattr(mnist, "MIRRORS", [good])
        message = rf"expected .* in {tmp_path} or {tmp_path}/mnist, did not find t10k-labels-idx1"
        with pytest.raises(DatasetNotFoundError, match=message):
            load_mnist(tmp_path)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(IMAGES[::-1]), "SHA-256"),
        (PACKED["train-images-idx3-ubyte.gz"][:-20], "ends too early"),
        (b"<html>404</html>", "HTML"),
    ],
    ids=["changed", "truncated", "foreign"],
)
def test_damaged_file_is_named(tmp_path, content, message):
    fill(tmp_path, CONTENT | {"train-images-idx3-ubyte": content})
    with pytest.raises(DataError, match=rf"{tmp_path}/train-images-idx3-ubyte: .*{message}"):
        load_mnist(tmp_path)


def test_download_fills_the_cache_once(tmp_path, mirror, monkeypatch):
    with mirror(PACKED) as good:
        monkeypatch.setattr(mnist, "MIRRORS", [good])
        assert_loaded(load_mnist())
    assert_loaded(load_mnist())  # the mirror is gone
    assert sorted(os.listdir(tmp_path / "cache" / "mnist")) == sorted(PACKED)


def test_only_missing_files_are_downloaded(tmp_path, mirror, monkeypatch):
    first, *rest = CONTENT
    cache = fill(tmp_path / "cache" / "mnist", {first: CONTENT[first]})
    with mirror({f"{name}.gz": PACKED[f"{name}.gz"] for name in rest}) as partial:
        monkeypatch.setattr(mnist, "MIRRORS", [partial])
        assert_loaded(load_mnist())
    assert not (cache / f"{first}.gz").exists()


@pytest.mark.parametrize("fault", ["breaks off", "corrupts"])
def test_broken_download_is_never_read_later(tmp_path, mirror, monkeypatch, fault):
    with mirror(PACKED, fault) as broken, mirror(PACKED) as good:
        monkeypatch.setattr(mnist, "MIRRORS", [broken])
        with pytest.raises(DatasetNotFoundError, match=rf"could not download .*{broken}"):
            load_mnist()
        monkeypatch.setattr(mnist, "MIRRORS", [good])
        assert_loaded(load_mnist())


def test_failed_download_says_how_to_get_the_data_by_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MINIDL_DATA_DIR", str(tmp_path / "set"))
    monkeypatch.setattr(mnist, "MIRRORS", ["http://127.0.0.1:1/"])
    message = (
        rf"{tmp_path}/set/mnist or {tmp_path}/cache/mnist, and could not download "
        r".*127\.0\.0\.1.*pass their folder as data_dir"
    )
    with pytest.raises(DatasetNotFoundError, match=message):
        load_mnist()


def test_pooch_is_needed_for_the_cache_only(tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setenv("MINIDL_DATA_DIR", "")
    with pytest.raises(DatasetNotFoundError, match=r"not set, .*pip install minidl\[datasets\]"):
        load_mnist()


@pytest.mark.skipif(not DATA_DIR, reason="MINIDL_DATA_DIR is not set")
def test_original_files():
    (x_train, y_train), (x_test, y_test) = mnist._load(DATA_DIR, FILES, MIRRORS)
    assert (x_train.shape, y_train.shape) == ((60_000, 784), (60_000,))
    assert (x_test.shape, y_test.shape) == ((10_000, 784), (10_000,))
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    # Published figures: mean grey 0.1307, and 980 zeros to 1009 nines in the test set.
    assert x_train.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert np.bincount(y_test)[[0, 9]].tolist() == [980, 1009]
