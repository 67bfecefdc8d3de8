"""The quantile loss: predictions that a given share of the targets stays below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within
from minidl.errors import ArgumentError, ShapeError
from minidl.layers.checks import batch_shape
from minidl.losses.base import Loss
from minidl.typing import Array, Shape


class Quantile(Loss):
    r"""The quantile or pinball loss: the prediction below which a share q of the targets lies.

    With $e_m = y_m - \hat y_m$ and $l = \frac{1}{M} \sum_m l_m$,

    $$l_m = \max(q\, e_m,\; (q - 1)\, e_m), \qquad
      \frac{\partial l}{\partial \hat y_m} = \frac{1}{M}
      \begin{cases} -q & \hat y_m < y_m \\ 1 - q & \hat y_m > y_m \\ 0 & \hat y_m = y_m .
      \end{cases}$$

    `Quantile(0.5)` is half the `MeanAbsoluteError`. `Quantile([0.05, 0.5, 0.95])` trains a median
    and a range that nine in ten targets fall into: the model's last layer has one output for each
    quantile, and the loss is the mean over them. Each is learned on its own, so that neighbours
    may cross where there is little data: `np.sort(y, axis=-1)` puts predictions in order.
    scikit-learn's `mean_pinball_loss` is the same for one quantile; PyTorch and Keras have none.

    Shapes:
        prediction and target `(N, ...)`, exactly the same; for a list of K quantiles, prediction
        `(N, ..., K)` and target `(N, ..., 1)`.

    Args:
        quantile: q, a number between 0 and 1, or a list of such numbers.

    Raises:
        ArgumentError: If a quantile is not between 0 and 1.
        ShapeError: If the model has not one output for each of several quantiles.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Quantile(0.75).value_and_grad(np.array([[1.0], [1.0]]), [[3.0], [0.0]])
        (0.875, array([[-0.375],
               [ 0.125]]))
        >>> dl.Quantile([0.25, 0.75])(np.array([[0.0, 4.0]]), [[2.0]])
        0.5

    References:
        R. Koenker, G. Bassett, Regression quantiles, 1978, doi:10.2307/1913643.
    """

    def __init__(self, quantile: float | Sequence[float]) -> None:
        several = isinstance(quantile, Sequence | np.ndarray) and not isinstance(quantile, str)
        given = list(quantile) if several else [quantile]  # type: ignore[arg-type]
        if not given:
            raise ArgumentError("Quantile: quantile must not be an empty list.")
        checked = tuple(number_within("Quantile", "quantile", q, 0.0, 1.0) for q in given)
        if 0.0 in checked:
            raise ArgumentError(f"Quantile: quantile must be above 0 and below 1, got {quantile}.")
        self.quantile = checked if several else checked[0]

    def check_prediction_shape(self, shape: Shape, who: str) -> None:
        if isinstance(self.quantile, tuple) and shape[-1:] != (len(self.quantile),):
            k = len(self.quantile)
            raise ShapeError(
                f"{who}: expected predictions of shape (N, {k}), one output for each quantile, got "
                f"{batch_shape(shape)}. The last layer needs {k} outputs: Dense({k})."
            )

    def target_shape(self, shape: Shape) -> Shape:
        """One number in place of the outputs for several quantiles."""
        return (*shape[:-1], 1) if isinstance(self.quantile, tuple) else shape

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        outputs = tuple(range(1, prediction.ndim))
        m = prediction[0].size
        q = np.asarray(self.quantile, prediction.dtype)  # () or (K,)
        e = target.astype(prediction.dtype, copy=False) - prediction  # (N, ..., 1) - (N, ..., K)
        gradient = ((1 - q) * (e < 0) - q * (e > 0)) / m
        return np.maximum(q * e, (q - 1) * e).mean(axis=outputs), gradient
