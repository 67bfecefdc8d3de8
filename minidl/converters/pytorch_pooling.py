"""PyTorch's pooling as minidl's layers, where windows lie at the same places."""

from __future__ import annotations

from dataclasses import dataclass

from minidl import layers as kinds
from minidl.converters.module_place import ModulePlace, numbers, plain
from minidl.layers.base import Layer
from minidl.layers.pooling import PoolPadding, WindowPooling
from minidl.layers.windows import pad_widths


def max_pool1d(at: ModulePlace) -> Layer:
    """`nn.MaxPool1d`."""
    at.only(dilation=1, return_indices=False)
    return _pool(at, kinds.MaxPool1D)


def max_pool2d(at: ModulePlace) -> Layer:
    """`nn.MaxPool2d`."""
    at.only(dilation=1, return_indices=False)
    return _pool(at, kinds.MaxPool2D)


def average_pool2d(at: ModulePlace) -> Layer:
    """`nn.AvgPool2d`; minidl's means are over the pixels inside the image."""
    at.only(divisor_override=None)
    if any(numbers(at.module.padding, 2)):
        at.only(count_include_pad=False)
    return _pool(at, kinds.AveragePool2D)


def _pool(at: ModulePlace, kind: type[WindowPooling]) -> Layer:
    m, pixels = at.module, at.samples.shape[:-1]
    axes = 1 if kind is kinds.MaxPool1D else 2
    sizes, strides, paddings = (
        numbers(option, axes) for option in (m.kernel_size, m.stride, m.padding)
    )
    windows = [
        _Windows(*lengths, ceil=m.ceil_mode)
        for lengths in zip(pixels, sizes, strides, paddings, strict=False)
    ]
    word: PoolPadding
    for word in ("valid", "same"):
        if all(each.are_those_of(word) for each in windows):
            return kind(plain(sizes), plain(strides), padding=word)
    raise at.refusal(
        f"with padding={m.padding} and ceil_mode={m.ceil_mode} its windows over samples of shape "
        f'{at.samples.shape} lie as with neither "valid" nor "same" padding of minidl'
    )


@dataclass(frozen=True)
class _Windows:
    """PyTorch's windows along an axis of a length, None if it is open."""

    length: int | None
    size: int
    stride: int
    padding: int
    ceil: bool

    def are_those_of(self, word: PoolPadding) -> bool:
        """Whether minidl's windows with this padding lie at the same places."""
        n, k, s = self.length, self.size, self.stride
        if n is None:
            return word == "valid" and not self.padding and not self.ceil
        before, after = pad_widths(word, 0, n, k, s)
        return (before, (n + before + after - k) // s + 1) == (self.padding, self.count(n))

    def count(self, n: int) -> int:
        """How many there are; with `ceil` the last one may reach beyond the padding."""
        room = n + 2 * self.padding - self.size
        if not self.ceil:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        begins_outside = (count - 1) * self.stride >= n + self.padding
        return count - 1 if begins_outside else count


def adaptive_pool(at: ModulePlace) -> Layer:
    """`nn.AdaptiveAvgPool2d` and `nn.AdaptiveMaxPool2d` where all windows have one size."""
    kind = kinds.AveragePool2D if at.kind == "AdaptiveAvgPool2d" else kinds.MaxPool2D
    if kind is kinds.MaxPool2D:
        at.only(return_indices=False)
    pixels = at.samples.shape[:2]
    counts = [
        n if k is None else k
        for n, k in zip(pixels, numbers(at.module.output_size, 2), strict=True)
    ]
    if any(n % k for n, k in zip(pixels, counts, strict=True)):
        raise at.refusal(f"output_size={at.module.output_size} does not divide the {pixels} pixels")
    return kind(tuple(n // k for n, k in zip(pixels, counts, strict=True)))
