"""Batches made ready on a second thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minidl.arguments import whole_number
from minidl.datasets.blocks import check_reiterable
from minidl.datasets.generators import generators_of
from minidl.errors import ArgumentTypeError

_END: Any = object()


class Prefetched:
    """What `prefetch` returns: the batches of a source, in its order."""

    def __init__(self, source: Iterable[Any], depth: int) -> None:
        if not hasattr(source, "__iter__"):
            raise ArgumentTypeError(
                f"prefetch: expected a source of batches, got {type(source).__name__}."
            )
        check_reiterable(source, "prefetch")
        self._source, self._depth = source, whole_number("prefetch", "depth", depth)
        self.batch_size: int | None = getattr(source, "batch_size", None)

    def __len__(self) -> int:
        """Number of batches; a TypeError where the source does not tell."""
        return len(self._source)  # type: ignore[arg-type]

    @property
    def generators(self) -> list[np.random.Generator] | None:
        """What the source draws from; None if it does not tell."""
        return generators_of(self._source)

    def __iter__(self) -> Iterator[Any]:
        from concurrent.futures import ThreadPoolExecutor  # 8 ms that few programs need

        batches = iter(self._source)
        pool = ThreadPoolExecutor(1)
        try:
            ahead = deque(pool.submit(next, batches, _END) for _ in range(self._depth))
            while (batch := ahead.popleft().result()) is not _END:
                ahead.append(pool.submit(next, batches, _END))
                yield batch
        finally:  # also after a break or an error in between: no batch more, and no thread left
            pool.shutdown(cancel_futures=True)


def prefetch(source: Iterable[Any], *, depth: int = 2) -> Prefetched:
    """Make batches ready on a second thread while the present one is trained on.

    It pays where making a batch takes a good part of a step, leaves the interpreter free, and a
    core has nothing to do: waiting for a disk, and NumPy's work on large arrays, as in
    augmentation. Rows of arrays in memory take less time than handing them over, and `fit(x, y)`
    reads ahead by itself. Parsing CSV holds the interpreter, and overlaps with matrix products
    alone.

    Order and values are the source's. An error in the source reaches the loop at the batch where
    it happened. However the loop ends, the thread ends with it, after the batch that it is at.

    Args:
        source: What can be iterated again and yields new arrays, such as `dl.batches(...)` or
            `dl.csv_batches(...)`.
        depth: Batches that are ready or in the making.

    Returns:
        A source of the same batches, and of the same length where that is known.

    Raises:
        ArgumentError: If `depth` is below 1, or for a generator.
        ArgumentTypeError: If `source` cannot be iterated.

    Example:
        >>> import numpy as np, minidl as dl
        >>> source = dl.batches(np.eye(5), np.arange(5), batch_size=2, shuffle=False)
        >>> [yb.tolist() for _, yb in dl.prefetch(source)]
        [[0, 1], [2, 3], [4]]
    """
    return Prefetched(source, depth)
