"""Images of which every pixel is fetched from another place."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import whole_number
from minidl.augmentation.batch_transform import BatchTransform, precision_of
from minidl.errors import ArgumentError, ShapeError
from minidl.typing import Array, RNGLike

_PIXELS = 50_000  # at a time, so that what is worked on fits the cache


class Warp(BatchTransform):
    """Base of transforms that move pixels: an author writes `places`."""

    def __init__(self, image_shape: Sequence[int] | None, rng: RNGLike) -> None:
        super().__init__(rng)
        if image_shape is not None:
            who = type(self).__name__
            if not isinstance(image_shape, Sequence) or len(image_shape) not in (2, 3):
                raise ArgumentError(
                    f"{who}: image_shape must be (H, W) or (H, W, C), got {image_shape!r}."
                )
            image_shape = tuple(whole_number(who, "image_shape", n) for n in image_shape)
        self.image_shape = image_shape

    @abstractmethod
    def places(self, n: int, height: int, width: int) -> tuple[Array, Array]:
        """Draw, for n images, from which row and which column each pixel is fetched.

        Returns:
            Rows (N, H, W) and columns (N, H, W), which need not be whole nor inside the image.
        """

    def __call__(self, x: ArrayLike, y: Any = None) -> tuple[Array, Any]:
        """Return the batch with changed images, and the targets as they are."""
        array = self._inputs(x)
        images = self._images(array)
        warped = np.empty_like(images, order="C")
        size = _at_a_time(images)
        for start in range(0, len(images), size):
            block = images[start : start + size]
            warped[start : start + size] = sample(block, *self.places(*block.shape[:3]))
        return warped.reshape(array.shape), y

    def _images(self, x: Array) -> Array:
        """The batch as (N, H, W, C)."""
        shape = x.shape[1:] if self.image_shape is None else self.image_shape
        if len(shape) not in (2, 3):
            raise ShapeError(
                f"{self}: expected images (N, H, W) or (N, H, W, C), got {x.shape}. For images in "
                "flat rows say their shape, such as image_shape=(28, 28)."
            )
        if math.prod(shape) != math.prod(x.shape[1:]):
            raise ShapeError(f"{self}: expected images of shape {shape}, got {x.shape}.")
        return x.reshape(len(x), *shape[:2], *(shape[2:] or (1,)))


def _at_a_time(images: Array) -> int:
    return 1 + _PIXELS // (1 + math.prod(images.shape[1:]))


def sample(images: Array, rows: Array, columns: Array) -> Array:
    """Fetch pixels from between others, by bilinear interpolation.

    Outside an image the nearest pixel of its edge counts.

    Args:
        images: (N, H, W, C).
        rows: Where to fetch each pixel from, (N, H', W').
        columns: The same, (N, H', W').

    Returns:
        Images (N, H', W', C), with no value beyond those of the four neighbours.
    """
    n, height, width, channels = images.shape
    dtype = precision_of(images)
    # One row and one column more, so that each pixel has a right and a lower neighbour.
    padded = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    rows = np.clip(rows, 0, height - 1).astype(dtype, copy=False)
    columns = np.clip(columns, 0, width - 1).astype(dtype, copy=False)
    top, left = np.floor(rows), np.floor(columns)
    down, right = (rows - top)[..., np.newaxis], (columns - left)[..., np.newaxis]  # weights
    first = (np.arange(n) * ((height + 1) * (width + 1)))[:, np.newaxis, np.newaxis]
    at = first + top.astype(np.intp) * (width + 1) + left.astype(np.intp)  # (N, H', W')
    pixels = padded.reshape(-1, channels)
    # The pixel itself, that to the right, below, and to the right below.
    a, b, c, d = (pixels[step:].take(at, axis=0) for step in (0, 1, width + 1, width + 2))
    upper = a + right * (b - a)
    lower = c + right * (d - c)
    fetched: Array = upper + down * (lower - upper)
    return fetched
