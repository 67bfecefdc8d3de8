"""Minibatches of arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag, whole_number
from minidl.errors import ShapeError
from minidl.randomness import seed_sequence
from minidl.sparse import is_sparse
from minidl.typing import Array, RNGLike


def row_batches(
    n: int, batch_size: int, rng: np.random.Generator | None
) -> Iterator[slice | Array]:
    """Cut n rows into batches: index arrays of a shuffled order, or slices without a generator.

    A single batch is a slice in any case: its order makes no difference to a mean.
    """
    if rng is None or batch_size >= n:
        for start in range(0, n, batch_size):
            yield slice(start, min(start + batch_size, n))
        return
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


class Batches:
    """What `batches` returns: can be iterated any number of times, shuffled anew each time."""

    def __init__(
        self, x: ArrayLike, y: ArrayLike | None, batch_size: int, rng: RNGLike, shuffle: bool
    ) -> None:
        self._arrays = [
            a.tocsr() if is_sparse(a) else np.asarray(a)  # type: ignore[union-attr]
            for a in (x, y)
            if a is not None
        ]
        if any(a.ndim == 0 for a in self._arrays):
            raise ShapeError("batches: expected arrays with a batch axis, got a single number.")
        lengths = [a.shape[0] for a in self._arrays]
        if len(set(lengths)) > 1:
            raise ShapeError(
                f"batches: x has {lengths[0]:,} rows and y has {lengths[1]:,}; every row of x "
                "needs one of y."
            )
        if lengths[0] == 0:
            raise ShapeError("batches: x has no rows.")
        self._batch_size = whole_number("batches", "batch_size", batch_size)
        shuffle = flag("batches", "shuffle", shuffle)
        self._rng = np.random.default_rng(seed_sequence(rng)) if shuffle else None

    def __len__(self) -> int:
        """Number of batches; the last one may be smaller."""
        return -(-int(self._arrays[0].shape[0]) // self._batch_size)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        for rows in row_batches(self._arrays[0].shape[0], self._batch_size, self._rng):
            yield tuple(a[rows] for a in self._arrays)


def batches(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    batch_size: int,
    rng: RNGLike = None,
    shuffle: bool = True,
) -> Batches:
    """Return the minibatches of one or two arrays, shuffled anew in each iteration.

    Every row comes once in an iteration; the last batch has what is left. Shuffled batches are
    copies, unshuffled ones and a full batch are slices of the arrays.

    Args:
        x: Data (N, ...); may be sparse rows of scipy.sparse.
        y: Targets (N, ...), or None.
        batch_size: Rows of a batch.
        rng: Seed or generator for the order.
        shuffle: Whether to shuffle.

    Returns:
        An object to iterate over, which yields tuples `(x, y)`, or `(x,)` without y.

    Raises:
        ShapeError: If x and y differ in length.
        ArgumentError: If `batch_size` is below 1.

    Example:
        >>> import numpy as np, minidl as dl
        >>> for xb, yb in dl.batches(np.eye(5), np.arange(5), batch_size=2, rng=0):
        ...     print(xb.shape, yb)
        (2, 5) [2 4]
        (2, 5) [3 0]
        (1, 5) [1]
    """
    return Batches(x, y, batch_size, rng, shuffle)
