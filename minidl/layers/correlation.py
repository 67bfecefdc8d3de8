"""Kernels times the windows of images, and the two derivatives of that.

Arrays are blocks (C, H, W, N) in any memory order. `image_windows` tells how windows become
matrices (K, P); each group of channels has its own.
"""

from __future__ import annotations

import numpy as np

from minidl.layers.image_windows import add_products, columns, cut, samples, stretches
from minidl.layers.windows import COLUMN_BYTES, Geometry
from minidl.products import piece_count
from minidl.typing import Array

FEW_SUMS = 1200  # numbers of a gradient (K, F) up to which pieces make its products faster


def correlate(x: Array, weight: Array, bias: Array | None, y: Array, at: Geometry) -> None:
    """Fill y (F, OH, OW, N): each window of x (C, H, W, N) times each kernel, plus bias."""
    kernels, ow = _matrices(weight, at).mT[:, np.newaxis, np.newaxis], y.shape[2]
    f, k = kernels.shape[-2:]
    for part in samples(x, ow, at):
        image, target = np.ascontiguousarray(x[..., part]), y[..., part]
        result = target if target.flags.c_contiguous else np.empty(target.shape, y.dtype)
        for rows in stretches(image, result, at):
            z = _by_rows(result, at)[:, rows]
            count = piece_count(f, k, z.shape[3])
            # (F, K) @ (K, P / S) -> (F, P / S)
            np.matmul(kernels, cut(columns(image, rows, ow, at), count), out=cut(z, count))
            if bias is not None:
                z += bias.reshape(at.groups, 1, -1, 1)
        if result is not target:
            target[...] = result


def weight_gradient(x: Array, dy: Array, gradient: Array, at: Geometry) -> None:
    """Fill the gradient (KH, KW, C / groups, F) of the kernels in `correlate`."""
    matrix, ow = _matrices(gradient, at), dy.shape[2]
    _, k, f = matrix.shape
    matrix[...] = 0
    for part in samples(x, ow, at):
        image, dz = (np.ascontiguousarray(a[..., part]) for a in (x, dy))
        for rows in stretches(image, dz, at):
            z = _by_rows(dz, at)[:, rows]
            count = piece_count(k, f, z.shape[3]) if k * f <= FEW_SUMS else 1
            _add_gradients(matrix, columns(image, rows, ow, at), z, count)


def _add_gradients(matrix: Array, windows: Array, dz: Array, count: int) -> None:
    """Add windows (G, R, K, P) times dz (G, R, F, P), for each of R rows and S = `count` pieces."""
    size = max(COLUMN_BYTES // (matrix.nbytes * count), 1)  # every row and piece has a whole matrix
    for start in range(0, dz.shape[1], size):
        rows = slice(start, start + size)
        # (K, P / S) @ (P / S, F) -> (K, F)
        products = cut(windows[:, rows], count) @ cut(dz[:, rows], count).mT
        matrix += products.sum(axis=(1, 2))


def spread(dy: Array, weight: Array, dx: Array, at: Geometry) -> None:
    """Fill dx (C, H, W, N), the gradient of `correlate` at x: each dy times its window's kernel."""
    if max(at.stride) == 1 and (len(dy) <= len(dx) or at.is_pointwise):
        # Mirrored kernels gather what add_products would add up, from no more windows than forward.
        correlate(dy, _mirrored(weight, at.groups), None, dx, at.mirrored(dx.shape[1:3]))
        return
    dx[...] = 0
    for part in samples(dx, dy.shape[2], at):
        image, dz = dx[..., part], np.ascontiguousarray(dy[..., part])
        for rows in stretches(image, dz, at):
            z = _by_rows(dz, at)[:, rows]
            add_products(_matrices(weight, at), z, image, rows, at)


def _matrices(weight: Array, at: Geometry) -> Array:
    """(KH, KW, C / groups, F) as (groups, K, F / groups)."""
    return weight.reshape(-1, at.groups, weight.shape[3] // at.groups).swapaxes(0, 1)


def _mirrored(weight: Array, groups: int) -> Array:
    """(KH, KW, C / groups, F) as the kernels (KH, KW, F / groups, C) of the way back."""
    kh, kw, c, f = weight.shape
    parts = weight[::-1, ::-1].reshape(kh, kw, c, groups, f // groups)
    return parts.transpose(0, 1, 4, 3, 2).reshape(kh, kw, f // groups, groups * c)


def _by_rows(y: Array, at: Geometry) -> Array:
    """(F, OH, OW, N), contiguous, as (groups, OH, F / groups, P) with P = OW * N."""
    f, oh, ow, n = y.shape
    return y.reshape(at.groups, f // at.groups, oh, ow * n).swapaxes(1, 2)
