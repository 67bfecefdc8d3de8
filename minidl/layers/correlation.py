"""The products of a kernel with the windows of an image, and their derivatives.

Arrays here are blocks (C, H, W, N), contiguous or not. A window has K = KH * KW * C / groups
numbers; the windows of one output row make a matrix (K, OW * N). Most of it is written once: a slab
holds, for each input row, that row shifted by every column of the kernel, (rows, KW, C, OW, N), and
the matrix of an output row is KH consecutive rows of the slab. So only a KH-th of the copies of the
usual im2col are made, and a few output rows at a time, so that memory does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minidl.layers.windows import COLUMN_BYTES, Padding, output_length, overlap, pad_widths
from minidl.typing import Array

Pairs = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Geometry:
    """Where the windows of a kernel lie, with a number for each axis that it slides along."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Padding
    dilation: tuple[int, ...]
    groups: int

    def pads(self, axis: int, length: int) -> tuple[int, int]:
        """Zeros in front of an axis and behind it."""
        k, s, d = self.kernel[axis], self.stride[axis], self.dilation[axis]
        return pad_widths(self.padding, axis, length, k, s, d)

    def count(self, who: str, axis: int, length: int) -> int:
        """Number of windows along an axis."""
        k, s, d = self.kernel[axis], self.stride[axis], self.dilation[axis]
        return output_length(who, length, k, s, self.pads(axis, length), d)

    @property
    def reach(self) -> int:
        """Rows from the first of a window to its last."""
        return (self.kernel[0] - 1) * self.dilation[0] + 1

    @property
    def is_pointwise(self) -> bool:
        """Whether the windows are the image's pixels."""
        pads = self.padding in ("valid", "same")
        return pads and self.kernel == self.stride == (1, 1)


def correlate(x: Array, weight: Array, bias: Array | None, y: Array, at: Geometry) -> None:
    """Fill y (F, OH, OW, N): each window of x (C, H, W, N) times each kernel, plus bias."""
    matrix = _matrices(weight, at)
    for part in _samples(x, y, at):
        image, target = np.ascontiguousarray(x[..., part]), y[..., part]
        result = target if target.flags.c_contiguous else np.empty(target.shape, y.dtype)
        for rows in _stretches(image, result, at):
            z = _by_rows(result, at)[:, rows]
            # (F, K) @ (K, P) -> (F, P)
            np.matmul(matrix.mT, _columns(image, rows, y.shape[2], at), out=z)
            if bias is not None:
                z += bias.reshape(at.groups, 1, -1, 1)
        if result is not target:
            target[...] = result


def weight_gradient(x: Array, dy: Array, gradient: Array, at: Geometry) -> None:
    """Fill the gradient (KH, KW, C / groups, F) of the kernels in `correlate`."""
    matrix = _matrices(gradient, at)
    matrix[...] = 0
    for part in _samples(x, dy, at):
        image, dz = (np.ascontiguousarray(a[..., part]) for a in (x, dy))
        for rows in _stretches(image, dz, at):
            z = _by_rows(dz, at)[:, rows]
            products = _columns(image, rows, dy.shape[2], at) @ z.mT  # (K, P) @ (P, F) -> (K, F)
            matrix += products.sum(axis=1, keepdims=True)


def spread(dy: Array, weight: Array, dx: Array, at: Geometry) -> None:
    """Fill dx (C, H, W, N), the gradient of `correlate` at x: each dy times its window's kernel."""
    dx[...] = 0
    for part in _samples(dx, dy, at):
        image, dz = dx[..., part], np.ascontiguousarray(dy[..., part])
        for rows in _stretches(image, dz, at):
            _add_rows(_by_rows(dz, at)[:, rows], _matrices(weight, at)[:, 0], image, rows, at)


