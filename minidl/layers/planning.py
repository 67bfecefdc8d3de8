"""Shapes and sizes of a whole model, worked out before any memory exists."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minidl.errors import ArgumentError, ShapeError, StateError
from minidl.parameters import ParameterSpec, total_size
from minidl.typing import Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer

CHUNK_BYTES = 2**21  # input and activations of a chunk of rows: the L2 cache of two cores


@dataclass
class Plan:
    """Shapes and needs of one layer and of all below it."""

    layer: Layer
    input_shape: Shape
    output_shape: Shape
    specs: tuple[ParameterSpec, ...]
    state_specs: tuple[ParameterSpec, ...]
    children: list[Plan]

    def walk(self) -> Iterator[Plan]:
        """This plan and all below it, in the order of the arena."""
        yield self
        for child in self.children:
            yield from child.walk()

    def names(self) -> list[tuple[str, Shape]]:
        """Name and shape of every parameter and state array, to compare two plans."""
        return [(s.name, s.shape) for p in self.walk() for s in (*p.specs, *p.state_specs)]

    @property
    def n_params(self) -> int:
        """Length of the parameter vector."""
        return sum(total_size(p.specs) for p in self.walk())

    @property
    def n_state(self) -> int:
        """Length of the state vector."""
        return sum(total_size(p.state_specs) for p in self.walk())

    @property
    def chunk_rows(self) -> int:
        """How many rows of a batch fit the cache: a power of two that depends on shapes only."""
        outputs = [math.prod(p.output_shape) for p in self.walk() if not p.children]
        bytes_a_row = 4 * (math.prod(self.input_shape) + sum(outputs))
        rows = max(CHUNK_BYTES // bytes_a_row, 1)
        return min(max(1 << (rows.bit_length() - 1), 64), 8192)


def make_plan(layer: Layer, input_shape: Shape) -> Plan:
    """Ask a layer, and then its children, for output shapes, parameters and state."""
    output_shape = checked_output_shape(layer, input_shape)
    specs = tuple(layer.parameter_specs(input_shape))
    state_specs = tuple(layer.state_specs(input_shape))
    for spec in (*specs, *state_specs):
        if spec.name in layer.own_attributes() or hasattr(type(layer), spec.name):
            raise ArgumentError(
                f"{layer.where}: the parameter {spec.name!r} has the name of an attribute. "
                f"Call the option initial_{spec.name}, or give the parameter another name."
            )
    shapes = layer.child_input_shapes(input_shape)
    children = [make_plan(*pair) for pair in zip(layer.children, shapes, strict=True)]
    return Plan(layer, input_shape, output_shape, specs, state_specs, children)


def checked_output_shape(layer: Layer, input_shape: Shape) -> Shape:
    """A layer's output shape, if it is one."""
    who = f"{layer.where}: output_shape({input_shape})"
    return sample_shape(layer.output_shape(input_shape), who)


def sample_shape(shape: object, who: str) -> Shape:
    """Return `shape` as a tuple of positive ints, or raise."""
    if not isinstance(shape, tuple | list) or not all(
        hasattr(length, "__index__") and length > 0 for length in shape
    ):
        raise ShapeError(
            f"{who}: expected a tuple of positive lengths without the batch axis, such as (784,), "
            f"got {shape!r}."
        )
    return tuple(int(length) for length in shape)


def name_places(root: Layer) -> None:
    """Tell every layer its place, for messages; raise where the tree is none."""
    seen: dict[int, Layer] = {}

    def visit(layer: Layer) -> None:
        if id(layer) in seen:
            raise ArgumentError(
                f"{layer.where}: the same layer object stands in the model twice. Tied weights "
                "are not supported; make a second layer, or copy.deepcopy(layer)."
            )
        if layer.built:
            raise StateError(
                f"{layer.where}: belongs to a model already. A copy keeps its values and can go "
                "into a new one: copy.deepcopy(layer)."
            )
        seen[id(layer)] = layer
        _raise_for_hidden_layers(layer)
        for index, child in enumerate(layer.children):
            above = f" in {layer._place}" if layer._place else ""
            if id(child) not in seen:
                vars(child)["_place"] = f"layer {index} of {type(layer).__name__}{above}"
            visit(child)

    vars(root)["_place"] = ""
    visit(root)


def _raise_for_hidden_layers(layer: Layer) -> None:
    from minidl.layers.base import Layer  # the class itself, for isinstance

    known = {id(child) for child in layer.children}
    for name, value in layer.own_attributes().items():
        values = value if isinstance(value, list | tuple) else [value]
        values = list(value.values()) if isinstance(value, dict) else values
        for item in values:
            if isinstance(item, Layer) and id(item) not in known:
                raise ArgumentError(
                    f"{layer.where}: the attribute {name!r} holds {item!r}, which is not in "
                    "`children`: it would be neither built nor trained. Add it to `children`."
                )
