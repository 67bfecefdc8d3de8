"""Pooling in plain loops, one window at a time."""

import math

import numpy as np


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def windows(length, size, stride, padding):
    """The indices inside each window along an axis, as lists."""
    if padding == "valid":
        starts = range(0, length - size + 1, stride)
    else:
        count = math.ceil(length / stride)
        outside = max((count - 1) * stride + size - length, 0)
        starts = [i * stride - outside // 2 for i in range(count)]
    return [[i for i in range(start, start + size) if 0 <= i < length] for start in starts]


def pooled(layer, x, summary):
    """`summary` of the pixels of each window, in row-major order; (N, H', W', C)."""
    size = pair(layer.pool_size)
    stride = size if layer.stride is None else pair(layer.stride)
    rows, columns = (windows(x.shape[1 + i], size[i], stride[i], layer.padding) for i in (0, 1))
    y = np.empty((len(x), len(rows), len(columns), x.shape[3]), x.dtype)
    for n, i, j, c in np.ndindex(y.shape):
        y[n, i, j, c] = summary([x[n, h, w, c] for h in rows[i] for w in columns[j]])
    return y


def max_pool(layer, x):
    return pooled(layer, x, max)


def average_pool(layer, x):
    return pooled(layer, x, lambda pixels: sum(pixels) / len(pixels))


def max_pool_gradient(layer, x, dy):
    """The gradient at x: each window's goes to the first of its largest pixels."""
    index = np.arange(x.size).reshape(x.shape)

    def first_largest(pixels):
        return max(pixels, key=lambda i: x.flat[i])  # Python's max is the first of equals

    dx = np.zeros_like(x)
    for winner, gradient in zip(pooled(layer, index, first_largest).flat, dy.flat, strict=True):
        dx.flat[winner] += gradient
    return dx


def average_pool_gradient(layer, x, dy):
    index = np.arange(x.size).reshape(x.shape)
    dx = np.zeros_like(x)
    gradients = iter(dy.flat)

    def give(pixels):
        gradient = next(gradients)
        for i in pixels:
            dx.flat[i] += gradient / len(pixels)
        return 0

    pooled(layer, index, give)
    return dx


def max_pool_of_steps(layer, x):
    stride = layer.pool_size if layer.stride is None else layer.stride
    steps = windows(x.shape[1], layer.pool_size, stride, layer.padding)
    return np.array([[np.amax(sequence[each], axis=0) for each in steps] for sequence in x])


def repeated(layer, x):
    s, t = pair(layer.size)
    return np.array(
        [
            [[row[j // t] for j in range(t * len(row))] for row in image for _ in range(s)]
            for image in x
        ]
    )
