"""Binary cross-entropy, for outputs that are each yes or no."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag
from minidl.errors import DataError
from minidl.layers.sigmoid import Sigmoid
from minidl.losses.base import Loss
from minidl.typing import Array, Shape


class BinaryCrossEntropy(Loss):
    r"""Binary cross-entropy, $l = -\frac{1}{M} \sum_m y_m \ln \hat y_m + (1-y_m) \ln (1-\hat y_m)$.

    From logits z, with $a = \sigma(z)$,

    $$l_m = \max(z, 0) - y z + \ln (1 + e^{-|z|}), \qquad
      \partial l / \partial z = \tfrac{1}{M} (a - y),$$

    finite and useful for logits of any size. A model that ends in `Sigmoid` goes with
    `BinaryCrossEntropy()`: `Objective` takes the logits in front of it. A model that ends in
    `Dense` goes with `BinaryCrossEntropy(from_logits=True)`. Given probabilities directly, they are
    kept one epsilon of the dtype away from 0 and 1.

    For one yes-or-no answer (M = 1), and for several that do not exclude each other (multi-label).

    Shapes:
        prediction and target `(N, M)`, exactly the same; targets between 0 and 1. For each step of
        sequences, or each pixel of images, `(N, ..., M)`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.

    Raises:
        DataError: For targets or probabilities outside 0..1.

    Example:
        >>> import numpy as np, minidl as dl
        >>> loss = dl.BinaryCrossEntropy(from_logits=True)
        >>> value, gradient = loss.value_and_grad(np.array([[0.0], [1e4]]), [[1], [0]])
        >>> round(value, 3), gradient.tolist()
        (5000.347, [[-0.25], [0.5]])
    """

    activation = Sigmoid
    vector_a_sample = True

    def __init__(self, *, from_logits: bool = False) -> None:
        self.from_logits = flag("BinaryCrossEntropy", "from_logits", from_logits)

    def with_logits(self) -> BinaryCrossEntropy:
        return self._copy(from_logits=True)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        m = prediction.shape[1]
        y = target.astype(prediction.dtype, copy=False)
        if self.from_logits:
            z = prediction
            values = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
            return values.mean(axis=1), (_sigmoid(z) - y) / m
        eps = np.finfo(prediction.dtype).eps
        p = np.clip(prediction, eps, 1 - eps)
        values = -(y * np.log(p) + (1 - y) * np.log1p(-p))
        return values.mean(axis=1), (p - y) / (p * (1 - p)) / m

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return the targets as an array between 0 and 1; raise otherwise."""
        array = super().check_target(target, shape)
        if array.size and (array.min() < 0 or array.max() > 1):
            fix = ""
            if set(np.unique(array)) == {-1, 1}:
                fix = " Use (target + 1) / 2."
            raise DataError(
                f"{self}: targets must be between 0 and 1, got values from {array.min()} to "
                f"{array.max()}.{fix}"
            )
        return array

    def check_prediction(self, prediction: Array) -> None:
        if not self.from_logits and (prediction.min() < 0 or prediction.max() > 1):
            raise DataError(
                f"{self}: expected probabilities between 0 and 1, got values from "
                f"{prediction.min():.4g} to {prediction.max():.4g}. Add Sigmoid() as the last "
                "layer, or use BinaryCrossEntropy(from_logits=True)."
            )

    def from_logits_to_predictions(self, logits: Array) -> Array:
        return _sigmoid(logits)

    def predicted_labels(self, prediction: Array) -> Array:
        return self._single((prediction > (0.0 if self.from_logits else 0.5)).astype(np.int64))

    def true_labels(self, target: Array) -> Array:
        return self._single((target > 0.5).astype(np.int64))

    def _single(self, labels: Array) -> Array:
        """Labels (N, 1) as (N,), the form that metrics expect."""
        return labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))  # at most 1: no overflow
    a: Array = np.where(z >= 0, 1, e) / (1 + e)
    return a
