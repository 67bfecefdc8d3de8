"""What all transforms of batches have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import call_text
from minidl.errors import DTypeError, ShapeError
from minidl.randomness import seed_sequence
from minidl.sparse import dense_array
from minidl.typing import Array, RNGLike


class BatchTransform(ABC):
    """A batch goes in, a changed one comes out; whatever is random comes from its own generator.

    The arrays that are given are never written to. A copy, or one that was pickled, goes on with
    the draws where the original stood.
    """

    def __init__(self, rng: RNGLike) -> None:
        self.rng = rng
        self._generator = np.random.default_rng(seed_sequence(rng))

    @property
    def generators(self) -> list[np.random.Generator]:
        """What it draws from; a checkpoint keeps where that stands."""
        return [self._generator]

    @abstractmethod
    def __call__(self, x: ArrayLike, y: Any = None) -> tuple[Array, Any]:
        """Return the changed batch.

        Args:
            x: Inputs (N, ...), floating.
            y: Targets (N, ...), or None.
        """

    def _inputs(self, x: ArrayLike) -> Array:
        """Return the inputs as an array; raise unless it is a floating batch."""
        array = dense_array(x, f"{self}: x", "x")
        if array.ndim < 2:
            raise ShapeError(f"{self}: expected a batch (N, ...), got {array.shape}.")
        if array.dtype.kind != "f":
            scale = " / 255" if array.dtype == np.uint8 else ""
            raise DTypeError(
                f"{self}: expected floating x, got {array.dtype}: use x.astype(np.float32){scale}."
            )
        return array

    def __repr__(self) -> str:
        return call_text(self)


def precision_of(x: Array) -> np.dtype[Any]:
    """The dtype in which to draw and to compute for `x`: its own, but float32 for float16."""
    return np.promote_types(x.dtype, np.float32)
