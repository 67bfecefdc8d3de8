"""Text of an SVG file, and the few shapes that a diagram is made of."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

from minidl.errors import ArgumentError
from minidl.io.whole_files import make_folder_of, replacing

INK, FAINT, EDGE, FILL = "#1f2328", "#57606a", "#0072b2", "#eef4fa"
CHARACTER, LINE = 7.2, 17.0  # width and height of a character of 12 px, monospaced
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SVG(str):
    """The text of an SVG file; a notebook shows it as a picture.

    Example:
        >>> import minidl as dl
        >>> picture = dl.Sequential([dl.Dense(10), dl.ReLU()]).build((784,)).plot()
        >>> picture.startswith("<svg"), type(picture).__name__
        (True, 'SVG')
    """

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file.

        Args:
            path: A name that ends in .svg.

        Raises:
            ArgumentError: If the name ends otherwise.
        """
        path = Path(path).expanduser()
        if path.suffix.lower() != ".svg":
            raise ArgumentError(
                f"plot: writes SVG, got the name {path.name!r}. Name it {path.stem}.svg; browsers "
                "and LaTeX tools turn it into other formats."
            )
        make_folder_of(path, "plot")
        with replacing(path) as file:
            file.write(self.encode())


def escape(content: str) -> str:
    """Any text as text of XML, which has no form at all for control characters."""
    return html.escape(NOT_XML.sub("\N{REPLACEMENT CHARACTER}", content))


def box(x: float, y: float, width: float, height: float, *, dashed: bool = False) -> str:
    """A filled box with round corners."""
    dashes = ' stroke-dasharray="5 3"' if dashed else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" '
        f'fill="{FILL}" stroke="{EDGE}"{dashes}/>'
    )


def frame(width: float, height: float, *, dashed: bool) -> str:
    """An empty box around others."""
    dashes = ' stroke-dasharray="5 3"' if dashed else ""
    return (
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="none" stroke="{FAINT}" '
        f'stroke-width="0.8"{dashes}/>'
    )


def text(x: float, y: float, content: str, *, anchor: str = "middle", faint: bool = False) -> str:
    """A line of text, as wide as its characters whatever font there is."""
    width = len(content) * CHARACTER
    color = FAINT if faint else INK
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{color}" '
        f'textLength="{width:g}" lengthAdjust="spacingAndGlyphs">{escape(content)}</text>'
    )


def line(*points: tuple[float, float]) -> str:
    """A line through points."""
    corners = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{corners}" fill="none" stroke="{FAINT}"/>'


def arrow(*points: tuple[float, float]) -> str:
    """A line through points with a head at the last one; its last piece is straight."""
    (x0, _), (x, y) = points[-2:]
    if x == x0:
        head = (x - 3.5, y - 7), (x + 3.5, y - 7)
    else:
        back = x - 7 if x > x0 else x + 7
        head = (back, y - 3.5), (back, y + 3.5)
    corners = " ".join(f"{a:g},{b:g}" for a, b in [(x, y), *head])
    return line(*points) + f'<polygon points="{corners}" fill="{FAINT}"/>'


def document(content: str, width: float, height: float, title: str, description: str) -> SVG:
    """A whole file: drawn on white, so that it can be read on a dark page, too."""
    return SVG(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        f'<rect width="{width:g}" height="{height:g}" rx="6" fill="#ffffff"/>\n'
        f"{content}\n</svg>\n"
    )
