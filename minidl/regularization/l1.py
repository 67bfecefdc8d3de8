"""The absolute values of the weights as a penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.regularization.base import Penalty
from minidl.typing import Array


@dataclass(frozen=True)
class L1(Penalty):
    r"""The sum of absolute values, $P = s \sum_i |w_i|$, with gradient $s\, \mathrm{sign}(w_i)$.

    It pulls every weight towards 0 with the same force, and so makes those small that are of
    little use: they end up within a step of 0, around which they go to and fro. At 0 itself the
    gradient is taken as 0. The same convention as in Keras.

    Args:
        strength: s, at least 0.

    Raises:
        ArgumentError: If `strength` is negative or not finite.

    Example:
        >>> import numpy as np
        >>> w, gradient = np.array([[3.0, 0.0, -1.0]]), np.zeros((1, 3))
        >>> penalty = L1(0.5)
        >>> penalty.add_gradient(w, gradient)
        >>> penalty.value(w), gradient
        (2.0, array([[ 0.5,  0. , -0.5]]))

    References:
        R. Tibshirani, Regression shrinkage and selection via the lasso, Journal of the Royal
        Statistical Society B 58, 1996.
    """

    strength: float

    def value(self, w: Array) -> float:
        return self.strength * float(np.abs(w).sum(dtype=np.float64))

    def add_gradient(self, w: Array, out: Array) -> None:
        out += self.strength * np.sign(w)
