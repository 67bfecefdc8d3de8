"""Products with weights, and the sums and factors behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from minidl.errors import DataError
from minidl.layers import Conv1D, Conv2D, Dense, Embedding, Standardize
from minidl.onnx.importing.arranging import rearranged, with_width
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import axes_of, positions
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Filled, Signal, Step, Value, with_layer
from minidl.typing import Array

MOST_CHANNELS = 2**16  # that get one number of the file each


def matrix(value: Value | None, what: str) -> Array:
    """A constant matrix of floating numbers."""
    if not isinstance(value, np.ndarray) or value.ndim != 2 or value.dtype.kind != "f":
        raise DataError(f"its {what} is not a matrix of weights in the file")
    return value


def gemm(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Gemm`: alpha x W + beta b."""
    options = node.attributes
    if options.get("transA"):
        raise DataError("transA=1 is not what a Dense layer computes")
    weight = matrix(inputs[1] if len(inputs) > 1 else None, "second input")
    weight = weight.T if options.get("transB") else weight
    if options.get("alpha", 1.0) != 1:
        weight = weight * weight.dtype.type(options["alpha"])
    bias = inputs[2] if len(inputs) > 2 else None
    signal = _dense(first_signal(inputs), weight)
    return signal if bias is None else affine(signal, bias, shift=options.get("beta", 1.0))


def matmul(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`MatMul` with a matrix of weights."""
    return _dense(first_signal(inputs), matrix(inputs[1], "second input"))


def _dense(signal: Signal, weight: Array) -> Signal:
    inner = len(signal.axes) - 1
    d, m = weight.shape
    signal = rearranged(signal, inner, rows=True)
    rows = weight[np.argsort(positions(signal.axes[inner], d))]
    layer = Dense(m, use_bias=False)
    return with_layer(signal, layer, {"weight": rows}, with_width(signal, inner, d, m))


def embedding(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Gather` of rows of a matrix by the model's input."""
    weight, words = matrix(inputs[0], "first input"), inputs[1]
    if not isinstance(words, Signal) or node.attributes.get("axis", 0) != 0:
        raise DataError("it is not the choice of a word's vector")
    shape = tuple(None if n is None else n for n in words.shape)
    if words.axes[1:] != tuple(axes_of(shape)):
        raise DataError("the indices are not in the order of the model's input")
    v, m = weight.shape
    wide = [tuple((n, stride * m) for n, stride in axis) for axis in words.axes]
    return with_layer(words, Embedding(v, m), {"weight": weight}, [*wide, *axes_of((m,))])


def affine(
    signal: Signal,
    constant: Value | None,
    *,
    scale: float | None = None,
    shift: float | None = None,
    alone: bool = True,
) -> Signal:
    """Add a constant times `shift` for each feature, or multiply by it to the power of `scale`.

    Where nothing else takes the signal, this goes into the weights of the Dense, convolution or
    normalization that gives it; elsewhere a Standardize does it.
    """
    signal, features = by_feature(signal, constant)
    numbers = features.astype(np.float64)
    if not np.isfinite(numbers).all() or (scale is not None and not numbers.all()):
        raise DataError("it multiplies or divides features by 0, or takes numbers not finite")
    factor = np.ones_like(numbers) if scale is None else numbers**scale
    term = np.zeros_like(numbers) if shift is None else numbers * shift
    layer, old = signal.step.layer, signal.step.values
    new: dict[str, Array] | None = None
    if not alone or not old or any(len(numbers) != each.shape[-1] for each in old.values()):
        pass
    elif isinstance(layer, Dense | Conv1D | Conv2D):
        has_bias = layer.use_bias or shift is not None
        new = _scaled(old, "weight", "bias", factor, term if has_bias else None)
    elif isinstance(layer, Standardize):
        std = old["std"] / factor
        new = {"mean": old["mean"] - term * std, "std": std}
    elif "gamma" in old and ("beta" in old or shift is None):
        new = {**old, **_scaled(old, "gamma", "beta", factor, term if "beta" in old else None)}
    if new is None or layer is None:
        return with_layer(signal, Standardize(), {"mean": -term / factor, "std": 1 / factor})
    options = layer.config() | ({"use_bias": True} if "bias" in new else {})
    return replace(signal, step=Step(type(layer)(**options), signal.step.inputs, values=new))


def _scaled(
    old: Mapping[str, Array], slope: str, intercept: str, factor: Array, term: Array | None
) -> dict[str, Array]:
    """The values of a layer whose output is multiplied, and added to."""
    new = {slope: old[slope]}
    if (factor != 1).any():
        new[slope] = (old[slope] * factor).astype(old[slope].dtype)
    if term is not None:
        new[intercept] = old.get(intercept, 0.0) * factor + term
    return new


def by_feature(signal: Signal, constant: Value | None) -> tuple[Signal, Array]:
    """A constant with one number for each feature, in the order of minidl's last axis."""
    if not isinstance(constant, np.ndarray | Filled):
        raise DataError("its second input is not a constant of the file")
    values = np.asarray(constant.value if isinstance(constant, Filled) else constant)
    rank = len(signal.axes)
    shape = (1,) * (rank - values.ndim) + values.shape
    along = [i for i, length in enumerate(shape) if length != 1]
    if len(shape) > rank or len(along) > 1 or values.dtype.kind not in "fiu":
        raise DataError(f"a constant of shape {values.shape} is not one number a feature")
    if along:
        signal = rearranged(signal, along[0])
        where = positions(signal.axes[along[0]], values.size)
        return signal, values.ravel()[np.argsort(where)]
    if not signal.shape or signal.shape[-1] is None or signal.shape[-1] > MOST_CHANNELS:
        raise DataError("it has one number for more features than files should need")
    return signal, np.full(signal.shape[-1], values.ravel()[0])
