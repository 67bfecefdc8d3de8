"""How often each class was taken for which."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import whole_number
from minidl.errors import DataError
from minidl.metrics.pairs import pair
from minidl.typing import Array


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
    true, pred = pair(y_true, y_pred, "confusion_matrix")
    if true.ndim != 1 or true.dtype.kind not in "iu" or pred.dtype.kind not in "iu":
        raise DataError(
            "confusion_matrix: expected integer labels of shape (N,), got "
            f"{true.dtype} {true.shape} and {pred.dtype} {pred.shape}."
        )
    largest = int(max(true.max(), pred.max()))
    classes = largest + 1
    if n_classes is not None:
        classes = whole_number("confusion_matrix", "n_classes", n_classes)
    if largest >= classes or min(true.min(), pred.min()) < 0:
        raise DataError(
            f"confusion_matrix: labels must be in 0..{classes - 1}, got values from "
            f"{min(true.min(), pred.min())} to {largest}."
        )
    pairs = true.astype(np.intp) * classes + pred.astype(np.intp)
    counts = np.bincount(pairs, minlength=classes * classes)
    return counts.reshape(classes, classes)
