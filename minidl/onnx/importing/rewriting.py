"""One node for each layer: long forms become the operator that they spell out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minidl.errors import DataError
from minidl.onnx.importing.folding import axes_argument, folded
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.patterns import OF_TWO_CLASSES, PATTERNS, Expression, Pattern
from minidl.typing import Array

EITHER_ORDER = ("Add", "Mul")
Found = dict[str, Any]


def rewritten(graph: Graph) -> Graph:
    """The same graph in fewer nodes: no long forms, and none that the output does not need."""
    constants = dict(graph.constants)
    for node in graph.nodes:
        if node.op == "Constant":
            try:
                constants[node.outputs[0]] = folded(node, ())  # type: ignore[assignment]
            except DataError as error:
                raise DataError(f"cannot import the {node}: {error}") from None
    search = _Search(constants, [*PATTERNS, OF_TWO_CLASSES] if graph.has_labels else PATTERNS)
    nodes = [search.shortened(node) for node in graph.nodes if node.op != "Constant"]
    needed, kept = {graph.output}, []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    return replace(graph, nodes=kept[::-1], constants=constants)


class _Search:
    """Looks for patterns that end in a node, among the nodes before it."""

    def __init__(self, constants: dict[str, Array], patterns: Sequence[Pattern]) -> None:
        self.constants = constants
        self.patterns = patterns
        self.makers: dict[str, Node] = {}  # the node that gives a tensor

    def shortened(self, node: Node) -> Node:
        """The node that takes a pattern's place if this one ends it, or the node itself."""
        for pattern in self.patterns:
            if node.op == pattern.form[0]:
                self.makers[node.outputs[0]] = node
                for found in self.matches(pattern.form, node.outputs[0], {}):
                    node = self._instead(node, pattern, found)
                    break
        self.makers.update(dict.fromkeys(node.outputs, node))
        return node

    def _instead(self, node: Node, pattern: Pattern, found: Found) -> Node:
        for word in pattern.inputs:
            if word.startswith("-"):
                found[word] = f"-{found[word[1:]]} of {node.outputs[0]}"
                self.constants[found[word]] = -self.constants[found[word[1:]]]
        options: Found = dict(pattern.options)
        if "axes" in found:
            options["axes"] = found["axes"]
        if "epsilon" in found:
            options["epsilon"] = float(self.constants[found["epsilon"]].flat[0])
        inputs = tuple(found[word] for word in pattern.inputs)
        return replace(node, op=pattern.op, inputs=inputs, attributes=options)

    def matches(self, form: Expression, name: str, found: Found) -> Iterator[Found]:
        """All ways in which a tensor is what an expression says, given the words known so far."""
        constant = self.constants.get(name)
        if isinstance(form, float):
            is_number = constant is not None and constant.size == 1 and constant.dtype.kind in "fiu"
            if constant is not None and is_number and np.isclose(constant.flat[0], form, rtol=1e-4):
                yield found
        elif isinstance(form, str):
            right_kind = (constant is None) == (form == "x")
            one_number = form != "epsilon" or (constant is not None and constant.size == 1)
            if right_kind and one_number and found.get(form, name) == name:
                yield {**found, form: name}
        elif name in self.makers:
            yield from self._matches_node(form, name, found)

    def _matches_node(self, form: Expression, name: str, found: Found) -> Iterator[Found]:
        op, *parts = form
        node = self.makers[name]
        inputs = node.inputs
        if op == "mean":
            axes = self._axes_of_mean(node)
            if not axes or found.get("axes", axes) != axes:
                return
            found, inputs = {**found, "axes": axes}, inputs[:1]
        elif node.op != op or not self._has(node, parts, name):
            return
        parts = [part for part in parts if not isinstance(part, dict)]
        if len(parts) != len(inputs):
            return
        for order in (inputs, inputs[::-1]) if op in EITHER_ORDER else (inputs,):
            yield from self._match_all(parts, order, found)

    def _match_all(
        self, forms: Sequence[Expression], names: Sequence[str], found: Found
    ) -> Iterator[Found]:
        if not forms:
            yield found
            return
        for more in self.matches(forms[0], names[0], found):
            yield from self._match_all(forms[1:], names[1:], more)

    def _has(self, node: Node, parts: Sequence[Expression], name: str) -> bool:
        """Whether a node has the attributes, and the tensor the place among its outputs."""
        wanted = {
            key: value for part in parts if isinstance(part, dict) for key, value in part.items()
        }
        place = wanted.pop("output", 0)
        return node.outputs[place : place + 1] == (name,) and all(
            node.attributes.get(key) == value for key, value in wanted.items()
        )

    def _axes_of_mean(self, node: Node) -> list[int] | str | None:
        if node.op == "GlobalAveragePool":
            return "all but batch and channels"
        if node.op != "ReduceMean" or not node.attributes.get("keepdims", 1):
            return None
        return axes_argument(node, [self.constants.get(name) for name in node.inputs])
