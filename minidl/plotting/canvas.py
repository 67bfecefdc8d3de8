"""The empty figure that every plot starts from, and the sizes and colours that all share."""

import io
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_WIDTH = 6.5
"""Inches: the text width of a printed page, and the widest figure that is drawn."""

BLUE, VERMILION = "#0072B2", "#D55E00"
"""Told apart by all forms of colour blindness (Okabe and Ito, 2008, Color Universal Design)."""

FONT_SIZE = 9.0
"""Points, for everything but figure titles."""


def new_figure(
    width: float,
    height: float,
    title: str | None,
    *,
    note: str = "",
    layout: Literal["constrained", "compressed"] = "compressed",
) -> "Figure":
    """Return an empty figure for content of so many inches.

    A title above and a note below add their height, and make a narrow figure wide enough for them.
    `layout` is matplotlib's: "compressed" where axes have a fixed aspect, else "constrained".
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "minidl.plotting: expected matplotlib, got an environment without it. "
            "Install it: pip install minidl[plot]"
        ) from error
    heading = title.split("\n") if title else []
    wanted = max(0.1 * max(map(len, heading), default=0), 0.08 * len(note))
    width = max(width, min(wanted, PAGE_WIDTH))
    height += 0.12 * bool(title) + 0.18 * len(heading) + 0.25 * bool(note)
    figure = Figure((width, height), dpi=150, layout=layout)
    if title:
        figure.suptitle(title, fontsize=11)
    if note:
        figure.supxlabel(note, fontsize=FONT_SIZE)
    # Notebooks draw a Figure only after %matplotlib inline or a pyplot figure; all draw this.
    vars(figure)["_repr_png_"] = partial(png, figure)
    return figure


def png(figure: "Figure") -> bytes:
    """Return the figure as the content of a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def font_size(characters: int, inches: float) -> float:
    """Return the points at which so many characters fit into a width, at most `FONT_SIZE`.

    A bold digit of matplotlib's default font is 0.7 of its size wide. A tenth stays free.
    """
    return min(FONT_SIZE, 72 * 0.9 * inches / (0.7 * max(characters, 1)))


def readable_on(background: Any) -> str:
    """Return black or white, whichever has the higher contrast (WCAG 2.1) to the background."""
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(background))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"
