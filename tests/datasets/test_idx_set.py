"""MNIST and its relatives: where they are looked for, what comes back, and what is refused."""

import gzip
import hashlib
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import minidl as dl
from minidl.datasets import fashion_mnist, idx_set, kmnist, mnist
from minidl.datasets.idx_set import NAMES, ServedFile
from minidl.errors import DataError, DatasetNotFoundError


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


DATA_DIR = os.environ.get("MINIDL_DATA_DIR")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 2, 3), dtype=np.uint8)
IMAGES[0, 0] = 0, 255, 51
LABELS = np.array([5, 0, 4, 1, 9], dtype=np.uint8)
ARRAYS = (IMAGES, LABELS, IMAGES[:2], LABELS[:2])
CONTENT = {name: idx(array) for name, array in zip(NAMES, ARRAYS, strict=True)}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}
SETS = {  # loader: its module and the name of its table
    "load_mnist": (mnist, "MNIST"),
    "load_fashion_mnist": (fashion_mnist, "FASHION_MNIST"),
    "load_kmnist": (kmnist, "KMNIST"),
}
ORIGINALS = {loader: getattr(*place) for loader, place in SETS.items()}


class Loader:
    """A loader with small files in the place of its own, an empty cache, and no mirrors."""

    def __init__(self, name, monkeypatch):
        self.name, self._monkeypatch = name, monkeypatch
        self.folder = ORIGINALS[name].folder
        keeps_content = ORIGINALS[name].served[0].unpacked_sha256 is not None
        served = tuple(
            ServedFile(f"{n}.gz", sha256(PACKED[f"{n}.gz"]), sha256(c) if keeps_content else None)
            for n, c in CONTENT.items()
        )
        self.change(served=served, mirrors=(), rows=(5, 2), image_shape=(2, 3))

    def change(self, **table):
        module, attribute = SETS[self.name]
        changed = getattr(module, attribute)._replace(**table)
        self._monkeypatch.setattr(module, attribute, changed)

    def __call__(self, *arguments):
        return getattr(dl, self.name)(*arguments)


@pytest.fixture(params=SETS)
def load(request, monkeypatch, tmp_path):
    monkeypatch.setattr(idx_set, "cache_folder", lambda dataset: tmp_path / "cache" / dataset)
    monkeypatch.delenv("MINIDL_DATA_DIR", raising=False)
    return Loader(request.param, monkeypatch)


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


def test_grey_values_become_0_to_1(load, tmp_path):
    (x_train, _), _ = load(fill(tmp_path, PACKED))
    np.testing.assert_array_equal(x_train[0, :3], np.array([0, 1, 0.2], dtype=np.float32))
    assert x_train.flags.c_contiguous


@pytest.mark.parametrize("subfolder", [".", "its own"])
@pytest.mark.parametrize("files", [CONTENT, PACKED], ids=["unpacked", "packed"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_data_dir_takes_every_spelling(load, tmp_path, subfolder, files, separator):
    named = {name.replace("-idx", f"{separator}idx"): files[name] for name in files}
    fill(tmp_path / (load.folder if subfolder == "its own" else "."), named)
    assert_loaded(load(str(tmp_path)))


def test_data_dir_comes_before_the_environment(load, tmp_path, monkeypatch):
    damaged = dict.fromkeys(CONTENT, b"damaged")
    monkeypatch.setenv("MINIDL_DATA_DIR", str(fill(tmp_path / "set" / load.folder, damaged).parent))
    assert_loaded(load(fill(tmp_path / "given", CONTENT)))


def test_environment_comes_before_the_cache(load, tmp_path, monkeypatch):
    fill(tmp_path / "cache" / load.folder, dict.fromkeys(CONTENT, b"damaged"))
    monkeypatch.setenv("MINIDL_DATA_DIR", str(fill(tmp_path / "set" / load.folder, PACKED).parent))
    assert_loaded(load())


def test_cache_completes_the_environment(load, tmp_path, monkeypatch):
    last = "t10k-labels-idx1-ubyte"
    damaged = dict.fromkeys(CONTENT, b"damaged")
    fill(tmp_path / "cache" / load.folder, damaged | {last: CONTENT[last]})
    fill(tmp_path / "set" / load.folder, {name: CONTENT[name] for name in CONTENT if name != last})
    monkeypatch.setenv("MINIDL_DATA_DIR", str(tmp_path / "set"))
    assert_loaded(load())


def test_cache_is_read_without_asking_a_mirror(load, tmp_path):
    fill(tmp_path / "cache" / load.folder, CONTENT)
    assert_loaded(load())


def test_folder_with_a_files_name_is_passed_over(load, tmp_path):
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert_loaded(load(fill(tmp_path, PACKED)))


def test_missing_in_data_dir_is_an_error_and_no_download(load, tmp_path, mirror):
    fill(tmp_path, {name: PACKED[name] for name in list(PACKED)[:3]})
    with mirror(PACKED) as good:
        load.change(mirrors=(good,))
        message = (
            rf"expected .* in {tmp_path} or {tmp_path}/{load.folder}, did not find t10k-labels-idx1"
        )
        with pytest.raises(DatasetNotFoundError, match=message):
            load(tmp_path)
    assert not (tmp_path / "cache").exists()


REVERSED = idx(IMAGES[::-1])
FIRST = "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (f"{FIRST}.gz", gzip.compress(REVERSED), "SHA-256"),
        (f"{FIRST}.gz", gzip.compress(CONTENT[FIRST], 1)[:-20], "SHA-256|ends too early"),
        (FIRST, b"<html>404</html>", "HTML"),
        (FIRST, idx(IMAGES[:4]), r"\(5, 2, 3\) of uint8, got \(4, 2, 3\) of uint8|SHA-256"),
    ],
    ids=["changed", "truncated", "foreign", "short"],
)
def test_damaged_file_is_named(load, tmp_path, name, content, message):
    fill(tmp_path, {n: c for n, c in CONTENT.items() if n != FIRST} | {name: content})
    with pytest.raises(DataError, match=rf"{tmp_path}/{name}.*: expected .*({message})"):
        load(tmp_path)


