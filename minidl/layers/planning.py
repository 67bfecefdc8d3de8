"""Shapes and sizes of a whole model, worked out before any memory exists."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minidl.errors import ArgumentError, ArgumentTypeError, ShapeError, StateError
from minidl.parameters import ParameterSpec, total_size
from minidl.regularization import Constraint, Penalty
from minidl.typing import Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer

CHUNK_BYTES = 2**22  # input and activations of a chunk of rows: a share of the last cache
MOST_BYTES = 2**25  # of a chunk that has more rows than these: as large as a last cache
MOST_ROWS = 8192  # of a chunk, however small they are
MOST_AXES = 63  # of a sample; the batch has one more, which is as many as NumPy allows
OPEN_LENGTH = 64  # steps that a sequence is taken to have where its length is open


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

    @property
    def n_params(self) -> int:
        """Length of the parameter vector."""
        return sum(total_size(p.specs) for p in self.walk())

    @property
    def n_state(self) -> int:
        """Length of the state vector."""
        return sum(total_size(p.state_specs) for p in self.walk())

    @property
    def largest_product(self) -> int:
        """Multiplications for one row of a batch in the largest product of two matrices.

        All steps of a sequence go into one product; of images, a row of pixels.
        """
        products = [
            spec.size * n_elements(p.output_shape[-2:-1])
            for p in self.walk()
            for spec in p.specs
            if len(spec.shape) > 1 and not p.layer.accepts_integers  # which picks rows instead
        ]
        return max(products, default=0)

    @functools.cached_property  # each predict asks for it
    def chunk_rows(self) -> int:
        """How many rows of a batch fit the cache: a power of two that depends on shapes only."""
        return self._rows_that_fit(n_elements(self.input_shape), 64)

    @functools.cached_property
    def sparse_chunk_rows(self) -> int:
        """The same for sparse rows: they take next to no room, but few of them a lot of time."""
        return self._rows_that_fit(0, 1024)

    def _rows_that_fit(self, numbers: int, least: int) -> int:
        """How many rows fit the cache, that are so many numbers each, with all activations.

        Fewer than `least` take longer, but large images take longer too where they are not in the
        cache: they go by `MOST_BYTES`.
        """
        outputs = [n_elements(p.output_shape) for p in self.walk() if not p.children]
        bytes_a_row = 4 * (numbers + sum(outputs))
        fitting, most = (_power_of_two(b // bytes_a_row) for b in (CHUNK_BYTES, MOST_BYTES))
        return min(max(fitting, min(least, most)), MOST_ROWS)


def _power_of_two(n: int) -> int:
    """The largest up to `n`, and 1 below."""
    return 1 << max(n.bit_length() - 1, 0)


def n_elements(shape: Shape) -> int:
    """Number of elements of a sample; an open axis counts as a usual length."""
    return math.prod(OPEN_LENGTH if length is None else length for length in shape)


def fits(shape: Shape, wanted: Shape) -> bool:
    """Whether an array's shape is the wanted one, in which None is any length above 0."""
    if shape == wanted:
        return True
    return len(shape) == len(wanted) and all(
        length == other or (other is None and length > 0)
        for length, other in zip(shape, wanted, strict=True)
    )


def make_plan(layer: Layer, input_shape: Shape) -> Plan:
    """Ask a layer, and then its children, for output shapes, parameters and state."""
    output_shape = checked_output_shape(layer, input_shape)
    specs = _checked_specs(layer, "parameter_specs", layer.parameter_specs(input_shape))
    state_specs = _checked_specs(layer, "state_specs", layer.state_specs(input_shape))
    names = [spec.name for spec in (*specs, *state_specs)]
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"{layer.where}: two parameters have the name {name!r}.")
        if name in layer.own_attributes() or hasattr(type(layer), name):
            raise ArgumentError(
                f"{layer.where}: the parameter {name!r} has the name of an attribute. Call the "
                f"option initial_{name}, or give the parameter another name. To set a value, "
                "assign it after build()."
            )
    shapes = layer.child_input_shapes(input_shape)
    children = [make_plan(*pair) for pair in zip(layer.children, shapes, strict=True)]
    return Plan(layer, input_shape, output_shape, specs, state_specs, children)


