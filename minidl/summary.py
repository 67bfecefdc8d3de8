"""A model as a table: layers, output shapes, numbers of parameters and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape

Row = tuple[str, str, str, str]

HEADINGS: Row = ("layer", "output shape", "parameters", "bytes")


def summary_text(model: Layer) -> str:
    """Return the table that `model.summary()` prints.

    Args:
        model: A built layer.

    Raises:
        StateError: If the model is not built.
    """
    rows = [HEADINGS, *_rows(model, "", 0), _totals(model)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    rule = "-" * (sum(widths) + 6)
    headings, *lines, totals = (_line(row, widths) for row in rows)
    return "\n".join([_title(model), rule, headings, rule, *lines, rule, totals, *_remarks(model)])


def summary_html(model: Layer) -> str:
    """Return the same as a table of HTML, as a notebook shows it; of an unbuilt model its repr."""
    if not model.built:
        return f"<pre>{escape(repr(model))}</pre>"
    cells = [_html_row(row, "td") for row in _rows(model, "", 0)]
    head, foot = _html_row(HEADINGS, "th"), _html_row(_totals(model), "th")
    remarks = "".join(f"<div>{escape(remark)}</div>" for remark in _remarks(model))
    return (
        f"<div><strong>{escape(_title(model))}</strong><table><thead>{head}</thead>"
        f"<tbody>{''.join(cells)}</tbody><tfoot>{foot}</tfoot></table>{remarks}</div>"
    )


def _title(model: Layer) -> str:
    return f"{type(model).__name__}: input {batch_shape(model.input_shape)}, {model.dtype}"


def _totals(model: Layer) -> Row:
    return ("total", "", f"{model.params.size:,}", f"{model.params.nbytes:,}")


def _remarks(model: Layer) -> Iterator[str]:
    mask = model.trainable_mask
    if mask is not None:
        yield f"of these frozen: {int((mask == 0).sum()):,}"
    if model.state.size:
        yield f"state beside the parameters: {model.state.size:,} numbers"


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


def _html_row(row: Row, tag: str) -> str:
    """A row of a table: names on the left with their indents, numbers on the right."""
    cells = []
    for side, cell in zip(("left", "left", "right", "right"), row, strict=True):
        style = f"text-align:{side};white-space:pre-wrap;padding:2px 8px"
        cells.append(f'<{tag} style="{style}">{escape(cell)}</{tag}>')
    return f"<tr>{''.join(cells)}</tr>"
