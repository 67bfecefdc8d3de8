"""The absolute error, for regression that large errors must not dominate."""

from __future__ import annotations

import numpy as np

from minidl.losses.base import Loss
from minidl.typing import Array


class MeanAbsoluteError(Loss):
    r"""Mean absolute error, $l = \frac{1}{M} \sum_m |\hat y_m - y_m|$, for regression.

    Gradient: $\partial l / \partial \hat y_m = \frac{1}{M} \operatorname{sgn}(\hat y_m - y_m)$,
    which is 0 where the two are equal. One value far off pulls no harder than one close by, so the
    best constant is the median and not the mean. The gradient does not get smaller near the
    target: let the learning rate do so, or use `Huber`.

    Shapes:
        prediction and target `(N, ...)`, exactly the same.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.MeanAbsoluteError().value_and_grad(np.array([[1.0], [4.0]]), [[0.0], [7.0]])
        (2.0, array([[ 0.5],
               [-0.5]]))
    """

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        outputs = tuple(range(1, prediction.ndim))
        m = prediction[0].size
        difference = prediction - target.astype(prediction.dtype, copy=False)
        return np.abs(difference).mean(axis=outputs), np.sign(difference) / m
