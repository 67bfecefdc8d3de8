"""The Gaussian error linear unit."""

from __future__ import annotations

import math

import numpy as np

from minidl.arguments import flag
from minidl.layers.base import Layer
from minidl.layers.sigmoid import logistic
from minidl.typing import Array

CUBIC = 0.044715
STEEPNESS = math.sqrt(8 / math.pi)


class GELU(Layer):
    r"""Gaussian error linear unit, $y = x\,\Phi(x)$ with $\Phi$ the normal distribution function.

    $\Phi(x) = \tfrac12 (1 + \operatorname{erf}(x / \sqrt 2))$ and
    $\Phi'(x) = e^{-x^2 / 2} / \sqrt{2 \pi}$, or with `approximate` the tanh form,

    $$\Phi(x) \approx \tfrac12 \left(1 + \tanh \sqrt{2 / \pi}\,(x + 0.044715\,x^3)\right)
      = \sigma(u), \qquad u = \sqrt{8 / \pi}\,(x + 0.044715\,x^3),$$

    with $\sigma'(u) = \sigma(u)\,(1 - \sigma(u))$. Backward: $dx = dy\,(\Phi(x) + x\,\Phi'(x))$.
    The usual activation in transformers. The tanh form differs from the exact one by less than
    0.0005 and is several times as fast here; take the one that a model was trained with.

    Shapes:
        x and y `(N, ...)`.

    Args:
        approximate: Whether to compute the tanh form.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.GELU().build((3,))(np.array([[-1.0, 0.0, 1.0]])).round(3)
        array([[-0.159,  0.   ,  0.841]], dtype=float32)

    References:
        D. Hendrycks, K. Gimpel, Gaussian error linear units (GELUs), arXiv:1606.08415, 2016.
    """

    def __init__(self, *, approximate: bool = False) -> None:
        self.approximate = flag("GELU", "approximate", approximate)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        p = _tanh_form(x) if self.approximate else _exact(x)
        if training:
            self.save_for_backward(x, p)
        return np.multiply(x, p, out=out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        x, p = self.saved()
        if not input_grad:
            return None
        dp = _tanh_form_derivative(x, p) if self.approximate else _exact_derivative(x)
        dp *= x
        dp += p
        return np.multiply(dy, dp, out=out)


def _exact(x: Array) -> Array:
    from scipy import special

    p: Array = special.ndtr(x)  # from erfc where 1 + erf would lose all digits
    return p


def _exact_derivative(x: Array) -> Array:
    with np.errstate(over="ignore"):  # x^2 = infinity leads to the right limit, 0
        dp = x * x
    dp *= -0.5
    np.exp(dp, out=dp)
    dp *= 1 / math.sqrt(2 * math.pi)
    return dp


def _tanh_form(x: Array) -> Array:
    x = _clipped(x)
    u = x * x
    u *= CUBIC
    u += 1
    u *= x
    u *= STEEPNESS
    return logistic(u, out=u)


def _tanh_form_derivative(x: Array, p: Array) -> Array:
    x = _clipped(x)
    dp = x * x
    dp *= 3 * CUBIC
    dp += 1
    dp *= STEEPNESS
    dp *= p
    dp *= 1 - p
    return dp


def _clipped(x: Array) -> Array:
    """Leave out what lies where the tanh form is 0 or 1 to the last bit: x^3 cannot overflow."""
    return np.clip(x, -30, 30)
