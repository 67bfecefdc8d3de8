"""How a network is laid out: from top to bottom, branches side by side, frames around containers.

Every part is a `Block` that knows its size and the horizontal place of its way in and out; a larger
part puts blocks together without knowing what is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minidl.containers.bidirectional import Bidirectional
from minidl.containers.nesting import computes_like, computes_like_sequential
from minidl.containers.parallel import Parallel
from minidl.containers.residual import Residual
from minidl.diagram.svg import (
    CHARACTER,
    LINE,
    SVG,
    arrow,
    box,
    document,
    escape,
    frame,
    line,
    text,
)
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape

GAP, PAD, MARGIN = 22.0, 10.0, 16.0  # between boxes, inside them, around the drawing
LONGEST = 54  # characters of a layer's options that are shown; all of them are in a tooltip


@dataclass
class Block:
    """A part of the drawing, from its own (0, 0); `axis` is where its arrows go in and out."""

    content: str
    width: float
    height: float
    axis: float

    def at(self, x: float, y: float) -> str:
        """The part, moved to a place."""
        return f'<g transform="translate({x:g} {y:g})">{self.content}</g>\n'


def draw_network(model: Layer) -> SVG:
    """Return the picture that `model.plot()` gives.

    Args:
        model: A built layer.

    Raises:
        StateError: If the model is not built.
    """
    start = _pill(f"input {batch_shape(model.bound.input_shape)} {model.dtype}")
    parts = model.children if computes_like_sequential(model) else [model]
    whole = _stacked([start, *map(_block, parts)])
    total = f"{model.params.size:,} parameters"
    width = max(whole.width, len(total) * CHARACTER) + 2 * MARGIN
    height = whole.height + LINE + 2 * MARGIN
    left = (width - whole.width) / 2
    content = whole.at(left, MARGIN) + text(left + whole.axis, height - MARGIN, total, faint=True)
    names = ", ".join(
        f"{name} {batch_shape(each.bound.output_shape)}" for name, each in model.named_layers()
    )
    title = f"{type(model).__name__}: {total}"
    return document(content, width, height, title, names)


def _block(layer: Layer) -> Block:
    if computes_like_sequential(layer):
        return _framed(layer, _stacked([_block(child) for child in layer.children]))
    if computes_like(layer, Parallel):
        return _framed(layer, _side_by_side(layer.children, layer.merge))  # type: ignore[attr-defined]
    if computes_like(layer, Residual):
        return _framed(layer, _side_by_side([*layer.children, None][:2], "add"))
    if computes_like(layer, Bidirectional):
        return _framed(layer, _side_by_side(layer.children, "concat"))
    if layer.children:  # a container of the user's: what flows where is not known
        return _framed(layer, _stacked([_block(child) for child in layer.children], arrows=False))
    return _leaf(layer)


def _leaf(layer: Layer) -> Block:
    name, own = " ".join(repr(layer).split()), layer.bound.gradients.values()
    shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    details = batch_shape(layer.bound.output_shape)
    if n := sum(gradient.size for gradient in own):
        details += f" · {n:,} parameters"
    if layer.frozen and n:
        details += ", frozen"
    width = max(len(shown), len(details)) * CHARACTER + 2 * PAD
    height, axis = 2 * LINE + PAD, width / 2
    content = (
        f"<title>{escape(name)}</title>"
        + box(0, 0, width, height, dashed=layer.frozen and n > 0)
        + text(axis, LINE, shown)
        + text(axis, 2 * LINE, details, faint=True)
    )
    return Block(f"<g>{content}</g>", width, height, axis)


def _pill(label: str) -> Block:
    """A box for something that is no layer."""
    width, height = len(label) * CHARACTER + 2 * PAD, LINE + 6
    content = frame(width, height, dashed=False) + text(width / 2, LINE, label)
    return Block(content, width, height, width / 2)


def _framed(layer: Layer, inside: Block) -> Block:
    """A container's name and output shape above what is in it, and a frame around both."""
    label = f"{type(layer).__name__} {batch_shape(layer.bound.output_shape)}"
    if not layer.trainable:
        label += ", frozen"
    label_end = 2 * PAD + len(label) * CHARACTER
    left = max(PAD, label_end - inside.axis)  # the way in runs beside the name
    width, height = left + inside.width + PAD, 2 * PAD + LINE + inside.height
    top, axis = LINE + PAD, left + inside.axis
    content = frame(width, height, dashed=not layer.trainable)
    content += text(PAD, LINE, label, anchor="start", faint=True) + inside.at(left, top)
    content += line((axis, 0), (axis, top))
    content += line((axis, height - PAD), (axis, height))
    return Block(content, width, height, axis)


def _stacked(blocks: Sequence[Block], *, arrows: bool = True) -> Block:
    """Blocks below each other, on one axis."""
    axis = max(block.axis for block in blocks)
    width = axis + max(block.width - block.axis for block in blocks)
    content, y = "", 0.0
    for index, block in enumerate(blocks):
        if index:
            content += arrow((axis, y), (axis, y + GAP)) if arrows else ""
            y += GAP
        content += block.at(axis - block.axis, y)
        y += block.height
    return Block(content, width, y, axis)


def _side_by_side(branches: Sequence[Layer | None], merge: str) -> Block:
    """Branches next to each other, of which None is a bare line, and what makes one of them."""
    blocks = [_branch(branch) for branch in branches]
    places, x = [], 0.0
    for block in blocks:
        places.append(x + block.axis)
        x += block.width + GAP
    width = x - GAP
    node = _pill(merge)
    axis = (places[0] + places[-1]) / 2
    shift = max(node.axis - axis, 0.0)
    width = max(width, axis + node.axis) + shift
    axis, places = axis + shift, [place + shift for place in places]
    bottom = GAP / 2 + GAP + max(block.height for block in blocks) + GAP
    middle, height = bottom + node.height / 2, bottom + node.height
    content = line((axis, 0), (axis, GAP / 2))
    content += line((places[0], GAP / 2), (places[-1], GAP / 2))
    for block, place in zip(blocks, places, strict=True):
        top = GAP / 2 + GAP
        content += (
            arrow((place, GAP / 2), (place, top))
            if block.height
            else line((place, GAP / 2), (place, top))
        )
        content += block.at(place - block.axis, top)
        end = top + block.height
        if place == axis:
            content += arrow((place, end), (place, bottom))
        else:
            side = axis - node.axis if place < axis else axis + node.axis
            if (place < axis) == (side < place):  # the pill is wider than the way to it
                content += arrow((place, end), (place, bottom))
            else:
                content += arrow((place, end), (place, middle), (side, middle))
    return Block(content + node.at(axis - node.axis, bottom), width, height, axis)


def _branch(layer: Layer | None) -> Block:
    if layer is None:
        return Block("", 2 * PAD, 0.0, PAD)
    if computes_like_sequential(layer):  # whose frame would only repeat the branch's own place
        return _stacked([_block(child) for child in layer.children])
    return _block(layer)
