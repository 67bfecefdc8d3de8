"""docs/pictures/lighter.py: a drawing says the same in fewer bytes."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from docs.pictures.lighter import lighter


def png(image: np.ndarray) -> str:
    """Return an RGBA image (H, W, 4) as base64."""
    written = io.BytesIO()
    Image.fromarray(image).save(written, "png")
    return base64.b64encode(written.getvalue()).decode()


def test_corners_on_a_straight_line_go_and_others_stay() -> None:
    path = '<path d="M 0 0 L 1 1 L 2 2.01 L 3 3 L 3 9 L 3 5 L 4 5 z " style="fill: red"/>'
    assert lighter(path) == '<path d="M0 0L3 3L3 9L3 5L4 5z" style="fill:red"/>'


def test_a_slow_curve_is_not_taken_for_a_line() -> None:
    angles = np.linspace(0, np.pi, 181)
    corners = [f"{100 * np.cos(a):.2f} {100 * np.sin(a):.2f}" for a in angles]
    drawn = lighter(f'<path d="M {" L ".join(corners)}" style="fill: none; stroke: red"/>')
    kept = np.array(re.findall(r"([-\d.]+) ([-\d.]+)", drawn), float)
    middles = (kept[1:] + kept[:-1]) / 2
    assert len(kept) < 120
    assert np.abs(np.hypot(*middles.T) - 100).max() < 0.1


def test_letters_keep_their_zeros_and_numbers_in_tags_lose_them() -> None:
    tag = '<text style="font-size: 9.0px" x="3.10" y="4.00" transform="rotate(-0 3.10 4.00)">'
    assert lighter(f"{tag}1.50</text>") == '<text style="font-size:9px" x="3.1" y="4">1.50</text>'


def test_a_style_that_is_shared_stands_once_in_its_place() -> None:
    mark = '<use xlink:href="#m" x="{}.00" y="2.00" style="fill: {}"/>'
    drawn = lighter(
        f"<g> {mark.format(1, 'red')} {mark.format(2, 'red')} {mark.format(3, 'blue')} </g>"
    )
    red = '<use xlink:href="#m" x="1" y="2"/><use xlink:href="#m" x="2" y="2"/>'
    blue = '<use xlink:href="#m" x="3" y="2" style="fill:blue"/>'
    assert drawn.strip() == f'<g style="fill:red">{red}</g>{blue}'


def test_shapes_that_shine_through_each_other_are_not_grouped() -> None:
    shapes = "".join(
        f'<path d="M {n} 0 L {n} 5" style="opacity: 0.5; stroke: red"/>' for n in (1, 2)
    )
    assert lighter(shapes).count("opacity:0.5") == 2


def test_lines_of_one_style_become_one_path_but_clipped_ones_stay() -> None:
    style = 'style="fill: none; stroke: red"'
    frame = f'<path d="M 0 0 L 0 9" {style}/><path d="M 0 9 L 9 9" {style}/>'
    assert lighter(frame).count("<path") == 1
    clipped = f'<path d="M 0 0 L 0 9" clip-path="url(#c)" {style}/><path d="M 0 9 L 9 9" {style}/>'
    assert lighter(clipped).count("<path") == 2


def test_groups_that_say_something_stay_and_close() -> None:
    drawn = lighter('<svg><g> <g clip-path="url(#c)"> <g/> <text x="1">a</text> </g> </g></svg>')
    assert drawn == '<svg><g clip-path="url(#c)"><text x="1">a</text></g></svg>'
    ElementTree.fromstring(drawn)


@pytest.mark.parametrize("colours", [3, 256, 300])
def test_an_image_has_the_same_pixels(colours: int) -> None:
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (colours, 4), np.uint8)
    image = palette[rng.integers(0, colours, (40, 50))]
    drawn = lighter(f'<image xlink:href="data:image/png;base64,{png(image)}"/>')
    back = base64.b64decode(re.findall(r'base64,([^"]+)', drawn)[0])
    assert np.array_equal(Image.open(io.BytesIO(back)).convert("RGBA"), image)
    assert len(drawn) < len(png(image)) or colours == 300


def test_letters_flow_and_an_exponent_over_an_index_keeps_its_place() -> None:
    spans = ((0, 0, "a"), (7, 0, "A"), (14, 3, "1"), (14.6, -4, "T"), (7, 0, "\u00a0"))
    letters = "".join(
        f'<tspan x="{x}" y="{y}" style="s">{letter}</tspan>' for x, y, letter in sorted(spans)
    )
    drawn = lighter(f"<text> {letters}</text>")
    assert re.findall(r'<tspan( x="[\d.]+")?', drawn) == [' x="0"', "", ' x="14.6"']


def test_signs_between_letters_have_room_and_those_of_an_exponent_do_not() -> None:
    spans = ((0, 0, "a", "i"), (6, 0, "=", "s"), (14, 0, "b", "i"), (20, -4, "\u2212", "s"))
    letters = "".join(f'<tspan x="{x}" y="{y}" style="{s}">{a}</tspan>' for x, y, a, s in spans)
    shown = re.findall(r">([^<]+)</tspan>", lighter(f"<text>{letters}</text>"))
    assert shown == ["a", "\u2009=\u2009", "b", "\u2212"]
