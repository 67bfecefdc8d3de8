"""What pooling layers share: their arguments, and where their windows lie."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minidl.errors import ArgumentError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.window_options import lengths, plain, remembered
from minidl.layers.windows import output_length, pad_widths
from minidl.typing import Shape

PoolPadding = Literal["valid", "same"]
Index = tuple[slice, ...]


@dataclass(frozen=True)
class Windows:
    """The windows over the pixels of images, or over the steps of sequences.

    Attributes:
        places: For each place in a window, in row-major order: the pixels that lie there, and the
            windows that have one there. The padding has no pixels, so nothing is ever padded.
        shape: How many windows there are along each axis.
        apart: Whether no pixel lies in two windows.
        cover: Whether every pixel lies in a window, if they are apart.
    """

    places: tuple[tuple[Index, Index], ...]
    shape: Shape
    apart: bool
    cover: bool


@dataclass(frozen=True)
class Pooling:
    """Size, stride and padding of windows, checked; one number for each axis."""

    size: Shape
    stride: Shape
    padding: PoolPadding

    @classmethod
    def of(
        cls,
        who: str,
        pool_size: int | Sequence[int],
        stride: int | Sequence[int] | None,
        padding: PoolPadding,
        axes: int,
    ) -> Pooling:
        """Check a layer's arguments; the stride is the window's size where none is given."""
        if not isinstance(padding, str) or padding not in ("valid", "same"):
            raise ArgumentError(f'{who}: padding must be "valid" or "same", got {padding!r}.')
        size = lengths(who, "pool_size", pool_size, axes)
        if stride is None:
            return cls(size, size, padding)
        return cls(size, lengths(who, "stride", stride, axes), padding)

    def counts(self, who: str, pixels: Shape) -> Shape:
        """How many windows there are along each axis; None where its length is open."""
        axes = len(self.size)
        return tuple(
            None
            if n is None
            else output_length(who, n, k, s, pad_widths(self.padding, 0, n, k, s), axes=axes)
            for n, k, s in zip(pixels, self.size, self.stride, strict=True)
        )


_known_pooling = remembered(Pooling.of)


class WindowPooling(Layer):
    """A layer with windows that slide over its input; keeps and checks the arguments."""

    _axes = 2

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        stride: int | Sequence[int] | None = None,
        *,
        padding: PoolPadding = "valid",
    ) -> None:
        self.pool_size, self.stride, self.padding = plain(pool_size), plain(stride), padding
        Pooling.of(*self._options())  # checks them

    def _options(self) -> tuple[Any, ...]:
        return type(self).__name__, self.pool_size, self.stride, self.padding, self._axes

    @property
    def _pooling(self) -> Pooling:
        """Size, stride and padding as they are now."""
        return _known_pooling(*self._options())


def check_images(who: str, input_shape: Shape) -> None:
    """Raise unless samples are images (H, W, C)."""
    if len(input_shape) != 3 or None in input_shape:
        raise ShapeError(
            f"{who}: expected input of shape (N, H, W, C), got {batch_shape(input_shape)}. Build "
            "with the images' height, width and channels, such as (28, 28, 1)."
        )


def check_sequences(who: str, input_shape: Shape) -> None:
    """Raise unless samples are sequences (T, C)."""
    if len(input_shape) != 2:
        raise ShapeError(
            f"{who}: expected input of shape (N, T, C), got {batch_shape(input_shape)}. Build with "
            "the sequences' steps and channels, such as (100, 8), or (None, 8) for any length."
        )


@functools.lru_cache(maxsize=256)  # working them out takes as long as pooling small images
def windows_over(pooling: Pooling, pixels: Shape) -> Windows:
    """The windows over an image of this height and width, or over so many steps."""
    counts = pooling.counts("windows_over", pixels)
    axes = [
        list(_places(n, k, s, pad_widths(pooling.padding, 0, n, k, s)[0], m))
        for n, k, s, m in zip(pixels, pooling.size, pooling.stride, counts, strict=True)
    ]
    places = (zip(*place, strict=True) for place in itertools.product(*axes))
    return Windows(
        places=tuple(((slice(None), *p), (slice(None), *w)) for p, w in places),
        shape=counts,
        apart=all(s >= k for s, k in zip(pooling.stride, pooling.size, strict=True)),
        cover=all(
            sum(w.stop - w.start for _, w in axis) == n
            for axis, n in zip(axes, pixels, strict=True)
        ),
    )


def _places(
    length: int, size: int, stride: int, before: int, count: int
) -> Iterator[tuple[slice, slice]]:
    """The pixels at each place of the windows over one axis, and the windows that have them."""
    for place in range(-before, size - before):
        first = max(-(place // stride), 0)  # the first window whose pixel is not in the padding
        last = min((length - 1 - place) // stride, count - 1)
        if first <= last:
            pixels = slice(first * stride + place, last * stride + place + 1, stride)
            yield pixels, slice(first, last + 1)
