"""Noise on inputs."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from minidl.arguments import number_within
from minidl.augmentation.batch_transform import BatchTransform, precision_of
from minidl.typing import Array, RNGLike


class RandomNoise(BatchTransform):
    r"""Add normal noise to every element, $x + s\,\varepsilon$ with $\varepsilon \sim N(0, 1)$.

    The same as the layer `GaussianNoise` in front of a model, but as a part of the data: the model
    that is kept knows nothing of it. The values may leave the range of the input, so that their
    mean stays what it was.

    Shapes:
        x `(N, ...)`; y unchanged.

    Args:
        deviation: Standard deviation s of the noise, at least 0.
        rng: Seed or generator of the draws.

    Raises:
        ArgumentError: If `deviation` is negative or not finite.
        ShapeError: If x is no batch.
        DTypeError: If x is not floating.

    Example:
        >>> import numpy as np
        >>> noisy, same = RandomNoise(0.5, rng=0)(np.ones((100, 1000)))
        >>> round(float(noisy.mean()), 2), round(float(noisy.std()), 2)
        (1.0, 0.5)
    """

    def __init__(self, deviation: float, *, rng: RNGLike = None) -> None:
        super().__init__(rng)
        self.deviation = number_within("RandomNoise", "deviation", deviation, 0.0)

    def __call__(self, x: ArrayLike, y: Any = None) -> tuple[Array, Any]:
        """Return the batch with noise, and the targets as they are."""
        array = self._inputs(x)
        noise = self._generator.standard_normal(array.shape, dtype=precision_of(array))
        noise *= self.deviation
        noise += array
        return noise.astype(array.dtype, copy=False), y
