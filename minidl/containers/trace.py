"""Every activation of a network, by name."""

from __future__ import annotations

from collections.abc import Iterator

from minidl.containers.masks import mask_after, mask_before
from minidl.containers.nesting import computes_like_sequential
from minidl.layers.base import Layer
from minidl.layers.calls import call_forward, masked, own_copy
from minidl.typing import Array


def traced(layer: Layer, x: Array, mask: Array | None, prefix: str) -> Iterator[tuple[str, Array]]:
    """Yield the output of each layer in a Sequential; after those inside it, its own."""
    for index, child in enumerate(layer.children):
        name = f"{prefix}{index}.{type(child).__name__.lower()}"
        mask = mask_before(child, x, mask)
        if computes_like_sequential(child):
            for inner_name, y in traced(child, x, mask, f"{name}."):
                yield inner_name, y
        else:
            options = masked(mask if child.accepts_mask else None)
            y = own_copy(call_forward(child, x, False, None, **options), x, False, None)
        x, mask = y, mask_after(y, mask)
        yield name, x
