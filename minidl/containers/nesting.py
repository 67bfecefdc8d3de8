"""What a model computes, seen through Sequentials inside Sequentials."""

from __future__ import annotations

from minidl.layers.base import Layer


def innermost_layers(model: Layer) -> list[Layer]:
    """The layers of nested Sequentials in order, as one list."""
    if not computes_like_sequential(model):
        return [model]
    return [layer for child in model.children for layer in innermost_layers(child)]


def computes_like(layer: Layer, kind: type[Layer]) -> bool:
    """Whether a layer computes what `kind` does; a subclass with a formula of its own does not."""
    return (type(layer)._forward, type(layer)._backward) == (kind._forward, kind._backward)


def computes_like_sequential(layer: Layer) -> bool:
    """Whether a layer is a plain Sequential."""
    from minidl.containers.sequential import Sequential  # which is made of chains

    return computes_like(layer, Sequential)
