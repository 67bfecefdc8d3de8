"""An ONNX file as plain records: the nodes between its input and its output, and its constants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minidl.errors import DataError
from minidl.onnx.importing.limits import check_size
from minidl.onnx.importing.tensors import array_of
from minidl.typing import Array

FLOATS, WHOLE = (1, 11), (6, 7)
NEWEST_OPSET = 26


@dataclass(frozen=True)
class Node:
    """An operation of the graph."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.op} node {self.name or self.outputs[0]!r}"


@dataclass(frozen=True)
class Graph:
    """A graph with one input and one output.

    Attributes:
        dims: Lengths of the input's axes, None where they are open.
        nodes: All nodes, each behind those that it needs.
        constants: Arrays by name.
        has_labels: Whether the file gives a classifier's labels, too, which are left out.
    """

    input: str
    dims: tuple[int | None, ...]
    dtype: np.dtype[Any]
    output: str
    nodes: list[Node]
    constants: dict[str, Array]
    opset: int
    has_labels: bool

    @cached_property
    def uses(self) -> Counter[str]:
        """How often each tensor is an input of a node."""
        return Counter(name for node in self.nodes for name in node.inputs)


def read_graph(path: Path) -> Graph:
    """Read a file; raise DataError where it is damaged or not of the kind above."""
    import google.protobuf.message as protobuf
    import onnx

    data = path.read_bytes()
    check_size(data)
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except (protobuf.DecodeError, RecursionError, ValueError) as error:
        raise DataError(f"it is not an ONNX file: {error}") from None
    del data  # which would stand in memory a second time beside what was read from it
    if not proto.HasField("graph") or not proto.graph.node:
        raise DataError("it holds no graph")
    opsets = [each.version for each in proto.opset_import if each.domain in ("", "ai.onnx")]
    if not opsets or not 7 <= max(opsets) <= NEWEST_OPSET:
        raise DataError(f"expected operators of a version from 7 to {NEWEST_OPSET}, got {opsets}")
    return _graph(proto.graph, max(opsets))


def _graph(proto: Any, opset: int) -> Graph:
    if proto.sparse_initializer:
        raise DataError("it holds sparse tensors; export it with dense ones")
    constants = {tensor.name: array_of(tensor) for tensor in proto.initializer}
    nodes = [_node(each) for each in proto.node]
    _check_order(nodes, {*constants, *(each.name for each in proto.input)})
    inputs = [each for each in proto.input if each.name not in constants]
    if len(inputs) != 1:
        names = [each.name for each in inputs]
        raise DataError(f"expected a graph with one input, got {names}; minidl's models have one")
    kind = inputs[0].type.tensor_type.elem_type
    if kind not in FLOATS + WHOLE:
        raise DataError(f"expected an input of float32, float64 or integers, got type {kind}")
    found = {values.dtype for values in constants.values() if values.dtype.kind == "f"}
    double = kind == 11 or (kind in WHOLE and found == {np.dtype(np.float64)})
    dtype = np.dtype(np.float64 if double else np.float32)
    output = _output(proto.output)
    if not any(output in node.outputs for node in nodes):
        raise DataError(f"nothing gives its output {output!r}")
    dims, has_labels = _dims(inputs[0]), len(proto.output) > 1
    return Graph(inputs[0].name, dims, dtype, output, nodes, constants, opset, has_labels)


def _node(proto: Any) -> Node:
    if not proto.output:
        raise DataError(f"the {proto.op_type} node {proto.name!r} has no output")
    names = (proto.domain, proto.op_type, proto.name, *proto.input, *proto.output)
    if not all(isinstance(name, str) for name in names):  # protobuf hands through other bytes
        raise DataError(f"the names {names} are not all text")
    prefix = "" if proto.domain in ("", "ai.onnx", "ai.onnx.ml") else f"{proto.domain}."
    attributes = {each.name: _attribute(each) for each in proto.attribute}
    op = prefix + proto.op_type
    return Node(op, proto.name, tuple(proto.input), tuple(proto.output), attributes)


def _attribute(proto: Any) -> Any:
    """An attribute's value; None for kinds that no layer has, such as graphs."""
    kinds: dict[int, Callable[[], Any]] = {
        1: lambda: proto.f,
        2: lambda: proto.i,
        3: lambda: proto.s.decode(errors="replace"),
        4: lambda: array_of(proto.t),
        6: lambda: list(proto.floats),
        7: lambda: list(proto.ints),
        8: lambda: [each.decode(errors="replace") for each in proto.strings],
    }
    return kinds[proto.type]() if proto.type in kinds else None


def _check_order(nodes: list[Node], known: set[str]) -> None:
    known = known | {""}  # an input that is left out
    for node in nodes:
        for name in node.inputs:
            if name not in known:
                raise DataError(
                    f"the {node} takes {name!r}, which nothing before it gives: the graph misses "
                    "a tensor, or runs in a circle"
                )
        for name in node.outputs:
            if name and name in known:
                raise DataError(f"the {node} gives {name!r}, which is given already")
        known.update(node.outputs)


def _dims(value: Any) -> tuple[int | None, ...]:
    if not value.type.tensor_type.HasField("shape"):
        raise DataError(f"the input {value.name!r} has no shape")
    dims = value.type.tensor_type.shape.dim
    lengths = [each.dim_value if each.WhichOneof("value") == "dim_value" else None for each in dims]
    if len(lengths) < 1 or any(length is not None and length < 1 for length in lengths[1:]):
        raise DataError(f"expected positive lengths of the input {value.name!r}, got {lengths}")
    return tuple(lengths)


def _output(outputs: Any) -> str:
    """The name of the one output that is not labels: those of a classifier are whole or strings."""
    labels = {2, 3, 4, 5, 6, 7, 8, 9, 12, 13}
    names = [each.name for each in outputs if each.type.tensor_type.elem_type not in labels]
    if len(names) != 1:
        raise DataError(f"expected a graph with one output of numbers, got {names}")
    return str(names[0])
