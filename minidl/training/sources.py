"""Where a trainer's batches come from: arrays in memory, or anything that yields batches."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import number_within
from minidl.datasets.batches import row_batches
from minidl.errors import ArgumentError, DataError, ShapeError
from minidl.layers.checks import convert_input
from minidl.losses.base import check_weight
from minidl.objective import Objective
from minidl.reading import gathered
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
    """Data in arrays: converted and checked once, then gathered into reused buffers."""

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
        self.x = convert_input(objective.model, x)
        rows = np.shape(y)[:1]
        if rows != (len(self),):
            raise ShapeError(
                f"{name}: x has {len(self):,} rows and y has "
                f"{f'{rows[0]:,}' if rows else 'none'}; every row of x needs one target."
            )
        self.target, self.weight, _ = objective.check_batch(self.x, y, sample_weight)
        self.numbers: Array | None = None  # of the rows in the data, where this is a part of it

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def weigh_classes(self, class_weight: Mapping[int, float]) -> None:
        """Multiply the weights by those of the classes."""
        by_class = _class_weights(self._objective, self.target, class_weight)
        weight = by_class if self.weight is None else by_class * self.weight
        self.weight, _ = check_weight(weight, (len(self),))

    def take(self, rows: Array, name: str) -> ArraySource:
        """The same kind of source with some of the rows."""
        part = copy.copy(self)
        part.name, part.numbers = name, rows
        part.x, part.target = self.x[rows], self.target[rows]
        part.weight = None if self.weight is None else self.weight[rows]
        return part

    def steps(self, batch_size: int) -> int:
        """Number of batches."""
        return -(-len(self) // batch_size)

    def batches(self, batch_size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """Yield batches; their arrays are overwritten by the next one."""
        arrays = [a for a in (self.x, self.target, self.weight) if a is not None]
        for rows, parts in self._parts(arrays, batch_size, rng):
            weight = parts[2] if len(parts) == 3 else None
            total = float(len(parts[1]) if weight is None else weight.sum())
            yield Batch(parts[0], parts[1], weight, total, rows, self)

    def _parts(
        self, arrays: list[Array], batch_size: int, rng: np.random.Generator | None
    ) -> Iterator[tuple[slice | Array, list[Array]]]:
        """Each batch's row numbers and its part of each array."""
        if rng is None or batch_size >= len(self) or is_sparse(self.x):
            for rows in row_batches(len(self), batch_size, rng):
                yield rows, [a[rows] for a in arrays]
            return
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
        if iter(source) is source:
            raise ArgumentError(
                f"{name}: x is a generator or iterator, which is spent after one epoch. Give "
                "something that can be iterated again: dl.batches(...), a list of batches, or an "
                "object whose __iter__ returns a new iterator."
            )
        self._objective, self._source, self.name = objective, source, name

    def steps(self, batch_size: int) -> int | None:
        """Number of batches, where the source tells."""
        return len(self._source) if isinstance(self._source, Sized) else None

    def batches(self, batch_size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """Yield the source's batches, each checked; size and order are the source's."""
        start = 0
        for index, batch in enumerate(self._source):
            if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
                raise DataError(
                    f"{self.name}: batch {index} must be a tuple (x, y) or (x, y, "
                    f"sample_weight), got {type(batch).__name__}."
                )
            x = convert_input(self._objective.model, batch[0])
            weight = batch[2] if len(batch) == 3 else None
            target, weight, total = self._objective.check_batch(x, batch[1], weight)
            yield Batch(x, target, weight, total, slice(start, start + x.shape[0]), self)
            start += x.shape[0]
        if start == 0:
            raise DataError(f"{self.name}: the source of batches gave none.")

    def row_numbers(self, batch: Batch) -> Array:
        """Where a batch's rows are, counted over the whole source."""
        return np.arange(*batch.rows.indices(batch.rows.stop))  # type: ignore[union-attr]


def _class_weights(objective: Objective, target: Array, class_weight: Mapping[int, float]) -> Array:
    """A weight for each row from the weights of classes; classes not named weigh 1."""
    several_steps = len(objective.model.bound.output_shape) > 1
    labels = objective.loss.true_labels(target)
    if objective.loss.activation is None or several_steps or labels.ndim != 1:
        raise ArgumentError(f"class_weight: needs one class a sample; {objective.loss} has none.")
    n = max(objective.model.bound.output_shape[-1], 2)
    whole = isinstance(class_weight, Mapping) and all(
        isinstance(label, int | np.integer) and 0 <= label < n for label in class_weight
    )
    if not whole:
        raise ArgumentError(
            f"class_weight: expected a dict from labels 0..{n - 1} to weights, such as "
            f"{{0: 1.0, 1: 2.5}}, got {class_weight!r}."
        )
    table = np.ones(n)
    for label, weight in class_weight.items():
        table[label] = number_within("class_weight", f"the weight of class {label}", weight, 0.0)
    return table[labels]
