"""Batches from data that comes in blocks, of which only one is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minidl.errors import ArgumentError
from minidl.typing import Array


def block_rows(batch_size: int, shuffle: bool, buffer_rows: int) -> int:
    """Rows of a block: whole batches, so that only the last one of all may be smaller."""
    return batch_size * max(buffer_rows // batch_size, 1) if shuffle else batch_size


def cut(
    block: tuple[Array, ...], batch_size: int, rng: np.random.Generator | None
) -> Iterator[tuple[Array, ...]]:
    """Yield the batches of a block, shuffled if there is a generator."""
    n = len(block[0])
    order = np.arange(n) if rng is None else rng.permutation(n)
    for start in range(0, n, batch_size):
        rows = order[start : start + batch_size]
        yield tuple(a[rows] for a in block)


def check_reiterable(source: Iterable[Any], who: str) -> None:
    """Raise if `source` is spent after one iteration."""
    if iter(source) is source:
        raise ArgumentError(
            f"{who}: x is a generator or iterator, which is spent after one epoch. Give "
            "something that can be iterated again: dl.batches(...), a list of batches, or an "
            "object whose __iter__ returns a new iterator."
        )
