"""Operations on constants, which exporters use to compute shapes, and to store weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from minidl.errors import DataError
from minidl.onnx.importing.graph import Node
from minidl.onnx.importing.layout import Open
from minidl.onnx.importing.signals import Filled, Signal, Value
from minidl.onnx.importing.tensors import DTYPES
from minidl.typing import Array

MOST_ELEMENTS = 4096  # of results that no tensor of the file holds; shapes have some five


def shape_vector(node: Node, signal: Signal) -> Array:
    """`Shape`: the lengths of an ONNX tensor's axes, with open ones as such."""
    lengths = signal.lengths[node.attributes.get("start", 0) : node.attributes.get("end")]
    is_open = any(isinstance(length, Open) for length in lengths)
    return np.array(lengths, object if is_open else np.int64)


def folded(node: Node, inputs: Sequence[Value | None]) -> Value:
    """The result of an operation whose inputs are all constants."""
    first = inputs[0] if inputs else None
    if node.op == "Constant":
        return _constant(node)
    if node.op == "ConstantOfShape":
        return _filled(node, first)
    if isinstance(first, Filled) and node.op in KEEP_FILLED:
        return first
    if node.op == "Expand" and isinstance(first, np.ndarray) and first.size:
        if (first != first.flat[0]).any():
            raise DataError("it repeats different numbers, which no weight of minidl is")
        return Filled(float(first.flat[0]))
    arrays = [each for each in inputs if isinstance(each, np.ndarray)]
    if node.op not in FOLDS or len(arrays) != len(inputs):
        raise DataError(f"minidl has no layer for {node.op}, and cannot compute it of constants")
    if node.op not in VIEWS and sum(each.size for each in arrays) > MOST_ELEMENTS:
        raise DataError(f"it computes with constants of more than {MOST_ELEMENTS} elements")
    if node.op in ARITHMETIC and any(isinstance(n, Open) for each in arrays for n in each.flat):
        raise DataError("it computes with a length that the file leaves open")
    return np.asarray(FOLDS[node.op](node, arrays))


def _filled(node: Node, shape: Value | None) -> Value:
    value = node.attributes.get("value", np.zeros(1, np.float32)).flat[0]
    is_small = isinstance(shape, np.ndarray) and shape.dtype.kind in "iu" and shape.size < 16
    lengths = whole_numbers(shape) if is_small else []
    if not is_small or math.prod(lengths) > MOST_ELEMENTS or min(lengths, default=1) < 1:
        return Filled(float(value))
    return np.full(lengths, value)


def _constant(node: Node) -> Array:
    if len(node.attributes) != 1:
        raise DataError("it has no value, or several")
    (value,) = node.attributes.values()
    if isinstance(value, int | float | list) and "string" not in next(iter(node.attributes)):
        kind = float if "float" in next(iter(node.attributes)) else int
        return np.array(value, np.float32 if kind is float else np.int64)
    if not isinstance(value, np.ndarray):
        raise DataError("its value is not numbers")
    return value


def axes_argument(node: Node, inputs: Sequence[Value | None]) -> list[int] | None:
    """The axes of Squeeze, Unsqueeze and reductions: an attribute once, an input in newer files."""
    if "axes" in node.attributes:
        return [int(axis) for axis in node.attributes["axes"]]
    return whole_numbers(inputs[1]) if len(inputs) > 1 and inputs[1] is not None else None


def whole_numbers(value: Value | None) -> list[int]:
    """A constant of a few whole numbers as a list."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.size > 64:
        raise DataError("expected a few whole numbers that the file fixes, got something else")
    return [int(each) for each in value.ravel()]


def _slice(node: Node, arrays: Sequence[Array]) -> Array:
    x, *bounds = arrays
    if not bounds:
        bounds = [np.array(node.attributes[name]) for name in ("starts", "ends")]
        bounds.append(np.array(node.attributes.get("axes", range(len(bounds[0])))))
    starts, ends, *more = map(whole_numbers, bounds)
    axes = more[0] if more else list(range(len(starts)))
    steps = more[1] if len(more) > 1 else [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        x = x[(slice(None),) * (axis % x.ndim) + (slice(start, end, step),)]
    return x


def _cast(node: Node, arrays: Sequence[Array]) -> Array:
    kind = node.attributes.get("to")
    if arrays[0].dtype == object:  # lengths, of which some are open
        return arrays[0]
    if kind not in DTYPES:
        raise DataError(f"it converts to type {kind}, which minidl does not have")
    return arrays[0].astype(DTYPES[kind])


def _unsqueeze(node: Node, arrays: Sequence[Array]) -> Array:
    axes = axes_argument(node, arrays) or []
    return np.expand_dims(arrays[0], tuple(axes))


def _squeeze(node: Node, arrays: Sequence[Array]) -> Array:
    axes = axes_argument(node, arrays)
    return np.squeeze(arrays[0], None if axes is None else tuple(axes))


Fold = Callable[[Node, Sequence[Array]], Array]
VIEWS: dict[str, Fold] = {  # which take no memory of their own, or as much as their input
    "Identity": lambda node, arrays: arrays[0],
    "Cast": _cast,
    "Reshape": lambda node, arrays: arrays[0].reshape(whole_numbers(arrays[1])),
    "Transpose": lambda node, arrays: arrays[0].transpose(node.attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Slice": _slice,
}
ARITHMETIC: dict[str, Fold] = {
    "Add": lambda node, arrays: arrays[0] + arrays[1],
    "Sub": lambda node, arrays: arrays[0] - arrays[1],
    "Mul": lambda node, arrays: arrays[0] * arrays[1],
    "Div": lambda node, arrays: (
        arrays[0] / arrays[1] if arrays[0].dtype.kind == "f" else arrays[0] // arrays[1]
    ),
    "Less": lambda node, arrays: arrays[0] < arrays[1],
    "Greater": lambda node, arrays: arrays[0] > arrays[1],
    "And": lambda node, arrays: arrays[0] & arrays[1],
    "Neg": lambda node, arrays: -arrays[0],
    "Sqrt": lambda node, arrays: np.sqrt(arrays[0]),
    "Reciprocal": lambda node, arrays: 1 / arrays[0],
}
FOLDS: dict[str, Fold] = {
    **VIEWS,
    **ARITHMETIC,
    "Gather": lambda node, arrays: arrays[0].take(
        np.asarray(arrays[1], np.int64), axis=node.attributes.get("axis", 0)
    ),
    "Concat": lambda node, arrays: np.concatenate(arrays, axis=node.attributes.get("axis", 0)),
}
KEEP_FILLED = {*VIEWS, "CastLike", "Expand", "Gather"}