def _add_rows(z: Array, matrix: Array, image: Array, rows: slice, at: Geometry) -> None:
    """Add to an image what some output rows z (groups, rows, F / groups, P) give back to it."""
    n = image.shape[3]
    slab, pairs = _slab(image, rows, z.shape[3] // n, at)
    slab[...] = 0
    product = np.matmul if matrix.shape[2] > 1 else np.multiply  # four times as fast for depthwise
    for i in range(z.shape[1]):
        top = i * at.stride[0]
        window = slab[:, top : top + at.reach : at.dilation[0]]
        window += product(matrix, z[:, i]).reshape(window.shape)  # (K, F) @ (F, P) -> (K, P)
    for source, place in pairs:
        source += place


def _samples(image: Array, result: Array, at: Geometry) -> Iterator[slice]:
    """Cut a large batch, so that the slab of one output row takes half of the bound."""
    n = image.shape[3]
    parts = -(-_bytes_a_row(image, result, at) * at.reach * 2 // COLUMN_BYTES)
    size = -(-n // parts)
    for start in range(0, n, size):
        yield slice(start, start + size)


def _stretches(image: Array, result: Array, at: Geometry) -> Iterator[slice]:
    """Cut the output rows, so that the slab of each stretch keeps to the bound."""
    n_rows = COLUMN_BYTES // _bytes_a_row(image, result, at)
    size = max((n_rows - at.reach) // at.stride[0] + 1, 1)
    for start in range(0, result.shape[1], size):
        yield slice(start, min(start + size, result.shape[1]))


def _bytes_a_row(image: Array, result: Array, at: Geometry) -> int:
    c, _, _, n = image.shape
    return int(at.kernel[1] * c * result.shape[2] * n * image.itemsize)


def _matrices(weight: Array, at: Geometry) -> Array:
    """(KH, KW, C / groups, F) as (groups, 1, K, F / groups)."""
    return weight.reshape(-1, 1, at.groups, weight.shape[-1] // at.groups).transpose(2, 1, 0, 3)


def _by_rows(y: Array, at: Geometry) -> Array:
    """(F, OH, OW, N), contiguous, as (groups, OH, F / groups, P) with P = OW * N."""
    f, oh, ow, n = y.shape
    return y.reshape(at.groups, f // at.groups, oh, ow * n).swapaxes(1, 2)


def _columns(image: Array, rows: slice, ow: int, at: Geometry) -> Array:
    """The windows of some output rows as matrices (groups, rows, K, P)."""
    if at.is_pointwise:
        c, h, w, n = image.shape
        return image.reshape(at.groups, c // at.groups, h, w * n).swapaxes(1, 2)[:, rows]
    slab, pairs = _slab(image, rows, ow, at)
    if sum(place.size for _, place in pairs) < slab.size:
        slab[...] = 0
    for source, place in pairs:
        place[...] = source
    windows = sliding_window_view(slab, at.reach, axis=1)[:, :: at.stride[0]]
    windows = np.moveaxis(windows[..., :: at.dilation[0]], -1, 2)  # (G, R, KH, KW, C, OW, N)
    g, r, n = len(slab), windows.shape[1], slab.shape[-1]
    return windows.reshape(g, r, -1, ow * n)  # a view of overlapping windows, unless dilated


def _slab(image: Array, rows: slice, ow: int, at: Geometry) -> tuple[Array, Pairs]:
    """An empty slab for some output rows, and the parts of the image with their places in it.

    The slab is (groups, rows, KW, C / groups, OW, N). Places in the padding have no part.
    """
    c, h, w, n = image.shape
    g, (sh, sw) = at.groups, at.stride
    top = rows.start * sh - at.pads(0, h)[0]
    height = (rows.stop - rows.start - 1) * sh + at.reach
    slab = np.empty((g, height, at.kernel[1], c // g, ow, n), image.dtype)
    inner, used = overlap(top, 1, h, height)
    lines = image.reshape(g, c // g, h, w, n)[:, :, used].swapaxes(1, 2)
    pairs = []
    for j in range(at.kernel[1]):
        columns, pixels = overlap(j * at.dilation[1] - at.pads(1, w)[0], sw, w, ow)
        pairs.append((lines[..., pixels, :], slab[:, inner, j, :, columns]))
    return slab, pairs
