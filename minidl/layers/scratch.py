"""Memory that a layer uses in every training pass."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from minidl.typing import Array, Shape


class Scratch(dict[str, Array]):
    """Blocks by name that only grow and are used again in the next pass.

    Memory that is asked for and given back in every pass comes from the system page by page, each
    cleared first: two fifths of an LSTM's training step. A layer keeps a Scratch as an attribute
    and uses it in training passes alone, of which there is one at a time. Copies of a layer begin
    with an empty one, replicas too: those copy dicts, and share other attributes with their model.
    """

    def empty(self, name: str, shape: Shape, dtype: DTypeLike) -> Array:
        """Return a contiguous array with any content; the same memory for the same name."""
        size = math.prod(shape)
        block = self.get(name)
        if block is None or block.size < size or block.dtype != dtype:
            block = self[name] = np.empty(size, dtype)
        return block[:size].reshape(shape)

    def steps_inside(self, name: str, a: Array) -> Array:
        """Copy (T, K, N) to (K, T N)."""
        steps, k, n = a.shape
        copy = self.empty(name, (k, steps, n), a.dtype)
        np.copyto(copy, a.transpose(1, 0, 2))
        return copy.reshape(k, steps * n)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()
