"""What precision, recall and F1 are made of: samples counted class by class."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ArgumentError, DataError, ShapeError
from minidl.metrics.pairs import label_pair
from minidl.typing import Array

Average: TypeAlias = Literal["auto", "binary", "macro", "micro"]


def class_counts(
    y_true: ArrayLike, y_pred: ArrayLike, average: Average, who: str
) -> tuple[Array, Array, Array]:
    """Count samples by class, for the classes that are to be averaged over.

    Args:
        y_true: Labels (N,), or 0 and 1 for each of C labels (N, C).
        y_pred: Predicted labels of the same shape.
        average: As the metrics take it.
        who: The metric's name.

    Returns:
        For each class (C,): its samples that are predicted as it, all samples predicted as it, all
        its samples. With `"binary"` for class 1 alone, with `"micro"` for all classes together.
    """
    if average not in ("auto", "binary", "macro", "micro"):
        raise ArgumentError(
            f"{who}: average must be 'auto', 'binary', 'macro' or 'micro', got {average!r}."
        )
    true, pred = label_pair(y_true, y_pred, who)
    if true.ndim > 2:
        raise ShapeError(f"{who}: expected labels of shape (N,) or (N, C), got {true.shape}.")
    classes, numbers = np.unique(np.stack([true, pred]), return_inverse=True)
    yes_or_no = bool(np.isin(classes, [0, 1]).all())
    if true.ndim == 2 and not yes_or_no:
        raise DataError(f"{who}: labels of shape (N, C) must be 0 or 1, got {classes[:5]}.")
    if average == "binary" and not (yes_or_no and true.ndim == 1):
        raise DataError(
            f"{who}: average='binary' goes with labels 0 and 1 of shape (N,), got {classes[:5]} "
            f"in {true.shape}. Use average='macro' or 'micro'."
        )
    if true.ndim == 2 or (yes_or_no and average in ("auto", "binary")):
        true, pred = (a.reshape(len(a), -1) == 1 for a in (true, pred))  # (N, C)
        counts = [np.count_nonzero(a, axis=0) for a in (true & pred, pred, true)]
    else:
        true, pred = numbers  # (N,), places in `classes`
        counts = [np.bincount(a, minlength=len(classes)) for a in (true[true == pred], pred, true)]
    if average == "micro":
        counts = [a.sum(keepdims=True) for a in counts]
    hits, predicted, actual = counts
    return hits, predicted, actual


def mean_ratio(numerator: Array, denominator: Array) -> float:
    """The mean over the classes, to which one without any sample to divide by adds 0."""
    ratio = np.zeros(len(numerator))
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return float(ratio.mean())
