"""Checks of classification targets: each message says which value in which row is wrong."""

from __future__ import annotations

import numpy as np

from minidl.errors import DataError, ShapeError
from minidl.typing import Array, Shape

ONE_A_SAMPLE = (
    "the model gives one output a sample: to give one a step, the recurrent layer in it needs "
    "return_sequences=True."
)
ONE_A_STEP = (
    "The model gives outputs for each step or pixel. For one target a sample, Flatten() or a "
    "pooling layer must come before the last Dense."
)


def check_class_labels(labels: Array, shape: Shape, who: str, *, or_rows: bool = True) -> Array:
    """Return integer labels (N, ...) in 0..C-1 as intp; raise otherwise.

    Args:
        labels: As the user gave them.
        shape: Shape of the predictions (N, ..., C).
        who: The loss, for messages.
        or_rows: Whether rows of probabilities would have been right, too.
    """
    *samples, classes = shape
    if labels.shape != tuple(samples):
        fix = "Every sample needs one label."
        if labels.shape == (*samples, 1):
            fix = "Use labels.ravel()." if labels.ndim == 2 else "Use labels[..., 0]."
            if labels.dtype.kind == "f":
                fix += " Of csv_batches: labels=True."
        elif len(samples) > 1 and labels.shape == shape[:1]:
            fix = ONE_A_STEP
        elif len(samples) == 1 and labels.shape[:1] == shape[:1]:
            fix = f"If these are targets of single steps, {ONE_A_SAMPLE}"
        rows = f" or rows of probabilities of shape {shape}" if or_rows else ""
        raise ShapeError(
            f"{who}: expected labels of shape {tuple(samples)}{rows}, got {labels.shape}. {fix}"
        )
    if labels.dtype.kind not in "iu":
        fix = "Use labels.astype(np.int64)."
        if labels.dtype.kind not in "fb":
            fix = "Number the classes: names, labels = np.unique(names, return_inverse=True)."
        raise DataError(f"{who}: labels must be integers, got dtype {labels.dtype}. {fix}")
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        place, count = place_of(np.flatnonzero(wrong)[0], labels.shape), int(wrong.sum())
        fix = "The last layer needs one output for each class."
        if labels.min() == 1 and labels.max() == classes:
            fix = "Labels start at 0: use labels - 1."
        if set(np.unique(labels).tolist()) == {-1, 1}:
            fix = "Of -1 and 1 make 0 and 1: (labels + 1) // 2."
        if labels.ndim > 1 and (labels[wrong] == -1).all():
            fix = "Steps that a mask leaves out need a label too: any of these will do, such as 0."
        raise DataError(
            f"{who}: labels must be in 0..{classes - 1} for {classes} outputs, got "
            f"{labels[wrong][0]} in {place} ({count:,} of {labels.size:,} labels are out of "
            f"range, which runs from {labels.min()} to {labels.max()}). {fix}"
        )
    return labels.astype(np.intp, copy=False)


def check_probability_rows(target: Array, shape: Shape, who: str) -> Array:
    """Return rows (N, ..., C) that are distributions; raise otherwise."""
    if target.shape != shape:
        fix = "Every sample needs one row."
        if target.shape[:1] == shape[:1]:
            fix = f"The model has {shape[-1]} outputs, the targets have {target.shape[-1]} classes."
            fix += _if_labels(target)
        raise ShapeError(
            f"{who}: expected labels of shape {shape[:-1]} or rows of probabilities of shape "
            f"{shape}, got {target.shape}. {fix}"
        )
    if target.dtype.kind not in "fiub":
        raise DataError(f"{who}: rows of probabilities must be numbers, got dtype {target.dtype}.")
    rows = target.reshape(-1, target.shape[-1])
    row = find_improper_row(rows)
    if row is not None:
        with np.errstate(invalid="ignore"):
            total = float(rows[row].sum())
        raise DataError(
            f"{who}: {place_of(row, shape[:-1])} of the targets is no distribution: "
            f"{np.array2string(rows[row])} sums to {total:.6g}. Rows must be at least 0 and sum to "
            f"1.{_if_labels(target)}"
        )
    return target


def _if_labels(target: Array) -> str:
    """What to do if a matrix that should be rows of probabilities is rather labels of steps."""
    if target.ndim != 2 or target.dtype.kind not in "iu" or find_improper_row(target) is None:
        return ""
    return f" If these are labels of single steps, {ONE_A_SAMPLE}"


def place_of(number: int | np.intp, shape: Shape) -> str:
    """Where the sample of this number is in arrays of this shape, (N,) or (N, T) or (N, H, W)."""
    row, *inside = (int(index) for index in np.unravel_index(number, shape))
    kind = "step" if len(inside) == 1 else "pixel"
    return f"row {row}" + (f", {kind} {', '.join(map(str, inside))}" if inside else "")


def find_improper_row(rows: Array) -> int | None:
    """The first row that is not non-negative with sum 1 (up to rounding), or None."""
    tolerance = 1e-3 if rows.dtype.itemsize < 4 else 1e-4
    with np.errstate(invalid="ignore"):  # infinities of both signs are no distribution either
        proper = (rows.min(axis=-1) >= 0) & (np.abs(rows.sum(axis=-1) - 1) <= tolerance)
    return None if proper.all() else int(np.argmin(proper))
