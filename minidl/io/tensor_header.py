"""The header of a safetensors file: which arrays are where, and the texts that go with them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

import numpy as np

from minidl.io.strict_json import parsed

MOST_BYTES = 2**23  # of a header
MOST_AXES, MOST_ELEMENTS = 32, 2**48
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "<u1",
}


@dataclass(frozen=True)
class Entry:
    """An array of a file: its data type and shape, and where its bytes begin and end."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(file: BufferedReader) -> tuple[dict[str, str], dict[str, Entry]]:
    """Return texts and entries by name; anything but a well-formed header is a ValueError."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if length > MOST_BYTES:
        raise ValueError(
            f"its header would have {length:,} bytes, more than {MOST_BYTES:,}, as if it were a "
            "file of another kind"
        )
    if size < 8 or length > size - 8:
        raise ValueError(f"it has {size:,} bytes and should have {length + 8:,} or more")
    header = parsed(file.read(length).decode())
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata are not texts by name")
    entries = {name: _entry(name, value, 8 + length) for name, value in header.items()}
    end = 8 + length
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != end:
            raise ValueError(f"the bytes of {name!r} do not follow those of the array before it")
        end = entry.stop
    if end != size:
        raise ValueError(f"it has {size:,} bytes and should have {end:,}")
    return metadata, entries


def _entry(name: str, value: Any, origin: int) -> Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name!r} must have dtype, shape and data_offsets")
    code, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        raise ValueError(f"{name!r} has the data type {code!r}, which minidl does not read")
    if not _are_lengths(shape) or not _are_lengths(offsets) or len(offsets) != 2:
        raise ValueError(f"shape and data_offsets of {name!r} must be lists of whole numbers")
    if len(shape) > MOST_AXES or math.prod(max(n, 1) for n in shape) > MOST_ELEMENTS:
        raise ValueError(f"{name!r} has an absurd shape")
    dtype, (start, stop) = np.dtype(DTYPES[code]), offsets
    if stop - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name!r} of shape {tuple(shape)} has {stop - start:,} bytes")
    return Entry(dtype, tuple(shape), origin + start, origin + stop)


def _are_lengths(values: Any) -> bool:
    return isinstance(values, list) and all(type(n) is int and n >= 0 for n in values)
