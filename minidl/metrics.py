"""Metrics: numbers that people read. Any callable `(y_true, y_pred) -> float` is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from minidl.sparse import dense_array
from minidl.typing import Array, MetricFunction


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the fraction of samples that are predicted right.

    With several labels a sample (N, M), all of them must be right.

    Args:
        y_true: Labels (N,) or (N, M).
        y_pred: Predicted labels of the same shape.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If the values are not labels.

    Example:
        >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
        0.75
    """
    true, pred = _pair(y_true, y_pred, "accuracy")
    for name, values in (("y_true", true), ("y_pred", pred)):
        if values.dtype.kind == "f" and (values != np.floor(values)).any():
            raise DataError(
                f"accuracy: compares labels, but {name} has numbers such as "
                f"{values[values != np.floor(values)][0]:.4g}. For regression use a measure of "
                "distance."
            )
    right = true == pred
    return float(right.reshape(len(right), -1).all(axis=1).mean())


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int | None = None) -> Array:
    """Count how often class i was predicted as class j.

    Args:
        y_true: Integer labels (N,).
        y_pred: Predicted integer labels (N,).
        n_classes: Number of classes C; by default the largest label plus 1.

    Returns:
        Counts (C, C): rows are true classes, columns predicted ones.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If labels are not integers of 0..C-1.

    Example:
        >>> confusion_matrix([0, 1, 1], [0, 1, 0])
        array([[1, 0],
               [1, 1]])
    """
    true, pred = _pair(y_true, y_pred, "confusion_matrix")
    if true.ndim != 1 or true.dtype.kind not in "iu" or pred.dtype.kind not in "iu":
        raise DataError(
            "confusion_matrix: expected integer labels of shape (N,), got "
            f"{true.dtype} {true.shape} and {pred.dtype} {pred.shape}."
        )
    largest = int(max(true.max(), pred.max()))
    classes = largest + 1 if n_classes is None else n_classes
    if largest >= classes or min(true.min(), pred.min()) < 0:
        raise DataError(
            f"confusion_matrix: labels must be in 0..{classes - 1}, got values from "
            f"{min(true.min(), pred.min())} to {largest}."
        )
    pairs = true.astype(np.intp) * classes + pred.astype(np.intp)
    counts = np.bincount(pairs, minlength=classes * classes)
    return counts.reshape(classes, classes)


@dataclass(frozen=True)
class Metric:
    """A metric function, what it needs, and its name in the history.

    Args:
        function: `(y_true, y_pred) -> float`, such as `sklearn.metrics.log_loss`.
        needs: `"labels"` (integer labels for both; for regression the outputs themselves) or
            `"probabilities"` (the model's outputs as predictions).
        name: Its name in the history; by default the function's.

    Example:
        >>> Metric(accuracy).name
        'accuracy'
    """

    function: MetricFunction
    needs: Literal["labels", "probabilities"] = "labels"
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ArgumentTypeError(
                f"Metric: expected a function (y_true, y_pred) -> float, got {self.function!r}, "
                "for example dl.accuracy."
            )
        if self.needs not in ("labels", "probabilities"):
            raise ArgumentError(
                f"Metric: needs must be 'labels' or 'probabilities', got {self.needs!r}."
            )
        if not self.name:
            name = getattr(self.function, "__name__", type(self.function).__name__)
            object.__setattr__(self, "name", name)


def _pair(y_true: ArrayLike, y_pred: ArrayLike, who: str) -> tuple[Array, Array]:
    true = dense_array(y_true, f"{who}: y_true", "y_true")
    pred = dense_array(y_pred, f"{who}: y_pred", "y_pred")
    if true.shape != pred.shape:
        fix = "Every sample needs one prediction."
        if pred.shape == (*true.shape, 1):
            fix = "Use y_pred.ravel()."
        elif pred.ndim == true.ndim + 1 and pred.shape[:1] == true.shape[:1]:
            fix = "For labels from probabilities use y_pred.argmax(axis=1)."
        raise ShapeError(f"{who}: y_true has shape {true.shape}, y_pred {pred.shape}. {fix}")
    if true.size == 0:
        raise ShapeError(f"{who}: there are no samples.")
    return true, pred
