"""The squared error, for regression."""

from __future__ import annotations

import numpy as np

from minidl.losses.base import Loss
from minidl.typing import Array


class MeanSquaredError(Loss):
    r"""Mean squared error, $l = \frac{1}{M} \sum_m (\hat y_m - y_m)^2$, for regression.

    Gradient: $\partial l / \partial \hat y_m = \frac{2}{M} (\hat y_m - y_m)$. There is no factor
    1/2: the value is the one that scikit-learn's, PyTorch's and Keras's function of this name give.

    Shapes:
        prediction and target `(N, ...)`, exactly the same: targets `(N,)` for predictions `(N, 1)`
        are an error, not a silent (N, N) comparison.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.MeanSquaredError().value_and_grad(np.array([[1.0], [4.0]]), [[0.0], [2.0]])
        (2.5, array([[1.],
               [2.]]))
    """

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        outputs = tuple(range(1, prediction.ndim))
        m = prediction[0].size
        difference = prediction - target.astype(prediction.dtype, copy=False)
        return np.square(difference).mean(axis=outputs), difference * (2.0 / m)