def _checked_specs(layer: Layer, method: str, specs: object) -> tuple[ParameterSpec, ...]:
    if not isinstance(specs, list | tuple) or not all(isinstance(s, ParameterSpec) for s in specs):
        raise ArgumentError(
            f"{layer.where}: {method} must return a list of ParameterSpec, got {specs!r}."
        )
    for spec in specs:
        if isinstance(spec.initializer, type) or not callable(spec.initializer):
            raise ArgumentTypeError(
                f"{layer.where}: the initializer of {spec.name!r} must be an instance such as "
                f"Zeros(), Constant(0.1) or HeNormal(), got {spec.initializer!r}."
            )
        for name, value, kind, such_as in (
            ("penalty", spec.penalty, Penalty, "L2(1e-4)"),
            ("constraint", spec.constraint, Constraint, "MaxNorm(2.0)"),
        ):
            if not isinstance(value, kind | None):
                raise ArgumentTypeError(
                    f"{layer.where}: the {name} of {spec.name!r} must be an instance such as "
                    f"{such_as}, got {value!r}."
                )
    return tuple(specs)


def checked_output_shape(layer: Layer, input_shape: Shape) -> Shape:
    """A layer's output shape, if it is one."""
    shape = layer.output_shape(input_shape)
    # The name takes 30 us, and models with an open time axis ask in every pass.
    who = "" if _is_shape(shape) else f"{layer.where}: output_shape({input_shape})"
    return sample_shape(shape, who)


def _is_shape(shape: object) -> bool:
    if not isinstance(shape, tuple | list) or len(shape) > MOST_AXES:
        return False
    return all(
        (length is None and axis == 0)
        or (hasattr(length, "__index__") and 0 < length <= sys.maxsize)
        for axis, length in enumerate(shape)
    )


def sample_shape(shape: Any, who: str) -> Shape:
    """Return `shape` as a tuple of positive ints, the first of which may be None, or raise."""
    if not _is_shape(shape):
        raise ShapeError(
            f"{who}: expected a tuple of positive lengths without the batch axis, such as (784,), "
            f"got {shape!r}."
        )
    return tuple(None if length is None else int(length) for length in shape)


def place_names(root: Layer, place: str = "") -> Iterator[tuple[Layer, str]]:
    """Every layer with its place, as messages name it."""
    yield root, place
    above = f" in {place}" if place else ""
    for index, child in enumerate(root.children):
        yield from place_names(child, f"layer {index} of {type(root).__name__}{above}")


def check_tree(root: Layer) -> None:
    """Raise unless every layer is unbuilt, stands in the model once, and is known to it."""
    seen: set[int] = set()
    for layer, place in place_names(root):
        name = f"{layer!r} in {place}" if place else f"{layer!r}"
        if id(layer) in seen:
            raise ArgumentError(
                f"{name}: the same layer object stands in the model twice. Tied weights are not "
                "supported; make a second layer, or copy.deepcopy(layer)."
            )
        seen.add(id(layer))
        if layer.built:
            fix = "layer.detached_copy()" if layer._parent is None else "copy.deepcopy(layer)"
            raise StateError(
                f"{name}: belongs to a model already. A copy keeps its values and can go into a "
                f"new one: {fix}."
            )
        known = {id(child) for child in layer.children}
        for attribute, value in layer.own_attributes().items():
            for hidden in _layers_in(value):
                if id(hidden) not in known:
                    raise ArgumentError(
                        f"{name}: the attribute {attribute!r} holds {hidden!r}, which is not in "
                        "`children`: it would be neither built nor trained. Add it to `children`."
                    )


def _layers_in(value: object) -> Iterator[Layer]:
    from minidl.layers.base import Layer  # the class itself, for isinstance

    if isinstance(value, Layer):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _layers_in(item)
