"""The IDX reader: the right array, or a DataError that names the file and the fault."""

import gzip
import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl.datasets.idx import read_idx
from minidl.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def header(code: int, *shape: int) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


def encode(array: np.ndarray) -> bytes:
    big = array.astype(array.dtype.newbyteorder(">"))
    return header(CODES[array.dtype.str[1:]], *array.shape) + big.tobytes()


IMAGES = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
CONTENT = encode(IMAGES)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images-idx3-ubyte"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 3, 4), (0, 3)])
def test_values_shape_and_dtype_come_back(path, kind, shape):
    array = (100 * np.random.default_rng(0).standard_normal(shape)).astype(kind)
    read = read_idx(write(path, encode(array)))
    np.testing.assert_array_equal(read, array, strict=True)
    assert read.dtype.isnative
    assert read.flags.writeable


def test_int16_bytes_by_hand(path):
    # 0x0102 = 258 and 0xFFFE = -2, high byte first.
    content = bytes([0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE])
    assert read_idx(write(path, content)).tolist() == [258, -2]


def test_packed_or_not_is_decided_by_content(tmp_path):
    packed_without_gz = write(tmp_path / "packed-idx3-ubyte", gzip.compress(CONTENT))
    unpacked_with_gz = write(tmp_path / "unpacked-idx3-ubyte.gz", CONTENT)
    np.testing.assert_array_equal(read_idx(packed_without_gz), IMAGES)
    np.testing.assert_array_equal(read_idx(str(unpacked_with_gz)), IMAGES)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_checksum_is_of_the_unpacked_content(path, pack):
    write(path, pack(CONTENT))
    digest = hashlib.sha256(CONTENT).hexdigest()
    np.testing.assert_array_equal(read_idx(path, sha256=digest), IMAGES)
    np.testing.assert_array_equal(read_idx(path, sha256=digest.upper()), IMAGES)
    with pytest.raises(DataError, match=f"SHA-256 {'0' * 64}, got {digest}"):
        read_idx(path, sha256="0" * 64)


def test_missing_file(path):
    with pytest.raises(DataError, match=r"images-idx3-ubyte: .*no such file"):
        read_idx(path)


def test_folder(tmp_path):
    with pytest.raises(DataError, match="got a folder"):
        read_idx(tmp_path)


def test_unreadable_file(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"images-idx3-ubyte: .*Permission denied"):
        read_idx(path)


PACKED = gzip.compress(CONTENT)
WRONG = {
    "empty": (b"", "got an empty file"),
    "html": (b"<!DOCTYPE html><html>", "HTML"),
    "png": (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    "zip": (b"PK\x03\x04", "a zip archive"),
    "packed twice": (gzip.compress(PACKED), "gzip file inside"),
    "other magic": (b"\x93NUMPY", r"first bytes 00 00.*got b'\\x93NUM'"),
    "two bytes": (b"\0\0", r"got b'\\x00\\x00'\. "),
    "unknown type": (b"\0\0\x0a\1" + b"\0" * 8, "got data type 0A and 1 axes"),
    "no axes": (b"\0\0\x08\0", "got data type 08 and 0 axes"),
    "too many axes": (b"\0\0\x08\xff" + b"\0" * 1020, "1 to 64 axes, got .* 255 axes"),
    "cut in the header": (CONTENT[:10], "header of 16 bytes, got 10"),
    "cut in the values": (CONTENT[:-1], r"76 bytes unpacked.*\(3, 4, 5\) of uint8, got 75 bytes"),
    "trailing byte": (CONTENT + b"x", "76 bytes unpacked.*got more"),
    "unholdable": (header(8, 0, 2**32 - 1, 2**32 - 1, 2**32 - 1), "shape that NumPy can hold"),
    "gzip magic only": (b"\x1f\x8b", "ends too early"),
    "gzip cut in the values": (PACKED[:-15], "ends too early"),
    "gzip cut in its checksum": (PACKED[:-5], "ends too early"),
    "gzip of short values": (gzip.compress(CONTENT[:-1]), "got 75 bytes"),
    "gzip of long values": (gzip.compress(CONTENT + b"x"), "got more"),
    "gzip damaged inside": (PACKED[:12] + b"\xff" + PACKED[13:], "a damaged one"),
    "gzip of wrong checksum": (PACKED[:-8] + bytes(4) + PACKED[-4:], "a damaged one"),
    "gzip with a foreign tail": (PACKED + b"tail", "a damaged one"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_content_is_named(path, content, message):
    with pytest.raises(DataError, match=f"read_idx: .*images-idx3-ubyte: expected .*{message}"):
        read_idx(write(path, content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_absurd_sizes_take_no_memory(path, pack):
    write(path, pack(header(0x0E, 2**32 - 1, 2**32 - 1) + bytes(100)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="got 112 bytes"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_gzip_bomb_is_not_unpacked(path):
    write(path, gzip.compress(header(8, 3) + bytes(50_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="got more"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def array_or_data_error(path: Path, content: bytes) -> None:
    try:
        array = read_idx(write(path, content))
    except DataError:
        return
    unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    assert encode(array) == unpacked


@settings(deadline=None)
@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda tail: b"\0\0\x08\1" + tail))
def test_random_bytes(tmp_path_factory, content):
    array_or_data_error(tmp_path_factory.getbasetemp() / "random", content)
    array_or_data_error(tmp_path_factory.getbasetemp() / "random", gzip.compress(content))


@settings(deadline=None)
@given(st.data(), st.sampled_from([CONTENT, PACKED]))
def test_random_damage(tmp_path_factory, data, content):
    damaged = bytearray(content[: data.draw(st.integers(0, len(content)))])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        if place < len(damaged):
            damaged[place] = data.draw(st.integers(0, 255))
    array_or_data_error(tmp_path_factory.getbasetemp() / "damaged", bytes(damaged))
