"""The way of a mask along layers that follow each other."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.layers.base import Layer
from minidl.typing import Array, Shape


def makes_mask(layer: Layer) -> bool:
    """Whether a layer can say which steps of its input count."""
    return type(layer).compute_mask is not Layer.compute_mask


def mask_before(layer: Layer, x: Array, mask: Array | None) -> Array | None:
    """The mask that holds from this layer on: steps count that neither it nor the mask hides."""
    own = layer.compute_mask(x)
    if own is None or mask is None:
        return mask if own is None else own
    return own & mask


def mask_after(y: Array, mask: Array | None) -> Array | None:
    """The mask for the next layer, or None where the time axis has ended or changed."""
    if mask is None or y.ndim < 3 or y.shape[1] != mask.shape[1]:
        return None
    return mask


def output_mask(layers: Sequence[Layer], x: Array) -> Array | None:
    """The mask of the last layer's output, where the first layer makes one and the steps last."""
    mask = layers[0].compute_mask(x)
    if mask is None:
        return None
    shape: Shape = x.shape[1:]
    for layer in layers:
        shape = layer.output_shape(shape)
        if len(shape) < 2 or shape[0] != mask.shape[1]:
            return None
    return mask
