"""A model as a table: layers, output shapes, numbers of parameters and bytes."""

from __future__ import annotations

from collections.abc import Iterator

from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape

Row = tuple[str, str, str, str]


def summary_text(model: Layer) -> str:
    """Return the table that `model.summary()` prints.

    Args:
        model: A built layer.

    Raises:
        StateError: If the model is not built.
    """
    rows = [("layer", "output shape", "parameters", "bytes"), *_rows(model, "", 0)]
    totals = ("total", "", f"{model.params.size:,}", f"{model.params.nbytes:,}")
    widths = [max(len(row[i]) for row in [*rows, totals]) for i in range(4)]
    rule = "-" * (sum(widths) + 6)
    lines = [_line(row, widths) for row in rows]
    title = f"{type(model).__name__}: input {batch_shape(model.input_shape)}, {model.dtype}"
    parts = [title, rule, lines[0], rule, *lines[1:], rule, _line(totals, widths)]
    mask = model.trainable_mask
    if mask is not None:
        parts.append(f"of these frozen: {int((mask == 0).sum()):,}")
    if model.state.size:
        parts.append(f"state beside the parameters: {model.state.size:,} numbers")
    return "\n".join(parts)


def _rows(layer: Layer, index: str, depth: int) -> Iterator[Row]:
    if not layer.children or depth or layer.bound.plan.specs:
        bound = layer.bound
        own = sum(spec.size for spec in bound.plan.specs)
        name = type(layer).__name__ if layer.children else repr(layer)
        frozen = "" if layer.trainable else ", frozen"
        indent = "  " * max(depth - 1, 0)
        counts = (f"{own:,}", f"{own * layer.dtype.itemsize:,}") if own else ("", "")
        label = f"{indent}{index} {name}{frozen}".rstrip()
        yield (label.strip() if not index else label, batch_shape(bound.output_shape), *counts)
    for number, child in enumerate(layer.children):
        yield from _rows(child, str(number), depth + 1)


def _line(row: Row, widths: list[int]) -> str:
    name, shape, parameters, size = row
    cells = [name.ljust(widths[0]), shape.ljust(widths[1])]
    cells += [parameters.rjust(widths[2]), size.rjust(widths[3])]
    return "  ".join(cells).rstrip()
