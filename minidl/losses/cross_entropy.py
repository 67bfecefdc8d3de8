"""Cross-entropy, for classes that exclude each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag, number_within
from minidl.losses.labels import check_class_labels, check_probability_rows
from minidl.losses.softmax_loss import SoftmaxLoss, shifted_softmax
from minidl.sparse import dense_array
from minidl.typing import Array, Shape


class CrossEntropy(SoftmaxLoss):
    r"""Categorical cross-entropy, $l = -\sum_c y_c \ln \hat y_c$, for one class out of C.

    From logits z, with $a = \operatorname{softmax}(z)$,

    $$l = \ln \sum_c e^{z_c} - \sum_c y_c z_c, \qquad \partial l / \partial z = a - y,$$

    which stays finite and useful for logits of any size. A model that ends in `Softmax` goes with
    `CrossEntropy()`: `Objective` takes the logits in front of the softmax by itself. A model that
    ends in `Dense` or `LogSoftmax` goes with `CrossEntropy(from_logits=True)`: log-probabilities
    are logits, of the same probabilities. Given probabilities directly, the gradient is
    $-y / \hat y$, and probabilities are floored at the dtype's epsilon.

    With C classes and no idea, the loss is $\ln C$: 2.303 for ten digits.

    Label smoothing takes $y' = (1 - s)\, y + s / C$ in place of y, so that no logit has to grow
    without end: for labels that are not all right, and probabilities that are to be believed. The
    loss has then a least value above 0, in evaluation too.

    Classes weigh by the weights of their samples (`class_weights`, or `fit(class_weight=...)`), as
    everywhere: $\sum_i w_i l_i / \sum_i w_i$, with all of $l_i$ under the weight of the sample's
    own class. PyTorch's `CrossEntropyLoss(weight=w)` is the same for labels without smoothing; with
    it, PyTorch weighs the term of each class c by $w_c$, and for rows of probabilities it divides
    by N. Keras divides by N everywhere.

    Shapes:
        prediction `(N, C)`; target `(N,)` integer labels 0..C-1, or `(N, C)` rows of probabilities
        (one-hot or soft) that sum to 1. For each step of sequences, or each pixel of images,
        prediction `(N, ..., C)` and target `(N, ...)` or `(N, ..., C)`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: s, the share of a target that is spread over all classes; below 1.

    Raises:
        ArgumentError: If `label_smoothing` is not in [0, 1).
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
        C. Szegedy et al., Rethinking the Inception architecture for computer vision, 2016,
        arXiv:1512.00567 (label smoothing).
    """

    def __init__(self, *, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.from_logits = flag("CrossEntropy", "from_logits", from_logits)
        self.label_smoothing = number_within(
            "CrossEntropy", "label_smoothing", label_smoothing, 0.0, 1.0
        )

    def with_logits(self) -> CrossEntropy:
        return self._copy(from_logits=True)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        if target.ndim == 1 and not self.label_smoothing:
            return self._from_labels(prediction, target)
        y = self._smooth_rows(prediction, target)
        if not self.from_logits:
            p = np.maximum(prediction, np.finfo(prediction.dtype).eps)
            return -(y * np.log(p)).sum(axis=1), -y / p
        z, a, total = shifted_softmax(prediction)
        log_p = z - np.log(total)  # (C, N) - (N,)
        return -(y.T * log_p).sum(axis=0), a.T - y

    def _from_labels(self, prediction: Array, labels: Array) -> tuple[Array, Array]:
        rows = np.arange(len(labels))
        if not self.from_logits:
            p = np.maximum(prediction[rows, labels], np.finfo(prediction.dtype).eps)
            gradient = np.zeros_like(prediction)
            gradient[rows, labels] = -1 / p
            return -np.log(p), gradient
        z, gradient, total = shifted_softmax(prediction)
        values = np.log(total) - z[labels, rows]
        gradient[labels, rows] -= 1  # a - y, y being 1 at the label and 0 elsewhere
        return values, gradient.T

    def _smooth_rows(self, prediction: Array, target: Array) -> Array:
        """Targets as rows y' (N, C); without smoothing the given rows."""
        y, s, classes = target, self.label_smoothing, prediction.shape[1]
        if target.ndim == 1:
            y = np.zeros_like(prediction)
            y[np.arange(len(target)), target] = 1
        y = y.astype(prediction.dtype, copy=False)
        return (1 - s) * y + s / classes if s else y

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return labels (N,) as integers or rows (N, C) of probabilities; raise otherwise."""
        array = dense_array(target, f"{self}: targets", "y")
        if array.ndim == len(shape) and array.shape[-1] != 1:
            return check_probability_rows(array, shape, f"{self}")
        return check_class_labels(array, shape, f"{self}")
