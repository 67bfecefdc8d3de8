"""Mean and deviation of data that may be larger than memory."""

from __future__ import annotations

import numpy as np

from minidl.finiteness import is_finite, raise_for_non_finite
from minidl.typing import Array

BLOCK = 2**20  # numbers that are held in float64 at a time


@np.errstate(over="ignore", invalid="ignore")
def mean_and_deviation(x: Array, name: str) -> tuple[Array, Array]:
    """Mean and standard deviation over all axes but the last."""
    c = x.shape[-1]
    rows = max(BLOCK * len(x) // x.size, 1)
    origin = x[:1].reshape(-1, c)[0].astype(np.float64)  # so that constants leave no rounding
    n, mean, squares = 0, np.zeros(c), np.zeros(c)
    for start in range(0, len(x), rows):
        block = x[start : start + rows]
        if not is_finite(block):
            raise_for_non_finite(block, name, rows=np.arange(start, start + len(block)))
        z = block.astype(np.float64).reshape(-1, c) - origin
        new, m = len(z), z.mean(axis=0)
        step = m - mean
        z -= m
        # the squares around the old and the new mean, and of the step between the two
        squares += (z * z).sum(axis=0) + step * step * (n * new / (n + new))
        mean += step * (new / (n + new))
        n += new
    return origin + mean, np.sqrt(squares / n)
