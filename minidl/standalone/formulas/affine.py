"""Weighted sums: dense layers and convolutions, and normalization by fixed numbers."""

from __future__ import annotations

import numpy as np

from minidl.typing import Array


def dense(x: Array, weight: Array, bias: Array) -> Array:
    """Return x W + b, for rows (N, D) or steps (N, T, D)."""
    return x @ weight + bias


def normalize(x: Array, mean: Array, scale: Array, shift: Array) -> Array:
    """Return (x - mean) * scale + shift, channel by channel."""
    return (x - mean) * scale + shift


def conv2d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: tuple[int, int],
    padding: tuple[tuple[int, int], tuple[int, int]],
    dilation: tuple[int, int],
    groups: int,
) -> Array:
    """y[n, h, w, f] = b[f] + the sum over i, j, c of x[n, s h + d i, s w + d j, c] W[i, j, c, f].

    x is (N, H, W, C), padded with zeros; W is (KH, KW, C / groups, F).
    """
    kh, kw = weight.shape[:2]
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    h = (x.shape[1] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    w = (x.shape[2] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    parts = []
    for channels, kernel in zip(
        np.split(x, groups, axis=3), np.split(weight, groups, axis=3), strict=True
    ):
        y = np.zeros((len(x), h, w, kernel.shape[3]), np.float32)
        for i in range(kh):
            for j in range(kw):
                rows = slice(dilation[0] * i, dilation[0] * i + stride[0] * (h - 1) + 1, stride[0])
                cols = slice(dilation[1] * j, dilation[1] * j + stride[1] * (w - 1) + 1, stride[1])
                y += channels[:, rows, cols] @ kernel[i, j]
        parts.append(y)
    return np.concatenate(parts, axis=3) + bias


def conv1d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: int,
    padding: tuple[int, int],
    dilation: int,
    groups: int,
) -> Array:
    """The convolution of sequences (N, T, C): of images one pixel high."""
    return conv2d(
        x[:, np.newaxis],
        weight[np.newaxis],
        bias,
        stride=(1, stride),
        padding=((0, 0), padding),
        dilation=(1, dilation),
        groups=groups,
    )[:, 0]
