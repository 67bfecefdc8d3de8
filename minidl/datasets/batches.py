"""Minibatches of arrays, or of anything that yields samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag, whole_number
from minidl.datasets.sample_batches import SampleBatches
from minidl.datasets.transforms import Transform, Transforms
from minidl.errors import ArgumentError, ShapeError
from minidl.randomness import seed_sequence
from minidl.reading import MappedRows, is_mapped
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
    """What `batches` returns for arrays: iterated any number of times, shuffled anew each time."""

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike | None,
        batch_size: int,
        rng: RNGLike,
        shuffle: bool,
        transform: Transform | Iterable[Transform] | None,
    ) -> None:
        self._arrays = [_rows(a) for a in (x, y) if a is not None]
        for a in self._arrays:
            if a.ndim == 0:
                raise ShapeError(
                    "batches: expected arrays with a batch axis, or an iterable of samples "
                    f"without y, got a single {type(a.item()).__name__}."
                )
        lengths = [a.shape[0] for a in self._arrays]
        if len(set(lengths)) > 1:
            raise ShapeError(
                f"batches: x has {lengths[0]:,} rows and y has {lengths[1]:,}; every row of x "
                "needs one of y."
            )
        if lengths[0] == 0:
            raise ShapeError("batches: x has no rows.")
        self.batch_size = whole_number("batches", "batch_size", batch_size)
        shuffle = flag("batches", "shuffle", shuffle)
        self._rng = np.random.default_rng(seed_sequence(rng)) if shuffle else None
        self._transforms = Transforms("batches", transform)
        if self._transforms and y is None:
            raise ArgumentError("batches: transform takes x and y; y is missing.")

    def __len__(self) -> int:
        """Number of batches; the last one may be smaller."""
        return -(-int(self._arrays[0].shape[0]) // self.batch_size)

    @property
    def generators(self) -> list[np.random.Generator]:
        """What order and transforms are drawn from; a checkpoint keeps where they stand."""
        return [*([] if self._rng is None else [self._rng]), *self._transforms.generators]

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        n = self._arrays[0].shape[0]
        for rows in row_batches(n, self.batch_size, self._rng):
            if self._transforms and isinstance(rows, slice):
                rows = np.arange(n)[rows]  # copies, which a transform may write to
            yield self._transforms(tuple(a[rows] for a in self._arrays))


def batches(
    x: ArrayLike | Iterable[Any],
    y: ArrayLike | None = None,
    *,
    batch_size: int,
    rng: RNGLike = None,
    shuffle: bool = True,
    transform: Transform | Iterable[Transform] | None = None,
    buffer_rows: int = 10_000,
) -> Batches | SampleBatches:
    """Return minibatches of arrays or of samples, shuffled anew in each iteration.

    Every row comes once in an iteration; the last batch has what is left. Shuffled batches are
    copies, unshuffled ones and a full batch are slices of the arrays.

    Three kinds of data are taken:

    - **Arrays**, lists of numbers, and sparse rows. The whole order is shuffled.
    - **Memory-mapped arrays**, `np.memmap` or `np.load(path, mmap_mode="r")`, of any size and
      dtype. The whole order is shuffled here, too; only the rows of a batch are read, always as
      copies, and what has been read does not stay in the process's memory. So it is with views
      such as `x[::2]`, but not with files in Fortran order, where each row is all over the file.
      Rows of a file that the system cannot cache are read one by one from the disk: on a slow disk
      store the rows shuffled once, and read them with `shuffle=False`.
    - **Any iterable of samples**, without y: tuples `(x_i, y_i)`, or arrays `x_i` alone. They are
      stacked into batches. What it yields must come anew each time it is iterated, as from a list
      of tuples or an object with `__iter__`; a generator is spent after one epoch. Shuffling is
      within stretches of `buffer_rows` samples, for no more are in memory: if the samples are
      sorted by class, shuffle them where they come from.

    Args:
        x: Data (N, ...); may be sparse rows of scipy.sparse, memory-mapped, or an iterable.
        y: Targets (N, ...), or None.
        batch_size: Rows of a batch.
        rng: Seed or generator for the order.
        shuffle: Whether to shuffle.
        transform: A function `(x, y) -> (x, y)` of a batch, such as an augmentation, or a list of
            them, called in their order. It gets copies, which it may write to.
        buffer_rows: Samples of an iterable that are shuffled together, rounded down to whole
            batches. Of no meaning for arrays.

    Returns:
        An object to iterate over, which yields tuples `(x, y)`, or `(x,)` without y. Its length is
        the number of batches, where that is known.

    Raises:
        ShapeError: If x and y differ in length, or samples in shape.
        DataError: If a transform returns no pair of equally many rows.
        ArgumentError: If `batch_size` is below 1, or for a generator.

    Example:
        >>> import numpy as np, minidl as dl
        >>> for xb, yb in dl.batches(np.eye(5), np.arange(5), batch_size=2, rng=0):
        ...     print(xb.shape, yb)
        (2, 5) [2 4]
        (2, 5) [3 0]
        (1, 5) [1]
        >>> images = np.full((3, 4), 255, np.uint8)  # or np.load("images.npy", mmap_mode="r")
        >>> to_floats = lambda x, y: ((x / 255).astype(np.float32), y)
        >>> [[xb.dtype.name, xb.max().item()] for xb, _ in
        ...     dl.batches(images, np.zeros(3, int), batch_size=3, transform=to_floats)]
        [['float32', 1.0]]
        >>> samples = [(np.zeros(4), 0), (np.ones(4), 1), (np.ones(4), 1)]
        >>> [yb.tolist() for _, yb in dl.batches(samples, batch_size=2, shuffle=False)]
        [[0, 1], [1]]
    """
    if y is None and _holds_samples(x):
        return SampleBatches(x, batch_size, rng, shuffle, transform, buffer_rows)  # type: ignore[arg-type]
    return Batches(x, y, batch_size, rng, shuffle, transform)  # type: ignore[arg-type]


def _rows(a: ArrayLike) -> Any:
    """Data as something to index rows of."""
    if is_sparse(a):
        return a.tocsr()  # type: ignore[union-attr]
    if is_mapped(a):
        return MappedRows(a)  # type: ignore[arg-type]
    try:
        return np.asarray(a)
    except ValueError as error:
        if "inhomogeneous" not in str(error):  # the word that NumPy has for it
            raise
        raise ShapeError(
            "batches: expected arrays, got lists of different length. x and y are two arguments: "
            "batches(x, y, ...). Samples of different length: pad the shorter."
        ) from None


def _holds_samples(x: Any) -> bool:
    """Whether x is to be iterated over: neither an array nor what becomes one."""
    if isinstance(x, list | tuple):
        return any(isinstance(sample, tuple) for sample in x[:1])
    return hasattr(x, "__iter__") and not hasattr(x, "__array__") and not is_sparse(x)
