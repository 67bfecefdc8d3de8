"""Windows that slide over images and sequences: how many there are, and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from minidl.errors import ShapeError
from minidl.layers.window_options import Padding

# Windows written out at a time, whatever the batch. A fourth of it takes up to twice as long for a
# convolution from 32 to 64 channels, because neighbouring stretches share rows; twice as much gains
# nothing.
COLUMN_BYTES = 2**22


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
    who: str,
    length: int,
    kernel: int,
    stride: int,
    pads: tuple[int, int],
    dilation: int = 1,
    *,
    axes: int,
) -> int:
    """How many windows fit one of so many axes; raise if none does."""
    extent, padded = (kernel - 1) * dilation + 1, length + sum(pads)
    if extent > padded:
        raise ShapeError(
            f"{who}: a window of {extent} does not fit {length} "
            + ("steps" if axes == 1 else "pixels")
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
        axes = len(self.kernel)
        return output_length(who, length, k, s, self.pads(axis, length), d, axes=axes)

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
