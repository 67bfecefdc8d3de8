"""The rows on which an export is compared with its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from minidl.containers.nesting import computes_like, innermost_layers
from minidl.errors import ArgumentError, ContractError, DataError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.sigmoid import Sigmoid
from minidl.sparse import dense_array
from minidl.standalone.program import Program
from minidl.typing import Array, Shape

ROWS, TEST_VECTORS = 32, 3


@dataclass(frozen=True)
class Trial:
    """Rows, the model's outputs for them, and labels if there are any.

    Above its threshold a single output means the class 1.
    """

    who: str
    x: Array
    expected: Array
    labels: Array | None
    threshold: float = 0.5

    @classmethod
    def of(
        cls, who: str, model: Layer, program: Program, x: ArrayLike | None, y: ArrayLike | None
    ) -> Self:
        """Take the user's rows, or draw some."""
        if x is None and y is not None:
            raise ArgumentError(f"{who}: labels y need rows x.")
        rows = _drawn(program) if x is None else dense_array(x, f"{who}: x", "x")
        expected = model.predict(rows)
        if not np.isfinite(expected).all():
            raise DataError(f"{who}: the model's outputs are not finite. Give other rows x.")
        if not program.takes_indices:
            with np.errstate(over="ignore"):
                rows = rows.astype(np.float32)
            if not np.isfinite(rows).all():
                raise DataError(
                    f"{who}: x has numbers that are NaN or infinite in float32. Leave them out."
                )
        labels = None if y is None else _labels(who, y, expected.shape)
        probability = computes_like(innermost_layers(model)[-1], Sigmoid)
        return cls(who, rows, expected, labels, 0.5 if probability else 0.0)

    @property
    def scale(self) -> float:
        """What differences are divided by: the largest output, or 1."""
        return max(1.0, float(np.abs(self.expected).max()))

    def check(self, outputs: Array, tolerance: float) -> float:
        """Return the largest difference; raise if it exceeds the tolerance."""
        difference = float(np.abs(outputs - self.expected).max()) / self.scale
        if not difference <= tolerance:  # NaN exceeds it, too
            raise ContractError(
                f"{self.who}: outputs differ from the model's by {difference:.3g} of the largest "
                f"output, more than tolerance={tolerance:g}. Nothing was written. If so much is "
                "good enough, give a larger tolerance."
            )
        return difference

    def accuracy(self, outputs: Array) -> float | None:
        """Fraction of rows predicted right by the largest output, or by a single one."""
        if self.labels is None:
            return None
        predicted = (
            outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > self.threshold
        )
        return float((predicted == self.labels).mean())


def _labels(who: str, y: ArrayLike, shape: Shape) -> Array:
    labels = np.asarray(y)
    if len(shape) != 2:
        raise ShapeError(f"{who}: accuracy is of outputs (N, C), got {shape}. Leave out y.")
    if labels.dtype.kind not in "biuf":
        raise DataError(f"{who}: labels must be numbers of classes, got dtype {labels.dtype}.")
    n_classes = max(shape[1], 2)
    if labels.shape == (shape[0], n_classes) and _one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.size != shape[0]:
        raise ShapeError(
            f"{who}: expected one label for each of {shape[0]} rows, got {np.shape(y)}."
        )
    whole: Array = labels.ravel()
    if not np.isin(whole, np.arange(n_classes)).all():
        raise DataError(
            f"{who}: labels must be whole numbers from 0 to {n_classes - 1}, or one-hot rows, got "
            f"numbers from {whole.min():g} to {whole.max():g}."
        )
    return whole


def _one_hot(rows: Array) -> bool:
    return bool((np.sort(rows, axis=1) == [0] * (rows.shape[1] - 1) + [1]).all())


def _drawn(program: Program) -> Array:
    """Normal numbers in eighths, which print short; or indices; in a network's own units."""
    rng = np.random.default_rng(0)
    shape = (ROWS, *program.input_shape)
    if program.takes_indices:
        tables = [s.arrays["weight"] for s in program.steps if s.function == "embedding"]
        return rng.integers(0, min(map(len, tables)), shape)
    x = np.rint(8 * rng.standard_normal(shape)) / 8
    for step in program.steps:
        if step.function == "normalize" and step.inputs == (0,):
            scale = step.arrays["scale"].astype(np.float64)
            x = step.arrays["mean"] + x / np.where(scale == 0, 1, scale)
            break
    return x.astype(np.float32)
