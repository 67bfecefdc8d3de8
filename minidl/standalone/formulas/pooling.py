"""Pooling, the largest number or the mean of each window of an image (N, H, W, C); and back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minidl.typing import Array


def pool2d(
    x: Array,
    of_window: Callable[..., Array],
    *,
    size: tuple[int, int],
    stride: tuple[int, int],
    before: tuple[int, int],
    count: tuple[int, int],
) -> Array:
    """A number for the pixels of each window; the first window begins `before` pixels outside."""
    y = np.empty((len(x), *count, x.shape[3]), np.float32)
    for i in range(count[0]):
        for j in range(count[1]):
            top, left = i * stride[0] - before[0], j * stride[1] - before[1]
            window = x[:, max(top, 0) : top + size[0], max(left, 0) : left + size[1]]
            y[:, i, j] = of_window(window, axis=(1, 2))
    return y


def max_pool2d(x: Array, **windows: tuple[int, int]) -> Array:
    """The largest pixel of each window."""
    return pool2d(x, np.max, **windows)


def max_pool1d(x: Array, *, size: int, stride: int, before: int, count: int) -> Array:
    """The largest step of each window of sequences (N, T, C): of images one pixel high."""
    return max_pool2d(
        x[:, np.newaxis], size=(1, size), stride=(1, stride), before=(0, before), count=(1, count)
    )[:, 0]


def average_pool2d(x: Array, **windows: tuple[int, int]) -> Array:
    """The mean of each window's pixels inside the image."""
    return pool2d(x, np.mean, **windows)


def global_max_pool(x: Array, axes: tuple[int, ...]) -> Array:
    """The largest number of each channel over all pixels."""
    y: Array = x.max(axis=axes)
    return y


def global_average_pool(x: Array, axes: tuple[int, ...]) -> Array:
    """The mean of each channel over all pixels or steps, of images the mean of columns' means."""
    for _ in axes:  # a single sum over all pixels would lose digits
        x = x.mean(axis=1)
    return x


def repeat(x: Array, size: tuple[int, int]) -> Array:
    """Repeat every pixel down and across."""
    return x.repeat(size[0], axis=1).repeat(size[1], axis=2)
