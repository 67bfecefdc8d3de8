"""Losses as scikit-learn defines them: sums over a sample's outputs, where minidl has means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError
from minidl.layers.sigmoid import Sigmoid
from minidl.losses.base import Loss
from minidl.losses.binary_cross_entropy import BinaryCrossEntropy
from minidl.typing import Array, Shape


class HalfSquaredError(Loss):
    r"""Half the squared error of all outputs, $l = \frac{1}{2} \sum_m (\hat y_m - y_m)^2$."""

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        difference = prediction - target
        return 0.5 * np.square(difference).sum(axis=1), difference


class HalfPoissonDeviance(Loss):
    r"""Half the deviance of counts, $l = \sum_m y_m \ln (y_m / \lambda_m) - y_m + \lambda_m$.

    Predictions are logarithms of the rates $\lambda$.
    """

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        rate = np.exp(prediction)
        logarithm = np.log(target, out=np.zeros_like(target), where=target > 0)  # 0 ln 0 = 0
        values = target * (logarithm - prediction) - target + rate
        return values.sum(axis=1), rate - target

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return the targets as an array of numbers of at least 0; raise otherwise."""
        array = super().check_target(target, shape)
        if array.min() < 0:
            raise DataError(
                f"loss='poisson': y holds counts and must be at least 0, got {array.min():.4g}."
            )
        return array

    def predicted_labels(self, prediction: Array) -> Array:
        """The rates."""
        return np.exp(prediction)


class MultiLabelCrossEntropy(Loss):
    """The sum of the binary cross-entropies of all labels."""

    activation = Sigmoid
    vector_a_sample = True

    def __init__(self, *, from_logits: bool = False) -> None:
        self.from_logits = from_logits
        self._of_mean = BinaryCrossEntropy(from_logits=from_logits)

    def with_logits(self) -> MultiLabelCrossEntropy:
        return MultiLabelCrossEntropy(from_logits=True)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        values, gradient = self._of_mean.per_sample(prediction, target)
        return values * prediction.shape[1], gradient * prediction.shape[1]

    def from_logits_to_predictions(self, logits: Array) -> Array:
        return self._of_mean.from_logits_to_predictions(logits)

    def predicted_labels(self, prediction: Array) -> Array:
        return self._of_mean.predicted_labels(prediction)
