"""The rectified linear unit."""

from __future__ import annotations

import math

import numpy as np

from minidl.layers.base import Layer
from minidl.typing import Array

FEW = 4096  # numbers up to which that costs more than it saves


class ReLU(Layer):
    r"""Rectified linear unit, $y = \max(x, 0)$.

    Backward: $dx = dy \cdot [y > 0]$; at $x = 0$, where the function has a kink, the derivative is
    taken as 0. The usual choice between dense layers: cheap, and its gradient does not fade for
    large inputs. A unit that is negative for every input of the data gets no gradient any more
    ("dies"); a smaller learning rate or another start helps.

    Shapes:
        x and y `(N, ...)`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.ReLU().build((3,))(np.array([[-1.0, 0.0, 2.0]]))
        array([[0., 0., 2.]], dtype=float32)

    References:
        V. Nair, G. Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.
    """

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        # the same by clip, which is up to six times as fast but takes longer to begin
        y = np.maximum(x, 0, out=out) if x.size <= FEW else x.clip(0.0, math.inf, out)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        dx = np.empty_like(y) if out is None else out
        np.greater(y, 0, out=dx, casting="unsafe")  # 1 or 0
        dx *= dy
        return dx
