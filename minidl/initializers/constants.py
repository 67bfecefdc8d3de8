"""Initial values that are not random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.initializers.base import Initializer
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros; right for biases, wrong for weights (all units of a layer would stay equal).

    Example:
        >>> import minidl as dl
        >>> dl.Dense(3, bias_initializer=Zeros()).build((2,)).bias
        array([0., 0., 0.], dtype=float32)
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """All ones, as for the scale of a normalization layer.

    Example:
        >>> import minidl as dl
        >>> dl.Dense(3, bias_initializer=Ones()).build((2,)).bias
        array([1., 1., 1.], dtype=float32)
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.ones(shape)


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere.

    Args:
        value: The number.

    Example:
        >>> import minidl as dl
        >>> dl.Dense(3, bias_initializer=Constant(0.1)).build((2,)).bias
        array([0.1, 0.1, 0.1], dtype=float32)
    """

    value: float

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.full(shape, float(self.value))
