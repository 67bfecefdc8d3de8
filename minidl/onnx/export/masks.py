"""Masks in a graph: where they come from, how far they go, and the nodes that compute them.

The way of a mask depends on layers and shapes alone, so it is worked out without nodes; these are
made where a layer takes the mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from minidl.containers import Parallel, Residual
from minidl.containers.masks import steps_last
from minidl.containers.nesting import innermost_layers
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import Embedding, Masking
from minidl.layers.base import Layer
from minidl.onnx.export.graph import Graph, Value
from minidl.typing import Shape

Mask = tuple[tuple[Layer, Value], ...]  # layers and their inputs: steps count that none hides
MANY_STEPS = 2**10 * 3**4 * 5**2 * 7 * 11  # of an open axis: more than a window, and divisible


def mask_behind(layer: Layer, x: Value, mask: Mask) -> Mask:
    """The mask for the next layer."""
    mask = tuple(dict.fromkeys([*mask, *_own_mask(layer, x)]))
    return mask if steps_stay([layer]) else ()


def _own_mask(layer: Layer, x: Value) -> Mask:
    """What a layer says of the steps of its input."""
    if isinstance(layer, Residual | Parallel):
        heard = layer.children if isinstance(layer, Parallel) else layer.children[:1]
        branches = [innermost_layers(branch) for branch in heard]
        return tuple(
            part for layers in branches if steps_stay(layers) for part in _own_mask(layers[0], x)
        )
    return ((layer, x),) if layer.makes_mask and layer.input_shape else ()


def steps_stay(layers: Sequence[Layer]) -> bool:
    """Whether the steps of the first layer's input are those of the last layer's output."""
    shape: Shape = layers[0].input_shape
    if shape[:1] == (None,):
        shape = (MANY_STEPS, *shape[1:])
    try:
        return steps_last(layers, shape)
    except ShapeError:  # from a Reshape to steps of another size, which does not divide so many
        return False


def computed_mask(graph: Graph, mask: Mask) -> str | None:
    """Name of the mask (N, T) as a tensor; None where all steps count."""
    parts = [_counting_steps(graph, layer, x) for layer, x in mask]
    return reduce(lambda a, b: graph.op("And", a, b), parts).name if parts else None


def _counting_steps(graph: Graph, layer: Layer, x: Value) -> Value:
    """What `compute_mask` of Embedding and Masking says, in nodes that are made once."""
    known = graph.masks.get((layer, x))
    if known is None:
        with graph.inside(layer):
            known = graph.masks[layer, x] = _new_mask(graph, layer, graph.natural(x))
    return known


def _new_mask(graph: Graph, layer: Layer, x: Value) -> Value:
    from onnx import TensorProto

    if isinstance(layer, Masking):
        filler: float | None = layer.mask_value
    elif isinstance(layer, Embedding):
        filler = layer.padding_index
    else:
        raise ArgumentError(
            f"export_onnx: {layer.where}: its mask has no translation to ONNX. Put a Masking layer "
            "in front, or an Embedding with padding_index."
        )
    equal = graph.op("Equal", x, graph.constant("filler", filler))
    counts = graph.op("Not", equal, order=(0, 1))
    if len(x.order) == 2:
        return counts
    axes = graph.constant("axes", np.arange(2, len(x.order)))
    numbers = graph.op("Cast", counts, to=TensorProto.INT32)
    largest = graph.op("ReduceMax", numbers, axes, keepdims=0, order=(0, 1))
    return graph.op("Cast", largest, to=TensorProto.BOOL)
