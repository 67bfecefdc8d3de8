"""matplotlib's SVG with the same look in fewer bytes, and formulas set as text is."""

import base64
import io
import math
import re
from itertools import groupby

import numpy as np
from PIL import Image

Point = tuple[float, float]

FLAT = 0.05  # points: nobody sees a corner that is so near to the straight line past it
LINE = re.compile(r"(?P<start>[-\d.]+ [-\d.]+)\s*(?P<rest>(?:L [-\d.]+ [-\d.]+\s*){2,})")
SPAN = re.compile(r'<tspan x="([^"]+)" y="([^"]+)" style="([^"]*)">(.*?)</tspan>', flags=re.S)
PLACE = re.compile(r'( [xy]="-?\d+\.\d)\d+')  # tenths of a point will do for a mark
ZEROS = re.compile(r"\.0+(?!\d)|(?<=\.\d)0(?!\d)")
STYLE = re.compile(r' style="[^"]*"')
STYLED = r'<(?:path|use) [^>]*style="[^"]*"[^>]*/>|<text [^>]*style="[^"]*"[^>]*>[^<]*</text>'


def lighter(svg: str) -> str:
    """Return a drawing, its coordinates rounded already, without what changes nothing in it."""
    svg = re.sub(r'(?<=base64,)[^"]+', lambda png: _with_palette(png[0].strip()), svg)
    svg = re.sub(r'(?<= d=")[^"]+', lambda path: _straightened(path[0]), svg)
    svg = re.sub(r"<text>\s*<tspan.*?</text>", lambda text: _flowing(text[0]), svg, flags=re.S)
    svg = re.sub(r' transform="rotate\(-0 [^)]*\)"|; stroke-linejoin: miter', "", svg)
    svg = svg.replace("image-rendering:crisp-edges;", "")
    svg = re.sub(r"<use [^>]*>", lambda use: PLACE.sub(r"\1", use[0]), svg)
    svg = re.sub(r'<path d="[^"]*" style="fill: none"/>|<defs>\s*</defs>', "", svg)
    svg = re.sub(r"<(?!image)[^>]+>", lambda tag: ZEROS.sub("", tag[0]), svg)
    svg = re.sub(r">\s+<", "><", _without_bare_groups(svg))
    svg = re.sub(rf"(?:{STYLED}){{2,}}", lambda run: _together(run[0]), svg)
    return re.sub(r'style="[^"]*"', lambda style: re.sub(r"(?<=[:;])\s+", "", style[0]), svg)


def _with_palette(png: str) -> str:
    """Return the image (base64) with a palette, if it has few enough colours for one."""
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))
    colours, index = np.unique(image.reshape(-1, 4), axis=0, return_inverse=True)
    if len(colours) > 256:
        return png
    smaller = Image.fromarray(index.reshape(image.shape[:2]).astype(np.uint8), mode="P")
    smaller.putpalette(colours[:, :3].tobytes())
    written = io.BytesIO()
    smaller.save(written, "png", optimize=True, transparency=colours[:, 3].tobytes())
    return min(png, base64.b64encode(written.getvalue()).decode(), key=len)


def _straightened(path: str) -> str:
    """Return the path without the corners that lie on straight lines, and without spaces."""

    def fewer(line: re.Match[str]) -> str:
        corners = re.findall(r"[-\d.]+ [-\d.]+", line[0])
        points = [tuple(map(float, corner.split())) for corner in corners]
        kept, first = [], 0
        for last in range(2, len(points)):
            between = points[first + 1 : last]
            if any(_distance(point, points[first], points[last]) > FLAT for point in between):
                first = last - 1
                kept.append(corners[first])
        return "L".join([corners[0], *kept, corners[-1]])

    return re.sub(r"\s*([A-Za-z])\s*", r"\1", LINE.sub(fewer, path)).strip()


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return how far a point is from the line between two others."""
    (x, y), (x0, y0), (x1, y1) = point, start, end
    squared = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared if squared else 0.0
    along = min(max(along, 0.0), 1.0)
    return math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))


def _flowing(text: str) -> str:
    """Let the letters of a formula follow each other as the page's font wants them.

    matplotlib places each by the widths of its own font. Only what stands above or below something
    else, such as an exponent over an index, keeps its place.
    """
    spans = sorted(SPAN.findall(text), key=lambda span: float(span[0]))
    parts, before = [], -math.inf
    for (y, style), run in groupby(spans, key=lambda span: span[1:3]):
        letters = list(run)
        start = float(letters[0][0])
        place = f' x="{start:g}"' if start - before < 2 or not parts else ""
        before = start
        shown = "".join(letter for *_, letter in letters)
        if parts and y == spans[0][1]:  # signs in an exponent stand close
            shown = re.sub(r"(?<![(\s])([=\u2212+])(?!\s)", "\u2009\\1\u2009", shown)
        parts.append(f'<tspan{place} y="{y}" style="{style}">{shown}</tspan>')
    return f"<text>{''.join(parts)}</text>"


def _together(shapes: str) -> str:
    """Return shapes that follow each other with their style written once for all that share it."""
    parts = []
    for style, run in groupby(re.findall(STYLED, shapes), key=lambda it: STYLE.findall(it)[0]):
        same = list(run)
        alone = len(same) == 1 or re.search('[ "]opacity', style)  # which a group has as a whole
        inner = "".join(same) if alone else "".join(STYLE.sub("", shape) for shape in same)
        if "fill: none" in style and "opacity" not in style:  # then many lines may be one path
            inner = re.sub(r'(?<=[\dz])"/><path d="(?=[^"]*"/>)', "", inner)
        parts.append(inner if alone else f"<g{style}>{inner}</g>")
    return "".join(parts)


def _without_bare_groups(svg: str) -> str:
    """Return the drawing without groups that say nothing about what is in them."""
    told: list[bool] = []

    def kept(tag: re.Match[str]) -> str:
        if tag[0] == "<g/>":
            return ""
        if tag[0] != "</g>":
            told.append(tag[0] != "<g>")
            return tag[0] if told[-1] else ""
        return tag[0] if told.pop() else ""

    return re.sub(r"<g(?: [^>]*)?>|</g>|<g/>", kept, svg)
