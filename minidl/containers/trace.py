"""Every activation of a network, by name."""

from __future__ import annotations

from collections.abc import Generator

from minidl.containers.masks import mask_behind
from minidl.containers.nesting import computes_like_sequential
from minidl.layers.base import Layer
from minidl.layers.calls import call_forward, masked, own_copy
from minidl.typing import Array


def traced(
    layer: Layer, x: Array, mask: Array | None, prefix: str
) -> Generator[tuple[str, Array], None, tuple[Array, Array | None]]:
    """Yield the output of each layer in a Sequential, after those inside it; return the last."""
    for index, child in enumerate(layer.children):
        name = f"{prefix}{index}.{type(child).__name__.lower()}"
        if computes_like_sequential(child):
            x, mask = yield from traced(child, x, mask, f"{name}.")
        else:
            options = masked(mask if child.accepts_mask else None)
            y = call_forward(child, x, False, None, **options)
            x, mask = own_copy(y, x, False, None), mask_behind(child, x, y, mask)
        yield name, x
    return x, mask
