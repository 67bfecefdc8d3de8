"""Cross-entropy, for classes that exclude each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag
from minidl.errors import DataError, ShapeError
from minidl.layers.checks import batch_shape
from minidl.layers.softmax import Softmax, classes_first
from minidl.losses.base import Loss
from minidl.losses.labels import (
    check_class_labels,
    check_probability_rows,
    find_improper_row,
    place_of,
)
from minidl.sparse import dense_array
from minidl.typing import Array, Shape


class CrossEntropy(Loss):
    r"""Categorical cross-entropy, $l = -\sum_c y_c \ln \hat y_c$, for one class out of C.

    From logits z, with $a = \operatorname{softmax}(z)$,

    $$l = \ln \sum_c e^{z_c} - \sum_c y_c z_c, \qquad \partial l / \partial z = a - y,$$

    which stays finite and useful for logits of any size. A model that ends in `Softmax` goes with
    `CrossEntropy()`: `Objective` takes the logits in front of the softmax by itself. A model that
    ends in `Dense` or `LogSoftmax` goes with `CrossEntropy(from_logits=True)`: log-probabilities
    are logits, of the same probabilities. Given probabilities directly, the gradient is
    $-y / \hat y$, and probabilities are floored at the dtype's epsilon.

    With C classes and no idea, the loss is $\ln C$: 2.303 for ten digits.

    Shapes:
        prediction `(N, C)`; target `(N,)` integer labels 0..C-1, or `(N, C)` rows of probabilities
        (one-hot or soft) that sum to 1. For each step of sequences, or each pixel of images,
        prediction `(N, ..., C)` and target `(N, ...)` or `(N, ..., C)`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.

    Raises:
        DataError: For labels out of range or of the wrong kind, rows that are no probabilities,
            and softmax outputs where logits belong.

    Example:
        >>> import numpy as np, minidl as dl
        >>> logits = np.array([[1e4, -1e4], [0.0, 0.0]])
        >>> loss, gradient = dl.CrossEntropy(from_logits=True).value_and_grad(logits, [1, 1])
        >>> round(loss, 2), gradient.tolist()
        (10000.35, [[0.5, -0.5], [0.25, -0.25]])

    References:
        C. Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.
    """

    activation = Softmax
    vector_a_sample = True

    def __init__(self, *, from_logits: bool = False) -> None:
        self.from_logits = flag("CrossEntropy", "from_logits", from_logits)

    def with_logits(self) -> CrossEntropy:
        return self._copy(from_logits=True)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        if target.ndim == 1:
            return self._from_labels(prediction, target)
        y = target.astype(prediction.dtype, copy=False)
        if not self.from_logits:
            p = np.maximum(prediction, np.finfo(prediction.dtype).eps)
            return -(y * np.log(p)).sum(axis=1), -y / p
        z, a, total = _softmax(prediction)
        log_p = z - np.log(total)  # (C, N) - (N,)
        return -(y.T * log_p).sum(axis=0), a.T - y

    def _from_labels(self, prediction: Array, labels: Array) -> tuple[Array, Array]:
        rows = np.arange(len(labels))
        if not self.from_logits:
            p = np.maximum(prediction[rows, labels], np.finfo(prediction.dtype).eps)
            gradient = np.zeros_like(prediction)
            gradient[rows, labels] = -1 / p
            return -np.log(p), gradient
        z, gradient, total = _softmax(prediction)
        values = np.log(total) - z[labels, rows]
        gradient[labels, rows] -= 1  # a - y, y being 1 at the label and 0 elsewhere
        return values, gradient.T

    def check_prediction_shape(self, shape: Shape, who: str) -> None:
        if shape[-1:] == (None,):
            raise ShapeError(
                f"{who}: cross-entropy needs predictions of shape (N, C), of which the last axis "
                f"must have a known length, got {batch_shape(shape)}."
            )
        if not shape or shape[-1] < 2:
            raise ShapeError(
                f"{who}: cross-entropy needs predictions of shape (N, C) with C at least 2, "
                f"got {batch_shape(shape)}. For a single yes-or-no output use BinaryCrossEntropy."
            )

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return labels (N,) as integers or rows (N, C) of probabilities; raise otherwise."""
        array = dense_array(target, f"{self}: targets", "y")
        if array.ndim == len(shape) and array.shape[-1] != 1:
            return check_probability_rows(array, shape, f"{self}")
        return check_class_labels(array, shape, f"{self}")

    def check_prediction(self, prediction: Array) -> None:
        rows = prediction.reshape(-1, prediction.shape[-1])
        row = find_improper_row(rows)
        if self.from_logits and row is None:
            raise DataError(
                f"{self}: expected logits, got rows of probabilities: has softmax been applied "
                "already? Use CrossEntropy() behind Softmax, or remove the Softmax."
            )
        if not self.from_logits and row is not None:
            raise DataError(
                f"{self}: expected probabilities, got {np.array2string(rows[row])} in "
                f"{place_of(row, prediction.shape[:-1])}, which is no distribution. Add Softmax() "
                "as the last layer, or use CrossEntropy(from_logits=True)."
            )

    def from_logits_to_predictions(self, logits: Array) -> Array:
        return _softmax(logits)[1].T

    def predicted_labels(self, prediction: Array) -> Array:
        labels: Array = prediction.argmax(axis=-1)
        return labels

    def true_labels(self, target: Array) -> Array:
        return target if target.ndim == 1 else target.argmax(axis=-1)


def _softmax(logits: Array) -> tuple[Array, Array, Array]:
    """Shifted logits (C, N), softmax (C, N), and its denominators (N,)."""
    z = classes_first(logits)
    z -= z.max(axis=0)
    a = np.exp(z)
    total = a.sum(axis=0)
    a /= total
    return z, a, total
