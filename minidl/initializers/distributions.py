"""Random initial values of a given distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.errors import ArgumentError
from minidl.initializers.base import Initializer
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform between `low` and `high`.

    Args:
        low: The smallest value.
        high: The value that all are below.

    Raises:
        ArgumentError: If `low` is not below `high`, or one of them is not finite.

    Example:
        >>> import numpy as np
        >>> w = Uniform(-0.5, 0.5)(np.random.default_rng(0), (784, 10), 784, 10)
        >>> w.shape, bool(abs(w).max() <= 0.5)
        ((784, 10), True)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise ArgumentError(f"{self}: low must be below high.")

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with the given mean and standard deviation.

    Args:
        mean: The mean.
        std: The standard deviation, above 0.

    Raises:
        ArgumentError: If `std` is not above 0, or one of them is not finite.

    Example:
        >>> import numpy as np
        >>> w = Normal(std=0.1)(np.random.default_rng(0), (784, 10), 784, 10)
        >>> w.shape, round(float(w.std()), 3)
        ((784, 10), 0.1)
    """

    mean: float = 0.0
    std: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.std <= 0:
            raise ArgumentError(f"{self}: std must be above 0.")

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.normal(self.mean, self.std, shape)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal, cut at two standard deviations from the mean, as in Keras.

    Values beyond are drawn again. `std` is that of the normal before the cut; what remains has
    0.88 times as much.

    Args:
        mean: The mean.
        std: The standard deviation before the cut, above 0.

    Raises:
        ArgumentError: If `std` is not above 0, or one of them is not finite.

    Example:
        >>> import numpy as np
        >>> w = TruncatedNormal(std=0.1)(np.random.default_rng(0), (784, 10), 784, 10)
        >>> w.shape, bool(abs(w).max() <= 0.2), round(float(w.std()), 3)
        ((784, 10), True, 0.088)
    """

    mean: float = 0.0
    std: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.std <= 0:
            raise ArgumentError(f"{self}: std must be above 0.")

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        z = rng.standard_normal(shape)
        while (beyond := np.abs(z) > 2).any():
            z[beyond] = rng.standard_normal(np.count_nonzero(beyond))
        return self.mean + self.std * z
