"""load_emnist: an archive or the files in it, upright images, labels from 0."""

import gzip
import hashlib
import io
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

import minidl as dl
from minidl.datasets import emnist, idx_set
from minidl.datasets.emnist import SPLITS, Split
from minidl.datasets.idx_set import ServedFile
from minidl.errors import DataError, DatasetNotFoundError

ROWS = (6, 4)
CLASSES = {"letters": (1, 3), "balanced": (0, 3)}  # split: first label, number of classes


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def content_of(split):
    rng = np.random.default_rng(len(split))
    first, n = CLASSES[split]
    content = {}
    for part, rows in zip(("train", "test"), ROWS, strict=True):
        images = rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
        labels = (np.arange(rows) % n + first).astype(np.uint8)
        content[f"emnist-{split}-{part}-images-idx3-ubyte"] = images
        content[f"emnist-{split}-{part}-labels-idx1-ubyte"] = labels
    return content


ARRAYS = {name: array for split in CLASSES for name, array in content_of(split).items()}
PACKED = {f"{name}.gz": gzip.compress(idx(array)) for name, array in ARRAYS.items()}


def archive_of(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("gzip/emnist-balanced-mapping.txt", "0 48\n")
        for name, content in files.items():
            archive.writestr(f"gzip/{name}", content)
    return buffer.getvalue()


ARCHIVE = archive_of(PACKED)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Small files in the place of EMNIST's, an empty cache, and no mirrors."""
    splits = {split: Split(ROWS, n, first) for split, (first, n) in CLASSES.items()}
    served = ServedFile("gzip.zip", hashlib.sha256(ARCHIVE).hexdigest())
    monkeypatch.setattr(emnist, "SPLITS", splits)
    monkeypatch.setattr(emnist, "ARCHIVE", served)
    monkeypatch.setattr(emnist, "MIRRORS", ())
    monkeypatch.setattr(idx_set, "cache_folder", lambda dataset: tmp_path / "cache" / dataset)
    monkeypatch.delenv("MINIDL_DATA_DIR", raising=False)


def fill(folder: Path, files) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def assert_loaded(split, data):
    for part, (x, y) in zip(("train", "test"), data, strict=True):
        images = ARRAYS[f"emnist-{split}-{part}-images-idx3-ubyte"]
        labels = ARRAYS[f"emnist-{split}-{part}-labels-idx1-ubyte"]
        upright = np.stack([image.T for image in images]).reshape(len(images), 784)
        np.testing.assert_array_equal(x, upright / np.float32(255), strict=True)
        expected = labels.astype(np.int64) - CLASSES[split][0]
        np.testing.assert_array_equal(y, expected, strict=True)
        assert y.min() == 0
        assert x.flags.c_contiguous


@pytest.mark.parametrize("split", CLASSES)
@pytest.mark.parametrize("subfolder", [".", "emnist", "gzip", "emnist/gzip"])
@pytest.mark.parametrize("kind", ["archive", "packed", "unpacked"])
def test_everything_that_can_lie_in_a_folder(tmp_path, split, subfolder, kind):
    files = {
        "archive": {"gzip.zip": ARCHIVE},
        "packed": PACKED,
        "unpacked": {name: idx(array) for name, array in ARRAYS.items()},
    }
    fill(tmp_path / subfolder, files[kind])
    assert_loaded(split, dl.load_emnist(split, data_dir=tmp_path))


def test_balanced_is_the_default_and_the_environment_is_looked_at(tmp_path, monkeypatch):
    fill(tmp_path / "emnist", {"gzip.zip": ARCHIVE})
    monkeypatch.setenv("MINIDL_DATA_DIR", str(tmp_path))
    assert_loaded("balanced", dl.load_emnist())


def test_the_archive_is_downloaded_once_and_serves_all_splits(tmp_path, mirror, monkeypatch):
    with mirror({"gzip.zip": ARCHIVE}) as good:
        monkeypatch.setattr(emnist, "MIRRORS", (good,))
        assert_loaded("balanced", dl.load_emnist())
    assert_loaded("letters", dl.load_emnist("letters"))  # the mirror is gone
    assert [path.name for path in (tmp_path / "cache" / "emnist").iterdir()] == ["gzip.zip"]


def test_an_archive_completes_what_single_files_lack(tmp_path):
    first, *_ = PACKED
    fill(tmp_path, {first: b"damaged", "gzip.zip": ARCHIVE})
    assert_loaded("letters", dl.load_emnist("letters", tmp_path))


def test_another_archive_is_refused(tmp_path):
    other = archive_of(dict(reversed(PACKED.items())))
    fill(tmp_path, {"gzip.zip": other})
    message = f"{tmp_path}/gzip.zip: expected a packed file with SHA-256 "
    with pytest.raises(DataError, match=re.escape(message) + ".* Delete the file and fetch"):
        dl.load_emnist("letters", tmp_path)


def test_files_of_another_split_are_refused(tmp_path):
    files = {name.replace("letters", "balanced"): c for name, c in PACKED.items() if "lett" in name}
    with pytest.raises(DataError, match=r"expected labels from 0 to 2, got 1 to 3.* another part"):
        dl.load_emnist("balanced", fill(tmp_path, files))


def test_what_is_missing_is_named_with_the_archive(tmp_path, monkeypatch):
    message = (
        r"did not find emnist-letters-train-images-idx3-ubyte, .*unpacked, nor gzip\.zip\. Put"
    )
    with pytest.raises(DatasetNotFoundError, match=message):
        dl.load_emnist("letters", tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(emnist, "MIRRORS", ("http://127.0.0.1:1/",))
    message = r"unpacked, nor gzip\.zip, in .*/cache/emnist, and could not download gzip\.zip "
    with pytest.raises(DatasetNotFoundError, match=message):
        dl.load_emnist("letters")


def test_an_unknown_split_is_explained():
    with pytest.raises(
        dl.ArgumentError, match=r"split must be one of \['letters', 'balanced'\], go"
    ):
        dl.load_emnist("digit")


def test_the_table_agrees_with_the_published_totals():
    totals = {"balanced": 131_600, "digits": 280_000, "letters": 145_600, "mnist": 70_000}
    totals |= {"byclass": 814_255, "bymerge": 814_255}
    assert {name: sum(split.rows) for name, split in SPLITS.items()} == totals
    for name in ("balanced", "digits", "letters", "mnist"):  # as many rows of each class
        assert not any(rows % SPLITS[name].classes for rows in SPLITS[name].rows)
