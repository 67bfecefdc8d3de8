"""Rows from all over an array, brought together before they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from minidl.threads import usable_cores
from minidl.typing import Array

BLOCK_BYTES = 2**22  # gathered at a time: few enough bytes for the cache, enough to be worth a wait


def gathered(arrays: Sequence[Array], order: Array, batch_size: int) -> Iterator[list[Array]]:
    """Yield the rows of arrays in a given order, batch by batch, in reused buffers.

    Collecting rows that lie far apart takes as long as a third of a small network's step. NumPy
    holds no lock while it copies, so where there is a second core, a thread fills one block of
    batches while those of the other block are computed with.

    Args:
        arrays: Arrays of the same number of rows.
        order: Numbers of the rows.
        batch_size: Rows of a batch; the last one has what is left.
    """
    row_bytes = sum(a[:1].nbytes for a in arrays)
    rows = batch_size
    if usable_cores() > 1:
        rows *= max(BLOCK_BYTES // (batch_size * row_bytes), 1)
    blocks = [order[start : start + rows] for start in range(0, len(order), rows)]
    buffers = [[np.empty((rows, *a.shape[1:]), a.dtype) for a in arrays] for _ in range(2)]

    def fill(index: int) -> list[Array]:
        parts = [buffer[: len(blocks[index])] for buffer in buffers[index % 2]]
        for a, part in zip(arrays, parts, strict=True):
            a.take(blocks[index], axis=0, out=part, mode="clip")  # "raise" would buffer
        return parts

    for parts in _one_ahead(fill, len(blocks)):
        for start in range(0, len(parts[0]), batch_size):
            yield [part[start : start + batch_size] for part in parts]


def _one_ahead(fill: Callable[[int], list[Array]], n: int) -> Iterator[list[Array]]:
    """Call `fill` with 0, 1, ..., each one round before its result is asked for."""
    if usable_cores() == 1 or n == 1:
        yield from map(fill, range(n))
        return
    from concurrent.futures import ThreadPoolExecutor  # 8 ms that few programs need

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(fill, 0)
        for index in range(n):
            parts = ahead.result()
            if index + 1 < n:
                ahead = pool.submit(fill, index + 1)
            yield parts
