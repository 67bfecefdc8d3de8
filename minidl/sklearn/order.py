"""The order of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.typing import Array


class Order(np.random.Generator):
    """Orders as scikit-learn draws them: each is the last one, shuffled again.

    Args:
        random: The `RandomState` that scikit-learn would draw them from.
    """

    def __init__(self, random: np.random.RandomState) -> None:
        super().__init__(random._bit_generator)
        self._random = random
        self._order: Array | None = None

    def permutation(self, x: Any, axis: int = 0) -> Array:
        """Return the next order of x samples."""
        shuffled: Array = self._random.permutation(x)
        self._order = shuffled if self._order is None else self._order[shuffled]
        return self._order
