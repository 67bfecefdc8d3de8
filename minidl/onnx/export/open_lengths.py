"""Padding "same" of sequences whose length is open."""

from __future__ import annotations

from minidl.layers.windows import Geometry
from minidl.onnx.export.graph import Graph, Value


def padded(graph: Graph, x: Value, at: Geometry, filler: float) -> Value:
    """The sequences (N, C, T) with as much around them as `pad_widths` gives for their length.

    For windows with gaps between them or inside, where runtimes lack the rule of the operators.
    """
    (stride,), (extent,) = at.stride, at.spans
    one, two = (graph.constant(word, [number]) for word, number in (("one", 1), ("two", 2)))
    steps, by = graph.op("Shape", x, start=2, end=3), graph.constant("stride", [stride])
    windows = graph.op("Div", graph.op("Sub", steps, one), by)  # without the last
    rest = graph.op("Sub", steps, graph.op("Mul", windows, by))
    missing = graph.op("Sub", graph.constant("extent", [extent]), rest)
    missing = graph.op("Max", missing, graph.constant("none", [0]))
    front = graph.op("Div", missing, two)
    behind = graph.op("Sub", missing, front)
    # all three axes: with fewer, which are allowed, onnxruntime's optimizer reads past the end
    others = graph.constant("others", [0, 0])
    pads = graph.op("Concat", others, front, others, behind, axis=0)
    return graph.op("Pad", x, pads, graph.constant("filler", filler))
