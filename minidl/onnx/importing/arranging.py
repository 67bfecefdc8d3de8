"""The order that a layer needs its input in, and the axes of what it returns."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.errors import DataError
from minidl.layers import Flatten, Reshape, UpSampling2D
from minidl.onnx.importing.layout import (
    BATCH,
    Atom,
    Axis,
    Open,
    axes_of,
    is_run,
    joined,
    length_of,
)
from minidl.onnx.importing.signals import Signal, with_layer
from minidl.typing import Shape


def rearranged(
    signal: Signal, inner: int, *, outer: Sequence[int] | None = None, rows: bool = False
) -> Signal:
    """Samples (..., C) whose last axis holds the elements of one ONNX axis, in order or not.

    The other axes keep their order, or stand as `outer` says; with `rows` they become one. Raises
    where this would move numbers, which no layer does.
    """
    signal = repeated(signal)
    axis = signal.axes[inner]
    width = length_of(axis)
    if not isinstance(width, int):
        raise DataError("its features lie on the batch axis, or their number is open")
    others = [i for i in range(len(signal.axes)) if i != inner] if outer is None else outer
    inside = [
        tuple(atom for atom in signal.axes[i] if atom not in BATCH)
        for i in others
        if signal.axes[i] != BATCH
    ]
    around = joined(atom for each in inside for atom in each)
    if not is_run(sorted(axis, key=lambda atom: -atom[1])) or not is_run(around, width):
        raise DataError(
            "it needs its input in an order that minidl's arrays do not have here: images are "
            "(N, H, W, C) and sequences (N, T, C)"
        )
    lengths = [length_of(each) for each in inside]
    if rows and len(lengths) > 1:
        lengths = [length_of(tuple(around))]
    shape = (*(None if isinstance(n, Open) else n for n in lengths), width)
    return reshaped(signal, shape)


def reshaped(signal: Signal, shape: Shape) -> Signal:
    """The same numbers in samples of another shape."""
    if shape == signal.shape:
        return signal
    is_flat = len(shape) == 1
    layer = Flatten() if is_flat else Reshape(tuple(-1 if n is None else n for n in shape))
    return with_layer(signal, layer)


def with_width(signal: Signal, inner: int, old: int, new: int) -> list[Axis]:
    """The axes of (..., C) after a layer that made `new` of `old` features, on one ONNX axis."""
    return [
        axes_of((new,))[0]
        if i == inner
        else tuple((length, stride // old * new) for length, stride in axis)
        for i, axis in enumerate(signal.axes)
    ]


def placed(signal: Signal, order: Sequence[int], shape: Shape) -> list[Axis]:
    """The axes of a layer's output of this shape, whose axes are these of ONNX."""
    axes = list(signal.axes)
    for index, axis in zip(order, axes_of(shape), strict=True):
        axes[index] = axis
    return axes


def repeated(signal: Signal) -> Signal:
    """A signal whose pixels are repeated by `Tile` with the layer that does so."""
    if len(signal.shape) != 3 or not any(n > 1 for n in _repeats(signal)):
        return signal
    s, t = _repeats(signal)
    _, w, c = signal.shape

    def larger(axis: Axis) -> Axis:
        atoms: list[Atom] = []
        for length, stride in axis:
            if stride == 0 and isinstance(length, int):  # the copies of the pixels before it
                before, step = atoms.pop()
                atoms.append((before * length, step))  # type: ignore[operator]
            elif stride >= c:
                atoms.append((length, t * stride if stride >= w * c else stride))
            else:
                atoms.append((length, stride))
        return tuple(atoms)

    return with_layer(
        signal, UpSampling2D((s, t) if s != t else s), axes=[larger(a) for a in signal.axes]
    )


def _repeats(signal: Signal) -> tuple[int, int]:
    """How often rows and columns are repeated."""
    h, w, c = signal.shape
    found = {w * c: 1, c: 1}
    for axis in signal.axes:
        for before, (length, stride) in zip([(1, -1), *axis], axis):  # noqa: B905 (pairs)
            if stride == 0 and isinstance(length, int):
                if before not in ((h, w * c), (w, c)) or min(h, w) == 1:
                    raise DataError("it repeats something other than rows and columns of images")
                found[before[1]] = length
    return found[w * c], found[c]
