"""What a model computes, seen through Sequentials inside Sequentials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import indent

from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.layers.embedding import Embedding


def innermost_layers(model: Layer) -> list[Layer]:
    """The layers of nested Sequentials in order, as one list."""
    if not computes_like_sequential(model):
        return [model]
    return leaves_of(model.children)


def leaves_of(layers: Iterable[Layer]) -> list[Layer]:
    """Layers that follow each other, those of Sequentials among them one by one."""
    return [leaf for layer in layers for leaf in innermost_layers(layer)]


def refuse_late_embeddings(model: Layer) -> None:
    """Raise where an Embedding comes behind another layer, of which none gives indices."""
    if not computes_like_sequential(model):
        return
    first, *others = model.children
    for inner in (inner for layer in others for inner in layer.walk()):
        if isinstance(inner, Embedding):
            raise ArgumentError(
                f"Sequential: {inner!r} takes indices, and {first!r} in front of it gives other "
                "numbers. Embedding must be the first layer."
            )


def listed(layers: Sequence[Layer]) -> str:
    """Layers as text, on one line or on indented lines of their own."""
    texts = list(map(repr, layers))
    line = ", ".join(texts)
    if len(line) <= 74 and "\n" not in line:
        return line
    return "\n" + indent("".join(f"{text},\n" for text in texts), "    ")


def computes_like(layer: Layer, kind: type[Layer]) -> bool:
    """Whether a layer computes what `kind` does; a subclass with a formula of its own does not."""
    return (type(layer)._forward, type(layer)._backward) == (kind._forward, kind._backward)


def computes_like_sequential(layer: Layer) -> bool:
    """Whether a layer is a plain Sequential."""
    from minidl.containers.sequential import Sequential  # which is made of chains

    return computes_like(layer, Sequential)
