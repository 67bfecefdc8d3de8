"""Rows of large arrays: brought into the cache before they are needed, or read from a file."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from minidl.threads import one_ahead
from minidl.typing import Array

BLOCK_BYTES = 2**22  # read at a time: two such blocks fit the cache, and one is worth a wait
HELD_BYTES = 2**24  # of a mapped file that count as this process's memory at a time
FAULT_BYTES = 2**20  # which the system may map around each row that is read


class MappedRows:
    """Rows of an array in a file: read when they are asked for, and as copies.

    What has been read of a mapped file counts as this process's memory until the system wants it
    back. Here it is given back every few megabytes; it stays in the system's cache while there is
    room, and reading it again is then a matter of microseconds.

    Args:
        x: An array for which `is_mapped` is true.
        dtype: What the rows are converted to.
        numbers: Numbers of the rows that count, in their order; all of them by default.
    """

    def __init__(self, x: Array, dtype: Any = None, numbers: Array | None = None) -> None:
        self._x, self._numbers, self._mapping = np.asarray(x), numbers, _mapping_of(x)
        self.shape = (len(x) if numbers is None else len(numbers), *x.shape[1:])
        self.ndim, self.dtype = x.ndim, x.dtype if dtype is None else np.dtype(dtype)
        self.block_rows = _block_rows([x], 1)
        self._row_bytes = abs(x.strides[0])  # with what lies between a row and the next
        self._held = 0

    def __getitem__(self, rows: slice | Array) -> Array:
        """Copies of some rows."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(self.shape[0]))
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        self.take(rows, 0, out)
        return out

    def take(self, rows: Array, axis: int, out: Array, mode: str = "clip") -> None:
        """Write rows to `out`, as the method of this name of an array does."""
        places = rows if self._numbers is None else self._numbers[rows]
        step = max(HELD_BYTES // (self._row_bytes + FAULT_BYTES), 1)
        for start in range(0, len(places), step):
            part = places[start : start + step]
            out[start : start + step] = self._x[part]
            # Rows may lie anywhere, or beside each other.
            apart, in_one = len(part) * (self._row_bytes + FAULT_BYTES), int(np.ptp(part))
            self._held += min(apart, in_one * self._row_bytes + FAULT_BYTES)
            if self._held >= HELD_BYTES:
                self._held = 0
                self.give_back()

    def give_back(self) -> None:
        """Count what has been read as the system's memory, not this process's."""
        if self._mapping is not None and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            self._mapping.madvise(mmap.MADV_DONTNEED)

    def subset(self, numbers: Array) -> MappedRows:
        """The rows of these numbers; none of them is read yet."""
        places = numbers if self._numbers is None else self._numbers[numbers]
        return MappedRows(self._x, self.dtype, places)


Rows: TypeAlias = "Array | MappedRows"


def is_mapped(x: Any) -> bool:
    """Whether `x` is a numpy.memmap, or a view of one, that can be read row by row.

    The rows must lie one behind the other; in Fortran order each is all over the file.
    """
    return isinstance(x, np.ndarray) and _mapping_of(x) is not None and _rows_lie_apart(x)


def _rows_lie_apart(x: Array) -> bool:
    steps = zip(x.shape[1:], x.strides[1:], strict=True)
    row_bytes = x.itemsize + sum((length - 1) * abs(stride) for length, stride in steps)
    return x.ndim > 0 and abs(x.strides[0]) >= row_bytes


def _mapping_of(x: Any) -> mmap.mmap | None:
    """The mapped file behind an array; None for a private copy, which has values of its own."""
    while isinstance(x, np.ndarray):
        if isinstance(x, np.memmap) and isinstance(x.base, mmap.mmap):
            return None if x.mode == "c" else x.base
        x = x.base
    return None


def gathered(
    arrays: Sequence[Rows], order: Array, batch_size: int, ahead: bool
) -> Iterator[list[Array]]:
    """Yield rows of arrays in a given order, batch by batch, in reused buffers.

    Collecting rows that lie far apart takes up to a third of a small network's step.

    Args:
        arrays: Arrays of the same number of rows.
        order: Numbers of the rows.
        batch_size: Rows of a batch; the last one has what is left.
        ahead: Whether there is a core to spare.
    """
    size = _block_rows(arrays, batch_size) if ahead else batch_size
    blocks = [order[start : start + size] for start in range(0, len(order), size)]
    buffers = [[np.empty((size, *a.shape[1:]), a.dtype) for a in arrays] for _ in range(1 + ahead)]

    def fill(index: int) -> list[Array]:
        parts = [buffer[: len(blocks[index])] for buffer in buffers[index % len(buffers)]]
        for a, part in zip(arrays, parts, strict=True):
            a.take(blocks[index], axis=0, out=part, mode="clip")  # "raise" would buffer
        return parts

    fills = one_ahead(fill, len(blocks)) if ahead else map(fill, range(len(blocks)))
    for parts in fills:
        for start in range(0, len(parts[0]), batch_size):
            yield [part[start : start + batch_size] for part in parts]


def in_stretches(x: Array, rows: int, ahead: bool) -> Iterator[tuple[slice, Array]]:
    """Yield `x[0:rows]`, `x[rows:2 * rows]`, ... with their places.

    Where x is far larger than the cache these are copies in reused buffers: matrix products read
    memory for the first time at less than half the speed at which it can be copied.

    Args:
        x: Data (N, ...).
        rows: Rows of a stretch; the last one has what is left.
        ahead: Whether there is a core to spare.
    """
    size, n = _block_rows([x], rows), x.shape[0]
    blocks = [slice(start, min(start + size, n)) for start in range(0, n, size)]
    if not ahead or len(blocks) < 4:
        for start in range(0, n, rows):
            place = slice(start, min(start + rows, n))
            yield place, x[place]
        return
    buffers = [np.empty_like(x[:size]) for _ in range(2)]

    def fill(index: int) -> Array:
        block = x[blocks[index]]
        copy = buffers[index % 2][: len(block)]
        copy[...] = block
        return copy

    for block, copy in zip(blocks, one_ahead(fill, len(blocks)), strict=True):
        for start in range(0, len(copy), rows):
            part = copy[start : start + rows]
            yield slice(block.start + start, block.start + start + len(part)), part


def _block_rows(arrays: Sequence[Rows], rows: int) -> int:
    """How many rows to read at a time: a multiple of `rows`."""
    row_bytes = sum(a.dtype.itemsize * math.prod(a.shape[1:]) for a in arrays)
    return rows * max(BLOCK_BYTES // (rows * row_bytes), 1)
