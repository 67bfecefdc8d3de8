"""The way of a mask along layers that follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np

from minidl.containers.nesting import innermost_layers
from minidl.errors import ContractError
from minidl.layers.base import Layer
from minidl.typing import Array, Shape


def mask_behind(layer: Layer, x: Array, y: Array, mask: Array | None) -> Array | None:
    """The mask for the next layer: steps count that neither this layer nor its own mask hides.

    None where all steps count, or the time axis has ended or changed.
    """
    own = own_mask(layer, x)
    if own is not None:
        mask = own if mask is None else own & mask
    if mask is None or layer.ends_mask or y.ndim < 3 or y.shape[1] != mask.shape[1]:
        return None
    return mask


def own_mask(layer: Layer, x: Array) -> Array | None:
    """What a layer says of the steps of its input; raise if that is no mask."""
    mask = layer.compute_mask(x)
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != x.shape[:2]:
        got = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise ContractError(
            f"{layer.where}: compute_mask must return booleans of shape (N, T) = {x.shape[:2]}, "
            f"True where a step counts, or None; got {got}."
        )
    return mask


def output_mask(layers: Sequence[Layer], x: Array) -> Array | None:
    """The mask of the last layer's output, where the first layer makes one and the steps last."""
    mask = own_mask(layers[0], x)
    return mask if mask is not None and steps_last(layers, x.shape[1:]) else None


def steps_last(layers: Iterable[Layer], shape: Shape) -> bool:
    """Whether the steps of samples of this shape are still the same behind these layers."""
    steps = shape[:1]
    for layer in layers:
        shape = layer.output_shape(shape)
        if layer.ends_mask or len(shape) < 2 or shape[:1] != steps:
            return False
    return True


def mask_of_branches(branches: Iterable[Layer], x: Array) -> Array | None:
    """The steps that count in all branches of which the first layer makes a mask that lasts."""
    masks = [output_mask(innermost_layers(branch), x) for branch in branches]
    found = [mask for mask in masks if mask is not None]
    return reduce(np.logical_and, found) if found else None