def test_unpacked_content_is_checked_where_its_checksum_is_known(load, tmp_path):
    fill(tmp_path, CONTENT | {FIRST: REVERSED})
    if load.name == "load_mnist":
        with pytest.raises(DataError, match="expected unpacked content with SHA-256"):
            load(tmp_path)
    else:
        (x_train, _), _ = load(tmp_path)
        np.testing.assert_array_equal(x_train, IMAGES[::-1].reshape(5, 6) / np.float32(255))


def test_mnist_may_be_packed_by_anyone(load, tmp_path):
    again = {f"{name}.gz": gzip.compress(content, 1) for name, content in CONTENT.items()}
    fill(tmp_path, again)
    if load.name == "load_mnist":
        assert_loaded(load(tmp_path))
    else:
        with pytest.raises(
            DataError, match=r"expected a packed file with SHA-256 .* Delete the fi"
        ):
            load(tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({NAMES[0]: idx(IMAGES[:, :, :2])}, r"expected \(5, 2, 3\) of uint8, got \(5, 2, 2\) of u"),
        ({NAMES[0]: idx(IMAGES).replace(b"\0\0\x08", b"\0\0\x09", 1)}, r"uint8, got .* of int8"),
        ({NAMES[3]: idx(LABELS[:1])}, r"expected labels \(2,\) of uint8, got \(1,\) of uint8"),
        ({NAMES[1]: idx(LABELS + 1)}, "expected labels from 0 to 9, got 1 to 10"),
    ],
)
def test_files_of_another_kind_are_refused(load, tmp_path, changed, message):
    content = CONTENT | changed
    load.change(served=tuple(ServedFile(f"{name}.gz", "") for name in NAMES))
    with pytest.raises(DataError, match=f"^{load.name}: .*{message}.* another data set"):
        load(fill(tmp_path, content))


def test_the_lowest_label_becomes_0(load, tmp_path):
    load.change(served=tuple(ServedFile(f"{name}.gz", "") for name in NAMES), first_label=1)
    one_more = {NAMES[1]: idx(LABELS + 1), NAMES[3]: idx(LABELS[:2] + 1)}
    assert_loaded(load(fill(tmp_path, CONTENT | one_more)))
    with pytest.raises(DataError, match="expected labels from 1 to 10, got 0 to 9"):
        load(fill(tmp_path / "as they were", CONTENT))


def test_download_fills_the_cache_once(load, tmp_path, mirror):
    with mirror(PACKED) as good:
        load.change(mirrors=(good,))
        assert_loaded(load())
    assert_loaded(load())  # the mirror is gone
    assert sorted(os.listdir(tmp_path / "cache" / load.folder)) == sorted(PACKED)


def test_only_missing_files_are_downloaded(load, tmp_path, mirror):
    first, *rest = CONTENT
    cache = fill(tmp_path / "cache" / load.folder, {first: CONTENT[first]})
    with mirror({f"{name}.gz": PACKED[f"{name}.gz"] for name in rest}) as partial:
        load.change(mirrors=(partial,))
        assert_loaded(load())
    assert not (cache / f"{first}.gz").exists()


@pytest.mark.parametrize("fault", ["breaks off", "corrupts"])
def test_broken_download_is_never_read_later(load, tmp_path, mirror, fault):
    with mirror(PACKED, fault) as broken, mirror(PACKED) as good:
        load.change(mirrors=(broken,))
        with pytest.raises(DatasetNotFoundError, match=rf"could not download .*{broken}"):
            load()
        load.change(mirrors=(good,))
        assert_loaded(load())


def test_failed_download_says_how_to_get_the_data_by_hand(load, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MINIDL_DATA_DIR", str(tmp_path / "set"))
    load.change(mirrors=("http://127.0.0.1:1/",))
    message = (
        rf"{tmp_path}/set/{load.folder} or {tmp_path}/cache/{load.folder}, and could not download "
        r".*127\.0\.0\.1.*pass their folder as data_dir"
    )
    with pytest.raises(DatasetNotFoundError, match=message):
        load()


@pytest.mark.parametrize("name", SETS)
def test_pooch_is_needed_for_the_cache_only(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setenv("MINIDL_DATA_DIR", "")
    with pytest.raises(DatasetNotFoundError, match=r"not set, .*pip install minidl\[datasets\]"):
        getattr(dl, name)()


@pytest.mark.skipif(not DATA_DIR, reason="MINIDL_DATA_DIR is not set")
def test_original_files():
    (x_train, y_train), (x_test, y_test) = dl.load_mnist(Path(DATA_DIR))
    assert (x_train.shape, y_train.shape) == ((60_000, 784), (60_000,))
    assert (x_test.shape, y_test.shape) == ((10_000, 784), (10_000,))
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    # Published figures: mean grey 0.1307, and 980 zeros to 1009 nines in the test set.
    assert x_train.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert np.bincount(y_test)[[0, 9]].tolist() == [980, 1009]
