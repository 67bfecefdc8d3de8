"""What the normalization layers share: means over axes, deviations, and their derivative."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minidl.errors import ShapeError
from minidl.initializers import Ones, Zeros
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


def channels(layer: Layer, input_shape: Shape) -> int:
    """The length of the last axis."""
    if not input_shape or input_shape[-1] is None:
        raise ShapeError(
            f"{layer.where}: expected input of shape (N, ..., C) with a known number of channels "
            f"C, got {batch_shape(input_shape)}. Build with the length of the last axis."
        )
    return int(input_shape[-1])


def scale_and_shift(c: int) -> Sequence[ParameterSpec]:
    """A scale gamma and a shift beta for each channel."""
    return [
        ParameterSpec("gamma", (c,), Ones(), decay=False),
        ParameterSpec("beta", (c,), Zeros(), decay=False),
    ]


def all_but_last(a: Array) -> tuple[int, ...]:
    """The axes over which there is one value for each channel."""
    return tuple(range(a.ndim - 1))


def mean(a: Array, axes: Sequence[int], times: Array | None = None) -> Array:
    """Return `(a * times).mean(axes, keepdims=True)`, by BLAS and without overflow of the sum.

    BLAS sums several times as fast as NumPy. It needs the axes side by side in memory; where they
    are not, a copy is made that has them innermost.
    """
    memory = sorted(range(a.ndim), key=lambda axis: -a.strides[axis])  # from outermost to innermost
    places = [place for place, axis in enumerate(memory) if axis in axes]
    if places[-1] - places[0] >= len(places) or not a.transpose(memory).flags.c_contiguous:
        memory = [*(axis for axis in range(a.ndim) if axis not in axes), *axes]
        places = list(range(a.ndim - len(axes), a.ndim))
    innermost = places[-1] == a.ndim - 1
    if times is not None and not (innermost and times.strides == a.strides):
        return mean(a * times, axes)
    k = math.prod(a.shape[axis] for axis in axes)
    rows = math.prod(a.shape[axis] for axis in memory[: places[0]])
    block = a.transpose(memory).reshape(rows, k, -1)
    if times is not None:
        means = np.vecdot(block[:, :, 0], times.transpose(memory).reshape(rows, k)) / k
    else:
        weights = np.full(k, 1.0 / k, a.dtype)
        # (A, K) @ (K,) -> (A,), in one product; or (K,) @ (A, K, B) -> (A, B), in A products
        with np.errstate(invalid="ignore"):  # seen twice with finite numbers: BLAS raised the flag
            means = block[:, :, 0] @ weights if innermost else weights @ block
    kept: Array = means.reshape([1 if axis in axes else a.shape[axis] for axis in memory])
    return kept.transpose([memory.index(axis) for axis in range(a.ndim)])


def channel_gradients(dy: Array, z: Array) -> tuple[Array, Array]:
    """Return the sums of dy z and of dy for each channel: the gradients of gamma and beta."""
    n, axes = dy.size // dy.shape[-1], all_but_last(dy)
    return n * mean(dy, axes, z).ravel(), n * mean(dy, axes).ravel()


def centered(x: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """Return x minus its mean over `axes`, and the mean.

    The first element is subtracted before: what is left of a large mean is then exact, and of a
    constant nothing.
    """
    start = x[tuple(slice(1) if axis in axes else slice(None) for axis in range(x.ndim))]
    z = x - start
    rest = mean(z, axes)
    z -= rest
    return z, start + rest


def inverse_deviation(z: Array, axes: Sequence[int], epsilon: float) -> tuple[Array, Array]:
    """Return 1 / sqrt(mean(z^2) + epsilon) over `axes`, and mean(z^2).

    Where squares overflow, the first is right all the same and the second infinite.
    """
    with np.errstate(over="ignore"):
        variance = mean(z, axes, z)
    if np.isfinite(variance).all():
        return 1.0 / np.sqrt(variance + epsilon), variance
    size = np.maximum(np.abs(z).max(tuple(axes), keepdims=True), 1.0)
    scaled = z / size
    deviation = np.sqrt(mean(scaled * scaled, axes) + epsilon / size / size) * size
    return 1.0 / deviation, variance


def normalization_gradient(g: Array, z: Array, inverse: Array, axes: Sequence[int]) -> None:
    r"""Turn `g`, the gradient at $z = (x - m) / s$, into that at x; `z` is used up.

    With means over `axes`, $dx = (g - \bar g - z\, \overline{g z}) / s$.
    """
    g -= mean(g, axes)
    z *= mean(g, axes, z)
    g -= z
    g *= inverse
