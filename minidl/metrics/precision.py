"""How many of those found are right."""

from __future__ import annotations

from numpy.typing import ArrayLike

from minidl.metrics.class_counts import Average, class_counts, mean_ratio


def precision(y_true: ArrayLike, y_pred: ArrayLike, *, average: Average = "auto") -> float:
    r"""Return the fraction of samples predicted as a class that are of it.

    With true and false positives, $\mathrm{TP} / (\mathrm{TP} + \mathrm{FP})$ for one class; over
    several it is averaged as `f1_score` says. A class that is never predicted has precision 0.

    Args:
        y_true: Labels (N,), or 0 and 1 for each of C labels (N, C).
        y_pred: Predicted labels of the same shape.
        average: `"binary"`, `"macro"` or `"micro"`; see `f1_score`.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If the values are not labels, or do not go with `average`.
        ArgumentError: If `average` is none of these.

    Example:
        >>> precision([0, 0, 1, 1], [0, 1, 1, 1])
        0.6666666666666666
    """
    hits, predicted, _ = class_counts(y_true, y_pred, average, "precision")
    return mean_ratio(hits, predicted)
