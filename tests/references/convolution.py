"""Convolutions by plain loops over windows, after the formulas of Dumoulin and Visin."""

from __future__ import annotations

import itertools
import math

import numpy as np


def numbers(value, axes):
    return [value] * axes if isinstance(value, int) else list(value)


def zeros_around(padding, lengths, kernel, stride, dilation):
    """Zeros in front of each axis and behind it; for "same" by TensorFlow's rule."""
    pads = []
    for n, k, s, d in zip(lengths, kernel, stride, dilation, strict=True):
        extent = d * (k - 1) + 1
        if padding == "same":
            total = max((math.ceil(n / s) - 1) * s + extent - n, 0)
            pads.append((total // 2, math.ceil(total / 2)))
        elif padding == "causal":
            pads.append((extent - 1, 0))
        else:
            pads.append((0, 0))
    if isinstance(padding, int):
        return [(padding, padding)] * len(pads)
    return pads if isinstance(padding, str) else list(padding)


def correlation(x, weight, bias, stride, padding, dilation, groups):
    """Any number of axes: (N, *lengths, C) with kernels (*kernel, C / groups, F)."""
    axes = x.ndim - 2
    kernel, filters = weight.shape[:axes], weight.shape[-1]
    stride, dilation = numbers(stride, axes), numbers(dilation, axes)
    pads = zeros_around(padding, x.shape[1:-1], kernel, stride, dilation)
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    steps = zip(x.shape[1:-1], kernel, stride, dilation, strict=True)
    lengths = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in steps]
    y = np.zeros((len(x), *lengths, filters), x.dtype)
    channels, share = weight.shape[-2], filters // groups
    for place in itertools.product(*map(range, lengths)):
        for tap in itertools.product(*map(range, kernel)):
            pixel = tuple(
                p * s + t * d for p, s, t, d in zip(place, stride, tap, dilation, strict=True)
            )
            for f in range(filters):
                first = f // share * channels
                values = x[(slice(None), *pixel)][:, first : first + channels]
                y[(slice(None), *place, f)] += (values * weight[tap][:, f]).sum(1)
    return y if bias is None else y + bias


def bias_of(layer):
    return layer.bias if layer.use_bias else None


def conv(layer, x):
    return correlation(
        x,
        layer.weight,
        bias_of(layer),
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
    )


def conv_transpose(layer, x):
    """Every pixel puts its multiple of the kernel down; what lies in the padding is cut off."""
    (kh, kw, f, _), (sh, sw) = layer.weight.shape, numbers(layer.stride, 2)
    n, h, w, _ = x.shape
    full = np.zeros((n, max((h - 1) * sh + kh, h * sh), max((w - 1) * sw + kw, w * sw), f), x.dtype)
    for i, j in itertools.product(range(h), range(w)):
        full[:, i * sh : i * sh + kh, j * sw : j * sw + kw] += np.einsum(
            "nc,ijfc->nijf", x[:, i, j], layer.weight
        )
    if layer.padding == "same":
        top, left = max(kh - sh, 0) // 2, max(kw - sw, 0) // 2
        y = full[:, top : top + h * sh, left : left + w * sw]
    else:
        (top, bottom), (left, right) = zeros_around(layer.padding, (h, w), (kh, kw), (1, 1), (1, 1))
        y = full[:, top : (h - 1) * sh + kh - bottom, left : (w - 1) * sw + kw - right]
    return y + layer.bias if layer.use_bias else y
