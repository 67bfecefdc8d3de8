"""What losses on probabilities of classes share: they go with a softmax, or take its logits."""

from __future__ import annotations

import numpy as np

from minidl.errors import DataError, ShapeError
from minidl.layers.checks import batch_shape
from minidl.layers.softmax import Softmax, classes_first
from minidl.losses.base import Loss
from minidl.losses.labels import find_improper_row, place_of
from minidl.typing import Array, Shape


class SoftmaxLoss(Loss):
    """A loss of rows of probabilities (N, ..., C), or of the logits that they come from."""

    activation = Softmax
    vector_a_sample = True

    def check_prediction_shape(self, shape: Shape, who: str) -> None:
        if shape[-1:] == (None,):
            raise ShapeError(
                f"{who}: needs predictions of shape (N, C), of which the last axis must have a "
                f"known length, got {batch_shape(shape)}."
            )
        if not shape or shape[-1] < 2:
            raise ShapeError(
                f"{who}: needs predictions of shape (N, C) with C at least 2, "
                f"got {batch_shape(shape)}. For a single yes-or-no output use BinaryCrossEntropy."
            )

    def check_prediction(self, prediction: Array) -> None:
        name = type(self).__name__
        rows = prediction.reshape(-1, prediction.shape[-1])
        row = find_improper_row(rows)
        if self.from_logits and row is None:
            raise DataError(
                f"{self}: expected logits, got rows of probabilities: has softmax been applied "
                f"already? Use {name}() behind Softmax, or remove the Softmax."
            )
        if not self.from_logits and row is not None:
            raise DataError(
                f"{self}: expected probabilities, got {np.array2string(rows[row])} in "
                f"{place_of(row, prediction.shape[:-1])}, which is no distribution. Add Softmax() "
                f"as the last layer, or use {name}(from_logits=True)."
            )

    def from_logits_to_predictions(self, logits: Array) -> Array:
        return shifted_softmax(logits)[1].T

    def predicted_labels(self, prediction: Array) -> Array:
        labels: Array = prediction.argmax(axis=-1)
        return labels

    def true_labels(self, target: Array) -> Array:
        return target if target.ndim == 1 else target.argmax(axis=-1)


def shifted_softmax(logits: Array) -> tuple[Array, Array, Array]:
    """Shifted logits (C, N), softmax (C, N), and its denominators (N,)."""
    z = classes_first(logits)
    z -= z.max(axis=0)
    a = np.exp(z)
    total = a.sum(axis=0)
    a /= total
    return z, a, total
