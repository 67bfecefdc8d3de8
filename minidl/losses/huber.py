"""Huber's loss: squared for small errors, absolute for large ones."""

from __future__ import annotations

import numpy as np

from minidl.arguments import positive_number
from minidl.losses.base import Loss
from minidl.typing import Array


class Huber(Loss):
    r"""Huber's loss, for regression with outliers.

    With the error $e_m = \hat y_m - y_m$ and $l = \frac{1}{M} \sum_m l_m$,

    $$l_m = \begin{cases} \frac{1}{2} e_m^2 & |e_m| \le \delta \\
      \delta\,(|e_m| - \frac{\delta}{2}) & |e_m| > \delta \end{cases}
      \;=\; c_m \left(e_m - \tfrac{1}{2} c_m\right), \qquad
      \frac{\partial l}{\partial \hat y_m} = \frac{c_m}{M},$$

    where $c_m$ is the error cut off at $\pm\delta$. Errors within $\delta$ count as in least
    squares, and no target pulls harder than $\delta$. Take for $\delta$ the size of an ordinary
    error.

    PyTorch's `HuberLoss` and Keras's `Huber` are the same. PyTorch's `SmoothL1Loss(beta=delta)` is
    this divided by $\delta$. `MeanSquaredError` is twice this for large $\delta$: it has no factor
    1/2.

    Shapes:
        prediction and target `(N, ...)`, exactly the same.

    Args:
        delta: $\delta$, where the square turns into a straight line; above 0.

    Raises:
        ArgumentError: If `delta` is not above 0 and finite.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Huber().value_and_grad(np.array([[0.5], [10.0]]), [[0.0], [0.0]])
        (4.8125, array([[0.25],
               [0.5 ]]))

    References:
        P. Huber, Robust estimation of a location parameter, 1964, doi:10.1214/aoms/1177703732.
    """

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = positive_number("Huber", "delta", delta)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        outputs = tuple(range(1, prediction.ndim))
        m = prediction[0].size
        e = prediction - target.astype(prediction.dtype, copy=False)
        c = np.clip(e, -self.delta, self.delta)
        return (c * (e - c / 2)).mean(axis=outputs), c / m
