"""The fraction of samples that are predicted right."""

from __future__ import annotations

from numpy.typing import ArrayLike

from minidl.metrics.pairs import label_pair


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
    true, pred = label_pair(y_true, y_pred, "accuracy")
    right = true == pred
    return float(right.reshape(len(right), -1).all(axis=1).mean())
