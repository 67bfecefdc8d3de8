"""Masks that would get lost: made inside a branch, behind its first layer."""

from __future__ import annotations

from collections.abc import Iterator

from minidl.containers.masks import steps_last
from minidl.containers.nesting import innermost_layers
from minidl.containers.parallel import Parallel
from minidl.containers.residual import Residual
from minidl.layers.base import Layer


def makers_of_lost_masks(model: Layer) -> Iterator[Layer]:
    """The layers in a Residual or Parallel whose mask lasts to the branch's end, and ends there.

    The container's own mask is that of the first layers: of the body, or of all branches.
    """
    for container in model.walk():
        if not isinstance(container, Residual | Parallel):
            continue
        heard = container.children if isinstance(container, Parallel) else container.children[:1]
        for branch in container.children:
            layers = innermost_layers(branch)
            for place, layer in enumerate(layers):
                lost = layer.makes_mask and not (place == 0 and branch in heard)
                if lost and steps_last(layers[place:], layer.input_shape):
                    yield layer
