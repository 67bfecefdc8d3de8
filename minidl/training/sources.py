"""Where a trainer's batches come from: arrays in memory, or anything that yields batches."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from minidl.datasets.batches import row_batches
from minidl.datasets.blocks import check_reiterable
from minidl.datasets.generators import generators_of
from minidl.errors import ArgumentError, DataError, MinidlError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import convert_input, convert_rows
from minidl.losses.class_weights import class_weights
from minidl.objective import Objective
from minidl.reading import MappedRows, Rows, gathered, is_mapped
from minidl.sparse import is_sparse
from minidl.thread_policy import worth_reading_ahead
from minidl.typing import Array


@dataclass(slots=True)
class Batch:
    """Checked rows, ready for `Objective.differentiate`, and their numbers in the data."""

    x: Array
    target: Array
    weight: Array | None
    total: float
    rows: slice | Array
    source: ArraySource | BatchSource


class ArraySource:
    """Data in arrays: converted and checked once, then gathered into reused buffers.

    Rows of a memory-mapped x are read and converted batch by batch instead.
    """

    def __init__(
        self,
        objective: Objective,
        x: ArrayLike,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None = None,
        name: str = "fit",
    ) -> None:
        if y is None:
            raise ArgumentError(
                f"{name}: y is missing. Give targets, or as x a source of batches (x, y) that can "
                "be iterated again, such as dl.batches(...)."
            )
        self.name, self._objective = name, objective
        self.x, checked = _rows_of(objective.model, x)
        rows = np.shape(y)[:1]
        if rows != (len(self),):
            raise ShapeError(
                f"{name}: x has {len(self):,} rows and y has "
                f"{f'{rows[0]:,}' if rows else 'none'}; every row of x needs one target."
            )
        self.target, self.weight, _ = objective.check_batch(checked, y, sample_weight)
        self.numbers: Array | None = None  # of the rows in the data, where this is a part of it

    generators: Sequence[np.random.Generator] = ()  # the order is the trainer's

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def weigh_classes(self, class_weight: Mapping[int, float] | Literal["balanced"]) -> None:
        """Multiply the weights by those of the classes."""
        self.weight = _weights_by_class(
            self._objective, self.x, self.target, self.weight, class_weight
        )

    def take(self, rows: Array, name: str) -> ArraySource:
        """The same kind of source with some of the rows."""
        part = copy.copy(self)
        part.name, part.numbers = name, rows
        part.x = self.x.subset(rows) if isinstance(self.x, MappedRows) else self.x[rows]
        part.target = self.target[rows]
        part.weight = None if self.weight is None else self.weight[rows]
        return part

    def steps(self, batch_size: int) -> int:
        """Number of batches."""
        return -(-len(self) // batch_size)

    @property
    def evaluation_rows(self) -> int:
        """Rows of a batch where only the values of all batches count."""
        return self.x.block_rows if isinstance(self.x, MappedRows) else len(self)

    def batches(self, batch_size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """Yield batches; their arrays are overwritten by the next one."""
        arrays: list[Rows] = [a for a in (self.x, self.target, self.weight) if a is not None]
        for rows, parts in self._parts(arrays, batch_size, rng):
            weight = parts[2] if len(parts) == 3 else None
            total = float(len(parts[1]) if weight is None else weight.sum())
            yield Batch(parts[0], parts[1], weight, total, rows, self)

    def _parts(
        self, arrays: list[Rows], batch_size: int, rng: np.random.Generator | None
    ) -> Iterator[tuple[slice | Array, list[Array]]]:
        """Each batch's row numbers and its part of each array."""
        if rng is None or batch_size >= len(self) or is_sparse(self.x):
            for rows in row_batches(len(self), batch_size, rng):
                yield rows, [a[rows] for a in arrays]
            return
        if not isinstance(self.x, MappedRows):
            arrays[0] = self.x = np.ascontiguousarray(self.x)  # take would copy it for every batch
        order = rng.permutation(len(self))
        ahead = worth_reading_ahead(self._objective.model, batch_size)
        starts, gathering = (
            range(0, len(self), batch_size),
            gathered(arrays, order, batch_size, ahead),
        )
        for start, parts in zip(starts, gathering, strict=True):
            yield order[start : start + batch_size], parts

    def row_numbers(self, batch: Batch) -> Array:
        """Where a batch's rows are in the user's data."""
        numbers = np.arange(len(self)) if self.numbers is None else self.numbers
        return numbers[batch.rows]


