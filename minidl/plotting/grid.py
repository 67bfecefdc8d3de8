"""Many images of one size in rows and columns, a label above each."""

import math
from typing import TYPE_CHECKING

import numpy as np

from minidl.errors import ArgumentError
from minidl.plotting.canvas import PAGE_WIDTH, font_size, new_figure
from minidl.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST_IMAGE = 1.15  # inches
LINE_HEIGHT = 0.17  # inches, of a label


def image_grid(
    who: str,
    images: Array,
    labels: list[str] | None,
    columns: int,
    *,
    title: str | None,
    cmap: str,
    limits: tuple[float, float],
    beside: float = 0.0,
    note: str = "",
) -> "tuple[Figure, Axes]":
    """Draw images (N, H, W), all on one scale, with a note below them and free inches beside them.

    All go into one axes, with `axes.images[i]` and `axes.texts[i]` in their order: to lay out an
    axes for each of a hundred images takes seconds. The unit of the axes is an image's width.
    """
    if not isinstance(columns, int | np.integer) or columns < 1:
        raise ArgumentError(
            f"{who}: expected columns as a whole number from 1 on, got {columns!r}. Try columns=5."
        )
    n, height, width = images.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    pitch = 1.1
    inch = 1 / min(LARGEST_IMAGE, (PAGE_WIDTH - beside) / (pitch * columns))
    texts = labels or [""] * n
    lines = [line for text in texts for line in text.split("\n")]
    font = font_size(max(map(len, lines)), pitch / inch)
    label_height = LINE_HEIGHT * inch * (1 + max(text.count("\n") for text in texts))
    top_of_image = label_height if labels else 0.0
    row_pitch = top_of_image + height / width + 0.1 * inch
    right, bottom = columns * pitch - 0.05, rows * row_pitch - 0.05 * inch
    size = pitch * columns / inch + beside, bottom / inch + 0.1
    figure = new_figure(*size, title, note=note)
    axes = figure.add_subplot()
    for i, (image, text) in enumerate(zip(images, texts, strict=True)):
        left, top = i % columns * pitch, i // columns * row_pitch + top_of_image
        axes.imshow(
            image,
            cmap=cmap,
            vmin=limits[0],
            vmax=limits[1],
            origin="upper",
            interpolation="nearest",
            extent=(left, left + 1, top + height / width, top),
        )
        axes.text(left + 0.5, top - 0.03 * inch, text, ha="center", va="bottom", fontsize=font)
    axes.set(xlim=(-0.05, right), ylim=(bottom, -0.03 * inch), aspect="equal")
    axes.set_axis_off()
    return figure, axes
