"""Labels of any kind as targets of a loss, and a model's outputs as labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import unique_labels

from minidl.layers import Layer, Sigmoid, Softmax
from minidl.losses import BinaryCrossEntropy, CrossEntropy, Hinge, Loss
from minidl.losses.class_weights import class_weights
from minidl.losses.softmax_loss import SoftmaxLoss
from minidl.sklearn.losses import MultiLabelCrossEntropy
from minidl.typing import Array

ACTIVATION_NAMES: dict[type[Layer] | None, str] = {
    Softmax: "softmax",
    Sigmoid: "logistic",
    None: "identity",
}


def threshold(loss: Loss) -> float:
    """The output above which the answer is yes: of scores 0, of what is to be 0 or 1 its middle."""
    return 0.0 if isinstance(loss, Hinge) else 0.5


class Labels:
    """The classes that a classifier knows.

    Args:
        y: Labels in which each class comes once or more, or rows of yes and no for several labels.

    Attributes:
        classes: The classes in order.
        several: Whether a sample may have several labels.
    """

    def __init__(self, y: Any) -> None:
        self._binarizer = LabelBinarizer().fit(y)
        self.classes: Array = self._binarizer.classes_
        self.several = bool(self._binarizer.y_type_.startswith("multilabel"))

    def loss_and_outputs(self, loss: str | Loss) -> tuple[Loss, int]:
        """The loss that is meant, and how many outputs go with it: one for yes or no."""
        n = len(self.classes)
        if isinstance(loss, str) and self.several:
            loss = MultiLabelCrossEntropy()
        elif isinstance(loss, str):
            loss = BinaryCrossEntropy() if n <= 2 else CrossEntropy()
        if isinstance(loss, SoftmaxLoss):
            return loss, max(n, 2)
        return loss, n if self.several or n > 2 else 1

    def encode(self, y: Array, loss: Loss, n_outputs: int, dtype: Any) -> Array:
        """Targets as the loss takes them."""
        unknown = np.setdiff1d(unique_labels(y), self.classes)
        if len(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. "
                f"'y' has {unknown} as well."
            )
        if self.several:
            rows: Array = self._binarizer.transform(y)
            return rows.astype(dtype)
        numbers = np.searchsorted(self.classes, y)
        if n_outputs == 1:
            return numbers[:, np.newaxis].astype(dtype)
        if isinstance(loss, CrossEntropy | Hinge):
            return numbers
        return np.eye(n_outputs, dtype=dtype)[numbers]

    def decode(self, outputs: Array, loss: Loss) -> Array:
        """The labels that outputs stand for."""
        if outputs.shape[1] > 1 and not self.several:
            return np.asarray(self.classes[outputs.argmax(axis=1)])
        yes = (outputs > threshold(loss)).astype(np.int64)
        if self.several:
            return self._binarizer.inverse_transform(yes)  # type: ignore[no-any-return]
        return np.asarray(self.classes[np.minimum(yes.ravel(), len(self.classes) - 1)])

    def weigh(self, y: Array, class_weight: Any, sample_weight: Array | None) -> Array | None:
        """Weights of samples times those of their classes; None for ones."""
        if class_weight is None:
            return sample_weight
        if self.several:
            raise ValueError("class_weight: needs one class a sample, but y has several labels.")
        if isinstance(class_weight, Mapping):
            unknown = set(class_weight) - set(self.classes.tolist())
            if unknown:
                raise ValueError(
                    f"class_weight: {unknown} are not among the classes of y, {self.classes}."
                )
            numbers = np.searchsorted(self.classes, list(class_weight)).tolist()
            class_weight = dict(zip(numbers, class_weight.values(), strict=True))
        labels = np.searchsorted(self.classes, y)
        return class_weights(labels, class_weight, sample_weight=sample_weight)
