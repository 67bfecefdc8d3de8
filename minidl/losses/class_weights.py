"""Weights of samples by their classes, for classes that are rare or dear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import number_within
from minidl.errors import ArgumentError, DataError
from minidl.losses.sample_weight import check_weight
from minidl.sparse import dense_array
from minidl.typing import Array


def class_weights(
    labels: ArrayLike,
    class_weight: Mapping[int, float] | Literal["balanced"],
    *,
    sample_weight: ArrayLike | None = None,
    n_classes: int | None = None,
) -> Array:
    r"""Return the weight of each sample: that of its class, times its own.

    What `fit(class_weight=...)` uses, for loops written by hand: every loss takes the result as
    `sample_weight`, and is $\sum_i w_i l_i / \sum_i w_i$ with it.

    With `"balanced"` every class has the same share, $w_c = n / (C\, n_c)$ for $n_c$ of n samples
    in class c, over the C classes that there are. If samples have weights, these are what is
    counted: as many repeated rows give the same, and masked steps do not count. Balance over all
    labels once, not batch by batch, where a class may be missing.

    Args:
        labels: Integer labels (N,), of steps (N, T) or of pixels (N, H, W).
        class_weight: Weights of classes by label, 1 where a label is not named; or `"balanced"`.
        sample_weight: Weights (N,), or of the labels' shape; a mask is such weights.
        n_classes: Number of classes C, beyond which no label may be named; by default any.

    Returns:
        Weights of the labels' shape, float64.

    Raises:
        ArgumentError: If `class_weight` is neither a dict from labels to weights nor "balanced".
        DataError: If labels are not integers.
        ShapeError: If `sample_weight` does not fit the labels.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.class_weights([0, 0, 0, 1], {1: 5.0})
        array([1., 1., 1., 5.])
        >>> dl.class_weights([0, 0, 0, 1], "balanced").round(3)
        array([0.667, 0.667, 0.667, 2.   ])
        >>> loss = dl.CrossEntropy()
        >>> p, y = np.array([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75]]), np.array([0, 0, 1])
        >>> value, _ = loss.value_and_grad(p, y, sample_weight=dl.class_weights(y, {1: 2.0}))
        >>> round(value, 4)  # (2 ln 2 + 2 ln 4/3) / (2 + 2)
        0.4904

    References:
        G. King, L. Zeng, Logistic regression in rare events data, 2001,
        doi:10.1093/oxfordjournals.pan.a004868 (balanced weights).
    """
    array = dense_array(labels, "class_weights: labels", "labels")
    if array.dtype.kind not in "iub" or not array.ndim:
        raise DataError(
            f"class_weights: labels must be integers of shape (N,), (N, T) or (N, H, W), got "
            f"{array.dtype} {array.shape}. Use labels.astype(np.int64), or of one-hot rows "
            "labels.argmax(axis=-1)."
        )
    own, _ = check_weight(sample_weight, array[..., np.newaxis].shape)
    own = np.ones(array.shape) if own is None else own
    own = np.broadcast_to(own.reshape(own.shape + (1,) * (array.ndim - own.ndim)), array.shape)
    found, places = np.unique(array, return_inverse=True)
    places = places.reshape(array.shape)
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(places.ravel(), own.ravel(), len(found))  # (C,)
        even = counts.sum() / max(np.count_nonzero(counts), 1)
        by_class = even / np.where(counts > 0, counts, np.inf)  # nothing for what weighs nothing
    else:
        table = _checked(class_weight, n_classes)
        by_class = np.array([table.get(int(label), 1.0) for label in found])
    weights: Array = by_class[places] * own
    return weights


def _checked(class_weight: object, n_classes: int | None) -> dict[int, float]:
    """The weights as a dict of Python numbers; raise if they are none."""
    if not isinstance(class_weight, Mapping) or not all(
        isinstance(label, int | np.integer) and (n_classes is None or 0 <= label < n_classes)
        for label in class_weight
    ):
        labels = "labels" if n_classes is None else f"labels 0..{n_classes - 1}"
        raise ArgumentError(
            f"class_weight: expected 'balanced', or a dict from {labels} to weights, such as "
            f"{{0: 1.0, 1: 2.5}}, got {class_weight!r}."
        )
    return {
        int(label): number_within("class_weight", f"the weight of class {label}", weight, 0.0)
        for label, weight in class_weight.items()
    }
