"""What to do about input that a model does not take: the last sentence of the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minidl.layers.planning import fits, n_elements
from minidl.typing import Array, Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer


PADDING = (
    "Pad the shorter sequences to the length of the longest, and put Masking() in front, or "
    "Embedding(..., padding_index=0) for indices, so that the padding does not count."
)


def ragged_fix(x: object) -> str:
    """What `x` is, of which NumPy makes no array, and what to do about it."""
    if isinstance(x, tuple) and all(isinstance(part, np.ndarray) for part in x):
        shapes = [part.shape for part in x]
        if len({len(shape) for shape in shapes}) > 1:  # not samples: these have as many axes
            return (
                f"a tuple of arrays of shapes {', '.join(map(str, shapes))}. Take it apart first; "
                "of load_mnist, for example: (x, y), (x_test, y_test) = load_mnist()."
            )
    return f"lists of different length. {PADDING}"


def dtype_fix(layer: Layer, x: Array) -> str:
    """How to get from the dtype of `x` to one that `layer` takes."""
    if x.dtype.kind in "iub":
        scale = " / 255 if these are images of 0..255" if x.dtype == np.uint8 else ""
        return (
            f"Convert it yourself, so that the scale is yours: x.astype(np.{layer.dtype}){scale}."
        )
    if x.dtype.kind == "f" and layer.accepts_integers:
        return "Convert the indices: x.astype(np.int64)."
    if x.dtype.kind == "f":
        return (
            f"Convert it: x.astype(np.{layer.dtype}), or build the model with dtype=np.{x.dtype}."
        )
    if x.dtype == object and x.size and np.ndim(x.flat[0]):
        return PADDING
    if x.dtype == object and not x.ndim and hasattr(x.item(), "__iter__"):
        return "Of a source of batches: np.concatenate([model.predict(xb) for xb, yb in source])."
    return f"Convert it: np.asarray(x, dtype=np.{layer.dtype}), if these are real numbers."


def shape_fix(x: Array, wanted: Shape) -> str:
    """How to get from the shape of `x` to a batch of samples of the shape `wanted`."""
    if x.shape[:1] == (0,):
        return "A batch needs at least one row."
    if x.ndim == len(wanted) == 2 and x.shape[1] == wanted[1]:
        one = f"Samples have {wanted[0]} rows here."
        if fits(x.shape, wanted):
            one = "If x is one sample without the batch axis: use x[np.newaxis]."
        return (
            f"{one} If the rows of x are samples, build with the shape of one of them: "
            f"build(({wanted[1]},))."
        )
    if fits(x.shape, wanted):
        return "This is one sample without the batch axis: use x[np.newaxis]."
    if x.ndim == 2 and wanted == x.shape[:1]:
        return "Samples are rows here, not columns: use x.T."
    if 0 in x.shape:
        return "A sequence needs at least one step."
    axes = _axes_in_order(x.shape[1:], wanted)
    if axes is not None:
        moved = [axis for place, axis in enumerate(axes, start=1) if place != axis]
        how = f"swapaxes({min(moved)}, {max(moved)})"
        if len(moved) > 2:
            how = f"transpose(0, {', '.join(map(str, axes))})"
        return f"Use x.{how}. Never reshape here: it would mix the numbers of different places."
    if None in wanted:
        return "Samples are sequences of any length, all of a batch of the same: pad the shorter."
    if x.ndim > 1 and len(wanted) == 1 and n_elements(x.shape[1:]) == wanted[0]:
        return (
            "Add Flatten() before it and build with the images' shape, "
            "or use x.reshape(len(x), -1)."
        )
    flat = x.ndim == 2 and x.shape[1] == n_elements(wanted)
    if flat or (x.ndim > 0 and _longer_than_1(x.shape[1:]) == _longer_than_1(wanted)):
        return f"Use x.reshape(len(x), {', '.join(map(str, wanted))})."
    return f"The model was built with input shape {wanted}, without the batch axis."


def _axes_in_order(shape: Shape, wanted: Shape) -> list[int] | None:
    """The axes of a batch, counted from 1, in the order in which they have the wanted lengths."""
    left, order = list(range(len(shape))), []
    for length in reversed(wanted):
        matching = [axis for axis in left if length in (None, shape[axis])]
        if not matching:
            return None
        left.remove(matching[-1])  # the last one: axes of one length keep their order
        order.append(matching[-1] + 1)
    return None if left else order[::-1]


def _longer_than_1(shape: Shape) -> list[int | None]:
    """The lengths without those of 1, which a reshape can add or drop."""
    return [length for length in shape if length != 1]
