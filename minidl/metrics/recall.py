"""How many of those there are were found."""

from __future__ import annotations

from numpy.typing import ArrayLike

from minidl.metrics.class_counts import Average, class_counts, mean_ratio


def recall(y_true: ArrayLike, y_pred: ArrayLike, *, average: Average = "auto") -> float:
    r"""Return the fraction of a class's samples that are predicted as it.

    With true positives and false negatives, $\mathrm{TP} / (\mathrm{TP} + \mathrm{FN})$ for one
    class; over several it is averaged as `f1_score` says. A class without samples has recall 0.

    Args:
        y_true: Labels (N,), or 0 and 1 for each of C labels (N, C).
        y_pred: Predicted labels of the same shape.
        average: `"binary"`, `"macro"` or `"micro"`; see `f1_score`.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If the values are not labels, or do not go with `average`.
        ArgumentError: If `average` is none of these.

    Example:
        >>> recall([0, 1, 1, 1], [0, 1, 1, 0])
        0.6666666666666666
    """
    hits, _, actual = class_counts(y_true, y_pred, average, "recall")
    return mean_ratio(hits, actual)
