"""In which order PyTorch counts the features of a vector that was an image, or becomes one.

PyTorch flattens (N, C, H, W) channel by channel, minidl (N, H, W, C) pixel by pixel. A Dense layer
makes good for it by the order of its rows or columns, layers of single features by that of theirs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from minidl import layers as kinds
from minidl.containers.bidirectional import Bidirectional
from minidl.containers.nesting import innermost_layers
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.layers.recurrent import Recurrent
from minidl.typing import Array, Shape

Order = Array | None  # at the place of minidl's feature, the number of PyTorch's; None if the same
FEATURE_BY_FEATURE = (
    *(kinds.ReLU, kinds.LeakyReLU, kinds.ELU, kinds.SELU, kinds.GELU, kinds.SiLU, kinds.PReLU),
    *(kinds.Sigmoid, kinds.Tanh, kinds.Softplus, kinds.Softmax, kinds.LogSoftmax),
    *(kinds.Dropout, kinds.GaussianNoise, kinds.BatchNorm, kinds.LayerNorm, kinds.RMSNorm),
)
CHANNELS_FIRST = (kinds.Conv1D, kinds.MaxPool1D, kinds.BatchNorm, kinds.GroupNorm)
CHANNELS_LAST = (
    *(kinds.Dense, kinds.Embedding, kinds.LayerNorm, kinds.RMSNorm, Recurrent, Bidirectional),
    *(kinds.MultiHeadSelfAttention, kinds.PositionalEncoding),
)


def takes_channels_first(layer: Layer) -> bool | None:
    """Whether the layer's counterpart in PyTorch takes sequences (N, C, T); None if any."""
    if isinstance(layer, CHANNELS_FIRST):
        return True
    return False if isinstance(layer, CHANNELS_LAST) else None


def feature_orders(model: Layer) -> dict[Layer, tuple[Order, Order]]:
    """The order of the features in front of each layer of a built model, and behind it."""
    chain = innermost_layers(model)
    orders: list[Order] = []
    for place, layer in enumerate([*chain, None]):
        if layer is None or not isinstance(layer, FEATURE_BY_FEATURE):
            start = len(orders)  # up to here nothing has touched the order since
            orders += [_agreed(chain, start, place)] * (place + 1 - start)
    found = {layer: (orders[i], orders[i + 1]) for i, layer in enumerate(chain)}
    for layer in chain:
        for child in () if isinstance(layer, Bidirectional) else layer.children:
            found |= feature_orders(child)
    return found


def _agreed(chain: Sequence[Layer], start: int, stop: int) -> Order:
    """The order between the layer in front of `start` and the one at `stop`, which must agree."""
    maker = chain[start - 1] if start else None
    taker = chain[stop] if stop < len(chain) else None
    made, taken = _flattened(chain, start - 1), _unflattened(chain, stop)
    if isinstance(maker, kinds.Dense):
        return taken
    if isinstance(taker, kinds.Dense):
        return made
    if not np.array_equal([] if made is None else made, [] if taken is None else taken):
        raise ArgumentError(
            f"PyTorch counts the features between {_name(maker, 'the input')} and "
            f"{_name(taker, 'the output')} in another order than minidl: channel by channel, not "
            "pixel by pixel. Only a Dense layer between the two can make good for it."
        )
    return made


def _name(layer: Layer | None, end: str) -> str:
    return end if layer is None else layer.where


def _flattened(chain: Sequence[Layer], place: int) -> Order:
    """The order behind a layer that makes vectors of images or sequences."""
    if place < 0 or not isinstance(chain[place], kinds.Flatten | kinds.Reshape):
        return None
    bound = chain[place].bound
    if len(bound.output_shape) != 1:
        return None
    return _order(bound.input_shape, reversed(chain[:place]))


def _unflattened(chain: Sequence[Layer], place: int) -> Order:
    """The order in front of a layer that makes images or sequences of vectors."""
    if place >= len(chain) or not isinstance(chain[place], kinds.Reshape):
        return None
    bound = chain[place].bound
    if len(bound.input_shape) != 1:
        return None
    return _order(bound.output_shape, chain[place + 1 :])


def _order(shape: Shape, nearest: Iterable[Layer]) -> Order:
    """PyTorch's numbers of a sample's elements; the nearest layer tells where a sequence's C is."""
    sequences = itertools.takewhile(lambda layer: len(layer.bound.input_shape) == 2, nearest)
    said = [s for s in map(takes_channels_first, sequences) if s is not None]
    if len(shape) < 2 or (len(shape) == 2 and not any(said[:1])):
        return None
    *lengths, c = shape
    order = np.moveaxis(np.arange(math.prod(shape)).reshape(c, *lengths), 0, -1).ravel()
    return None if (np.diff(order) == 1).all() else order
