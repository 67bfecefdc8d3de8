"""A whole network in ONNX: layers one after the other and side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from minidl.arguments import instance
from minidl.containers import Parallel, Residual
from minidl.containers.nesting import computes_like, innermost_layers
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.onnx.export.graph import Graph, Value
from minidl.onnx.export.masks import Mask, computed_mask, mask_behind
from minidl.onnx.export.translations import TRANSLATIONS, Translation

METHODS = "_forward", "step", "compute_mask", "output_shape"  # by which a layer computes


class Network:
    """Writes layers into a graph.

    Args:
        graph: The graph.
        translations: For kinds of layers, the functions that write them, beside minidl's own.
    """

    def __init__(self, graph: Graph, translations: Mapping[type[Layer], Translation]) -> None:
        self.graph = graph
        self.translations = {**TRANSLATIONS, **translations}

    def chain(self, layer: Layer, x: Value, mask: Mask = ()) -> Value:
        """A layer, or the layers of a Sequential one after the other."""
        for each in innermost_layers(layer):
            with self.graph.inside(each):
                y = self._layer(each, x, mask if each.accepts_mask else ())
            x, mask = y, mask_behind(each, x, mask)
        return x

    def _layer(self, layer: Layer, x: Value, mask: Mask) -> Value:
        translation = self._translation(layer)
        if translation is not None:
            for child in layer.children:  # of a Bidirectional
                if self._translation(child) is None:
                    raise _unknown(child)
            masks = (computed_mask(self.graph, mask),) if layer.accepts_mask else ()
            y = translation(self.graph, layer, x, *masks)
            return instance("export_onnx", f"the output of {layer.where}", y, Value)
        if isinstance(layer, Residual) and computes_like(layer, Residual):
            ways = [self.chain(child, x, mask) for child in layer.children]
            return self._sum(ways if layer.shortcut is not None else [*ways, x])
        if isinstance(layer, Parallel) and computes_like(layer, Parallel):
            ways = [self.chain(branch, x, mask) for branch in layer.branches]
            return self._sum(ways) if layer.merge == "add" else self._joined(ways)
        raise _unknown(layer)

    def _translation(self, layer: Layer) -> Translation | None:
        """The function for the layer's kind, or for the kind that it inherits all methods of."""
        for kind in type(layer).__mro__:
            if kind in self.translations:
                same = all(getattr(type(layer), m, 0) is getattr(kind, m, 0) for m in METHODS)
                return self.translations[kind] if same else None
        return None

    def _sum(self, ways: Sequence[Value]) -> Value:
        return reduce(lambda x, y: self.graph.op("Add", x, y), self._alike(ways))

    def _joined(self, ways: Sequence[Value]) -> Value:
        first, *others = self._alike(ways)
        return self.graph.op("Concat", first, *others, axis=first.channels) if others else first

    def _alike(self, ways: Sequence[Value]) -> list[Value]:
        """All in the order of the first one's axes."""
        return [self.graph.in_order(way, ways[0].order) for way in ways]


def _unknown(layer: Layer) -> ArgumentError:
    kind = type(layer).__name__
    fix = f"Give one: export_onnx(model, path, translations={{{kind}: function}})."
    if layer.children:
        fix = "Put its layers into a Sequential, Residual or Parallel instead."
    return ArgumentError(f"export_onnx: {layer.where}: {kind} has no translation to ONNX. {fix}")
