"""Minibatches of samples that come one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.datasets.blocks import block_rows, check_reiterable, cut
from minidl.datasets.generators import known_generators
from minidl.datasets.transforms import Transform, Transforms
from minidl.errors import DataError, ShapeError
from minidl.randomness import seed_sequence
from minidl.typing import Array, RNGLike


class SampleBatches:
    """What `batches` returns for an iterable of samples: stacked, and shuffled block by block."""

    def __init__(
        self,
        samples: Iterable[Any],
        batch_size: int,
        rng: RNGLike,
        shuffle: bool,
        transform: Transform | Iterable[Transform] | None,
        buffer_rows: int,
    ) -> None:
        check_reiterable(samples, "batches")
        self._samples = samples
        self.batch_size = whole_number("batches", "batch_size", batch_size)
        shuffle = flag("batches", "shuffle", shuffle)
        buffer_rows = whole_number("batches", "buffer_rows", buffer_rows)
        self._block_rows = block_rows(self.batch_size, shuffle, buffer_rows)
        self._rng = np.random.default_rng(seed_sequence(rng)) if shuffle else None
        self._transforms = Transforms("batches", transform)

    def __len__(self) -> int:
        """Number of batches; a TypeError where the samples do not tell theirs."""
        if not isinstance(self._samples, Sized):
            raise TypeError(f"batches: {type(self._samples).__name__} does not tell its length.")
        return -(-len(self._samples) // self.batch_size)

    @property
    def generators(self) -> list[np.random.Generator]:
        """What samples, order and transforms draw from; a checkpoint keeps where they stand."""
        own = [] if self._rng is None else [self._rng]
        return [*known_generators(self._samples), *own, *self._transforms.generators]

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        samples, first = iter(self._samples), 0
        while block := list(islice(samples, self._block_rows)):
            for batch in cut(_stacked(block, first), self.batch_size, self._rng):
                yield self._transforms(batch)
            first += len(block)


def _stacked(samples: Sequence[Any], first: int) -> tuple[Array, ...]:
    """Samples as arrays, one for each of their parts; `first` is the number of the first one."""
    rows = [sample if isinstance(sample, tuple) else (sample,) for sample in samples]
    shapes = [[np.shape(part) for part in row] for row in rows]
    for number, shape in enumerate(shapes, start=first):
        if shape != shapes[0]:
            raise ShapeError(
                f"batches: sample {number} has parts of shapes {shape}, sample {first} has "
                f"{shapes[0]}; rows of an array have one shape. Pad or crop them."
            )
    if not rows[0]:
        raise DataError(f"batches: sample {first} is an empty tuple; expected (x_i, y_i) or x_i.")
    return tuple(np.stack(parts) for parts in zip(*rows, strict=True))
