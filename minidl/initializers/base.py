"""What every initializer is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields

import numpy as np

from minidl.errors import ArgumentError
from minidl.typing import Array, Shape


class Initializer(ABC):
    """Base of all initializers: a frozen dataclass with one method.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np, minidl as dl
        >>> @dataclass(frozen=True)
        ... class Diagonal(dl.Initializer):
        ...     value: float
        ...     def __call__(self, rng, shape, fan_in, fan_out):
        ...         return self.value * np.eye(*shape)
        >>> dl.Dense(2, weight_initializer=Diagonal(0.5)).build((2,)).weight
        array([[0.5, 0. ],
               [0. , 0.5]], dtype=float32)
    """

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # of the dataclass that calls this
            value = getattr(self, field.name)
            is_number = isinstance(value, int | float | np.integer | np.floating)
            if field.type == "float" and not (is_number and math.isfinite(value)):
                raise ArgumentError(
                    f"{type(self).__name__}: {field.name} must be a finite number, got {value!r}."
                )

    @abstractmethod
    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        """Return an array of `shape`.

        Args:
            rng: The generator to draw from.
            shape: Shape of the parameter.
            fan_in: Inputs that one output sums over; None where the layer did not say.
            fan_out: Outputs that one input feeds; None where the layer did not say.
        """

    def _fan(self, fan: int | None, name: str) -> int:
        if fan is None:
            raise ArgumentError(
                f"{self}: needs {name}. Give it in ParameterSpec(..., {name}=...), "
                "or choose an initializer that does not depend on it, such as Normal or Zeros."
            )
        return fan
