"""Reused memory for activations: the one place that knows in which order they lie in memory.

Samples with three axes, images (H, W, C), lie batch-innermost: an array (N, H, W, C) is a
transposed view of a C-contiguous block (C, H, W, N), so that loops over pixels run over long
contiguous stretches. All other samples lie in C order.
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from minidl.typing import Array, Shape


def arranged(flat: Array, n: int, shape: Shape) -> Array:
    """Return n * size numbers as an array (n, *shape) in minidl's memory order, a view."""
    if len(shape) == 3:
        h, w, c = shape
        return flat.reshape(c, h, w, n).transpose(3, 1, 2, 0)  # (C, H, W, N) -> (N, H, W, C)
    return flat.reshape(n, *shape)


def batch_empty(n: int, shape: Shape, dtype: DTypeLike) -> Array:
    """Return an uninitialized array (n, *shape) in minidl's memory order.

    Example:
        >>> batch_empty(4, (8, 6, 3), np.float32).shape
        (4, 8, 6, 3)
        >>> batch_empty(4, (8, 6, 3), np.float32).transpose(3, 1, 2, 0).flags.c_contiguous
        True
    """
    return arranged(np.empty(n * math.prod(shape), dtype), n, shape)


class Block:
    """A flat block that only grows; a batch of n rows uses its first n * size elements.

    A slice along the batch axis of a batch-innermost block could not be reshaped without a copy,
    so a smaller batch is laid out anew from the start of the block.
    """

    def __init__(self, shape: Shape, dtype: DTypeLike) -> None:
        self._shape = shape
        self._size = 0 if None in shape else math.prod(shape)
        self._flat = np.empty(0, dtype)
        self._n = -1
        self._view = self._flat

    def rows(self, n: int) -> Array | None:
        """The block as an array (n, *shape); the same object for the same n in a row.

        None where the samples' time axis is open: layers return fresh arrays there.
        """
        if n != self._n:
            if not self._size:
                return None
            if n * self._size > self._flat.size:
                self._flat = np.empty(n * self._size, self._flat.dtype)
            self._view = arranged(self._flat[: n * self._size], n, self._shape)
            self._n = n
        return self._view
