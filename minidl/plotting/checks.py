"""Checks of what users pass to the plots, with the project's errors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ArgumentError, DataError, DTypeError, ShapeError
from minidl.typing import Array


def real_array(who: str, name: str, values: ArrayLike) -> Array:
    """Return values as a float64 array, or raise when they are not numbers or ragged."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(
            f"{who}: expected {name} as a rectangular array, got rows of different lengths. "
            "Pass arrays of one shape."
        ) from error
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"{who}: expected {name} of real numbers, got dtype {array.dtype}. "
            "Convert it with np.asarray(..., dtype=float)."
        )
    return array.astype(np.float64)


def check_finite(who: str, name: str, values: Array) -> None:
    """Raise when a value is NaN or infinite."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"{who}: expected finite {name}, got {len(bad)} NaN or infinite, the first at index "
            f"{tuple(bad[0].tolist())}. Look for the step at which they came in."
        )


def check_image_shape(who: str, shape: tuple[int, int]) -> tuple[int, int]:
    """Return (H, W) as given, or raise when it is not two positive whole numbers."""
    array = np.asarray(shape)
    if array.shape != (2,) or array.dtype.kind not in "iu" or array.min() < 1:
        raise ArgumentError(
            f"{who}: expected image_shape=(H, W), got {shape!r}. Leave a channel axis out."
        )
    return int(array[0]), int(array[1])


def check_names(
    who: str, argument: str, names: Sequence[object] | None, default: Sequence[object]
) -> list[str]:
    """Return names as strings, the default ones for None, or raise when their number is wrong."""
    given = [str(name) for name in (default if names is None else names)]
    if len(given) != len(default):
        raise ArgumentError(
            f"{who}: expected {argument} of length {len(default)}, got {len(given)}. "
            f"Leave it out for {default[0]}, ..., {default[-1]}."
        )
    return given


def check_labels(who: str, argument: str, labels: ArrayLike | None, n: int) -> list[str] | None:
    """Return n labels as strings, or raise when they are of another shape or fractions."""
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ShapeError(
            f"{who}: expected {argument} of shape ({n},), one label an image, got {array.shape}. "
            "Turn rows of probabilities into labels with .argmax(axis=1)."
        )
    if array.dtype.kind not in "biuUO":
        raise DTypeError(
            f"{who}: expected {argument} of whole numbers or names, got dtype {array.dtype}. "
            "Convert whole numbers with .astype(int), probabilities with (p > 0.5).astype(int)."
        )
    return [str(label) for label in array]
