"""The windows of images, written out as one matrix for each row of outputs.

Arrays are blocks (C, H, W, N) here. A window has K = KH * KW * C / groups numbers, and those of one
output row make a matrix (K, P) with P = OW * N. A slab holds every input row once for each column
of the kernel, shifted by it, as (rows, KW, C, P); the matrix of an output row is KH rows of the
slab, so that neighbouring matrices share memory and only a KH-th of them is ever copied. A slab
covers a few rows, so that memory does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minidl.layers.windows import COLUMN_BYTES, Geometry, overlap
from minidl.products import piece_count
from minidl.typing import Array


def samples(image: Array, ow: int, at: Geometry) -> Iterator[slice]:
    """Cut a large batch, so that the slab of one output row takes half of the bound."""
    n = image.shape[3]
    parts = -(-_bytes_a_row(image, ow, at) * at.spans[0] * 2 // COLUMN_BYTES)
    size = -(-n // parts)
    for start in range(0, n, size):
        yield slice(start, start + size)


def stretches(image: Array, result: Array, at: Geometry) -> Iterator[slice]:
    """Cut the rows of the result (F, OH, OW, N), so that each slab keeps to the bound."""
    n_rows = COLUMN_BYTES // _bytes_a_row(image, result.shape[2], at)
    size = max((n_rows - at.spans[0]) // at.stride[0] + 1, 1)
    for start in range(0, result.shape[1], size):
        yield slice(start, min(start + size, result.shape[1]))


def _bytes_a_row(image: Array, ow: int, at: Geometry) -> int:
    c, _, _, n = image.shape
    return int(at.kernel[1] * c * ow * n * image.itemsize)


def columns(image: Array, rows: slice, ow: int, at: Geometry) -> Array:
    """The windows of some output rows as matrices (groups, rows, K, P)."""
    if at.is_pointwise:
        c, h, w, n = image.shape
        return image.reshape(at.groups, c // at.groups, h, w * n).swapaxes(1, 2)[:, rows]
    slab, pairs = _slab(image, rows, ow, at)
    if sum(place.size for _, place in pairs) < slab.size:
        slab[...] = 0
    for source, place in pairs:
        place[...] = source
    windows = sliding_window_view(slab, at.spans[0], axis=1)[:, :: at.stride[0]]
    windows = np.moveaxis(windows[..., :: at.dilation[0]], -1, 2)  # (G, R, KH, KW, C, OW, N)
    g, r, n = len(slab), windows.shape[1], slab.shape[-1]
    return windows.reshape(g, r, -1, ow * n)  # still a view, unless dilated


def cut(a: Array, count: int) -> Array:
    """The columns of matrices (..., K, P) in S pieces (..., S, K, P / S), a view."""
    return a.reshape(*a.shape[:-1], count, -1).swapaxes(-3, -2)


def add_products(matrix: Array, z: Array, image: Array, rows: slice, at: Geometry) -> None:
    """Add the matrices that `matrix @ z` gives for some output rows to the image under them.

    Args:
        matrix: (groups, K, F / groups).
        z: The output rows (groups, rows, F / groups, P).
        image: What is added to.
        rows: Which rows these are.
        at: Where the windows lie.
    """
    slab, pairs = _slab(image, rows, z.shape[3] // image.shape[3], at)
    slab[...] = 0
    (g, k, f), p = matrix.shape, z.shape[3]
    count, product = piece_count(k, f, p), np.empty((g, k, p), z.dtype)
    for i in range(z.shape[1]):
        # (K, F) @ (F, P / S) -> (K, P / S)
        np.matmul(matrix[:, np.newaxis], cut(z[:, i], count), out=cut(product, count))
        top = i * at.stride[0]
        window = slab[:, top : top + at.spans[0] : at.dilation[0]]
        window += product.reshape(window.shape)
    for source, place in pairs:
        source += place


def _slab(
    image: Array, rows: slice, ow: int, at: Geometry
) -> tuple[Array, list[tuple[Array, Array]]]:
    """An empty slab for some output rows, and the parts of the image with their places in it.

    The slab is (groups, rows, KW, C / groups, OW, N). Places in the padding have no part.
    """
    c, h, w, n = image.shape
    g, (sh, sw) = at.groups, at.stride
    top = rows.start * sh - at.pads(0, h)[0]
    height = (rows.stop - rows.start - 1) * sh + at.spans[0]
    slab = np.empty((g, height, at.kernel[1], c // g, ow, n), image.dtype)
    inner, used = overlap(top, 1, h, height)
    lines = image.reshape(g, c // g, h, w, n)[:, :, used].swapaxes(1, 2)
    pairs = []
    for j in range(at.kernel[1]):
        places, pixels = overlap(j * at.dilation[1] - at.pads(1, w)[0], sw, w, ow)
        pairs.append((lines[..., pixels, :], slab[:, inner, j, :, places]))
    return slab, pairs
