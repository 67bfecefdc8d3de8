"""Windows that slide over images and sequences: their lengths and paddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from minidl.arguments import whole_number
from minidl.errors import ArgumentError, ShapeError

# Windows written out at a time, whatever the batch. A fourth of it takes up to twice as long for a
# convolution from 32 to 64 channels, because neighbouring stretches share rows; twice as much gains
# nothing.
COLUMN_BYTES = 2**22

Padding = Literal["valid", "same", "causal"] | int | tuple[tuple[int, int], ...]


def lengths(who: str, name: str, value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Return one whole number for each axis: `3` and `(3, 3)` mean the same."""
    values = [value] * axes if not isinstance(value, tuple | list) else list(value)
    if len(values) != axes:
        raise ArgumentError(
            f"{who}: {name} must be a whole number, or {axes} of them, got {value!r}."
        )
    return tuple(whole_number(who, name, each) for each in values)


def check_padding(who: str, padding: object, axes: int) -> Padding:
    """Return `padding` if it is "valid", "same", or pairs of whole numbers, one an axis.

    Sequences, with a single axis, have "causal" as well.
    """
    if padding in ("valid", "same") or (padding == "causal" and axes == 1):
        return padding
    if isinstance(padding, int) and not isinstance(padding, bool) and padding >= 0:
        return ((padding, padding),) * axes
    try:
        pairs = tuple((int(before), int(after)) for before, after in padding)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        pairs = ()
    if len(pairs) != axes or min(map(min, pairs)) < 0:
        names = '"valid", "same", "causal"' if axes == 1 else '"valid", "same"'
        raise ArgumentError(
            f"{who}: padding must be {names}, a whole number, or a pair (before, after) "
            f"for each axis such as {((1, 1),) * axes}, got {padding!r}."
        )
    return pairs


def pad_widths(
    padding: Padding, axis: int, length: int, kernel: int, stride: int, dilation: int = 1
) -> tuple[int, int]:
    """Zeros in front of an axis and behind it.

    "same" makes the output ceil(length / stride) long; an odd zero goes behind. "causal" lets each
    window end at its own step.
    """
    if padding == "valid":
        return 0, 0
    if padding == "same":
        outputs = -(-length // stride)
        missing = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
        return missing // 2, missing - missing // 2
    if padding == "causal":
        return (kernel - 1) * dilation, 0
    return padding[axis]  # type: ignore[index]


def output_length(
    who: str, length: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int = 1
) -> int:
    """How many windows fit an axis; raise if none does."""
    extent, padded = (kernel - 1) * dilation + 1, length + sum(pads)
    if extent > padded:
        raise ShapeError(
            f"{who}: a window of {extent} does not fit {length} pixels"
            + (f" with {sum(pads)} of padding" if sum(pads) else "")
            + '. Use a smaller window, or padding="same".'
        )
    return (padded - extent) // stride + 1


def overlap(offset: int, stride: int, length: int, outputs: int) -> tuple[slice, slice]:
    """Which of `outputs` windows have a pixel at `offset + stride * window`, and these pixels."""
    first = max(-(offset // stride), 0)
    stop = max(min((length - 1 - offset) // stride + 1, outputs), first)
    return slice(first, stop), slice(offset + first * stride, offset + stop * stride, stride)


@dataclass(frozen=True)
class Geometry:
    """Where the windows of a kernel lie, with a number for each axis that it slides along."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Padding
    dilation: tuple[int, ...]
    groups: int

    def pads(self, axis: int, length: int) -> tuple[int, int]:
        """Zeros in front of an axis and behind it."""
        k, s, d = self.kernel[axis], self.stride[axis], self.dilation[axis]
        return pad_widths(self.padding, axis, length, k, s, d)

    def count(self, who: str, axis: int, length: int) -> int:
        """Number of windows along an axis."""
        k, s, d = self.kernel[axis], self.stride[axis], self.dilation[axis]
        return output_length(who, length, k, s, self.pads(axis, length), d)

    @property
    def spans(self) -> tuple[int, ...]:
        """Pixels from the first of a window to its last along each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def is_pointwise(self) -> bool:
        """Whether the windows are the image's pixels."""
        padded = any(any(self.pads(axis, 1)) for axis in range(len(self.kernel)))
        return max(self.kernel) == max(self.stride) == 1 and not padded

    def mirrored(self, lengths: Sequence[int]) -> Geometry:
        """The windows by which mirrored kernels lead from the outputs back to these lengths.

        Where the padding is wider than a window, theirs is negative. Needs a stride of 1.
        """
        pads = [self.pads(axis, length) for axis, length in enumerate(lengths)]
        back = [(n - 1 - p, n - 1 - q) for n, (p, q) in zip(self.spans, pads, strict=True)]
        return replace(self, padding=tuple(back))