class BatchSource:
    """Anything that can be iterated again and yields `(x, y)` or `(x, y, sample_weight)`."""

    def __init__(self, objective: Objective, source: Iterable[Any], name: str = "fit") -> None:
        if not hasattr(source, "__iter__"):
            raise ArgumentError(
                f"{name}: expected arrays, or a source of batches (x, y), got "
                f"{type(source).__name__}."
            )
        check_reiterable(source, name)
        self._objective, self._source, self.name = objective, source, name
        rows = getattr(source, "batch_size", None)  # as minidl's own sources have it
        self.batch_size = rows if isinstance(rows, int) else None
        self.class_weight: Mapping[int, float] | None = None

    @property
    def kind(self) -> str:
        """The name of the source's class."""
        return type(self._source).__name__

    @property
    def generators(self) -> list[np.random.Generator] | None:
        """What the source draws from; None if it does not tell."""
        return generators_of(self._source)

    evaluation_rows = 1  # of no meaning here: size and order of batches are the source's

    def weigh_classes(self, class_weight: Mapping[int, float] | Literal["balanced"]) -> None:
        """Multiply the weights of each batch by those of the classes."""
        if isinstance(class_weight, str):
            raise ArgumentError(
                f"{self.name}: class_weight={class_weight!r} goes with arrays, of which all labels "
                "can be counted. For a source of batches give a dict from labels to weights."
            )
        self.class_weight = class_weight

    def steps(self, batch_size: int) -> int | None:
        """Number of batches, where the source tells."""
        return operator.length_hint(self._source) or None

    def batches(self, batch_size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """Yield the source's batches, each checked; size and order are the source's."""
        start = 0
        for index, batch in enumerate(self._source):
            if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
                kind = type(batch).__name__
                parts = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
                raise DataError(
                    f"{self.name}: batch {index} must be a tuple (x, y) or (x, y, "
                    f"sample_weight), got {kind}{parts}. Arrays are no source of batches: give "
                    "them as x and y."
                )
            weight = batch[2] if len(batch) == 3 else None
            try:
                x = convert_input(self._objective.model, batch[0])
                target, weight, total = self._objective.check_batch(x, batch[1], weight)
            except MinidlError as error:
                error.add_note(f"in batch {index} of {self.name}")
                raise
            if self.class_weight is not None:
                weight = _weights_by_class(self._objective, x, target, weight, self.class_weight)
                total = float(weight.sum())
            yield Batch(x, target, weight, total, slice(start, start + x.shape[0]), self)
            start += x.shape[0]
        if start == 0:
            raise DataError(f"{self.name}: the source of batches gave none.")

    def row_numbers(self, batch: Batch) -> Array:
        """Where a batch's rows are, counted over the whole source."""
        return np.arange(*batch.rows.indices(batch.rows.stop))  # type: ignore[union-attr]


def _weights_by_class(
    objective: Objective,
    x: Array,
    target: Array,
    weight: Array | None,
    class_weight: Mapping[int, float] | Literal["balanced"],
) -> Array:
    """The weights of checked rows, times those of their classes."""
    shape = (x.shape[0], *objective.model.output_shape_of(x))
    labels = objective.loss.class_labels(target, shape)
    return class_weights(labels, class_weight, sample_weight=weight, n_classes=max(shape[-1], 2))


def _rows_of(model: Layer, x: ArrayLike) -> tuple[Any, Array]:
    """The data as fit reads it, and an array that passes and fails the same checks.

    The second one has the shape and dtype of memory-mapped data, but not its values, which nobody
    needs to see as a whole; only masks are made of them all.
    """
    if not is_mapped(x) or any(layer.makes_mask for layer in model.walk()):
        array = convert_input(model, x)
        return array, array
    rows = convert_rows(model, x)
    return rows, np.broadcast_to(np.empty((), rows.dtype), rows.shape)
