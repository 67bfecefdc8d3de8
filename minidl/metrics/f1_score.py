"""The harmonic mean of precision and recall."""

from __future__ import annotations

from numpy.typing import ArrayLike

from minidl.metrics.class_counts import Average, class_counts, mean_ratio


def f1_score(y_true: ArrayLike, y_pred: ArrayLike, *, average: Average = "auto") -> float:
    r"""Return F1, the harmonic mean of precision and recall.

    For one class, with true positives and false positives and negatives,

    $$F_1 = \frac{2\,\mathrm{TP}}{2\,\mathrm{TP} + \mathrm{FP} + \mathrm{FN}} .$$

    Over several classes, `"macro"` is the mean of the classes' values, in which rare classes count
    as much as frequent ones; `"micro"` is the formula with all classes' samples added up, which for
    labels (N,) is the accuracy. `"binary"` is the value of class 1, for labels 0 and 1. `"auto"`
    means binary for labels (N,) of which none is other than 0 and 1, and macro for all others: name
    the average where a class may be absent from the data.

    The classes are those that occur in `y_true` or `y_pred`. The value of a class without a sample
    to divide by is 0, without a warning.

    Args:
        y_true: Labels (N,), or 0 and 1 for each of C labels (N, C).
        y_pred: Predicted labels of the same shape.
        average: `"auto"`, `"binary"`, `"macro"` or `"micro"`. In a Trainer:
            `functools.partial(dl.f1_score, average="micro")`.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If the values are not labels, or do not go with `average`.
        ArgumentError: If `average` is none of these.

    Example:
        >>> f1_score([0, 0, 1, 1], [0, 1, 1, 1])
        0.8
        >>> round(f1_score([0, 1, 2, 2], [0, 1, 1, 2], average="macro"), 4)
        0.7778
    """
    hits, predicted, actual = class_counts(y_true, y_pred, average, "f1_score")
    return mean_ratio(2 * hits, predicted + actual)
