"""Gradients of limited length."""

from __future__ import annotations

import math

import numpy as np

from minidl.typing import Array


def clipped_by_norm(grads: Array, limit: float, scratch: Array, out: Array) -> Array:
    """Return g min(1, c / ||g||), in `out` where it differs from g.

    Args:
        grads: The gradient g (P,); may be `out`.
        limit: The largest norm c.
        scratch: A vector (P,) to overwrite.
        out: A vector (P,) for the result.
    """
    largest = float(np.abs(grads, out=scratch).max(initial=0))
    if not largest:
        return grads
    direction = np.divide(grads, largest, out=scratch)  # squares of elements up to 1 are finite
    length = math.sqrt(float(direction @ direction))  # ||g|| = largest * length
    if largest * length <= limit:
        return grads
    return np.multiply(direction, limit / length, out=out)
