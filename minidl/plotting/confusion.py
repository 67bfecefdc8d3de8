"""Which classes are taken for which."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, ShapeError
from minidl.plotting.canvas import FONT_SIZE, PAGE_WIDTH, font_size, new_figure, readable_on
from minidl.plotting.checks import check_names, real_array
from minidl.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIAGONAL = "0.85"  # grey
SMALLEST_FONT = 4.0  # points; what would be smaller is left out
LARGEST_CELL = 0.46  # inches


def plot_confusion_matrix(
    matrix: ArrayLike, *, class_names: Sequence[object] | None = None, title: str | None = None
) -> "Figure":
    """Draw which classes are taken for which: counts as numbers, error rates as colour.

    A cell off the diagonal is coloured by its share of its row, that is of all samples of that
    true class, on a scale that ends at the worst confusion. The diagonal stays grey: ten to a
    hundred times as large as the errors, it would use up the whole scale. The share of each class
    that is right stands at the end of its row, that of all samples below. Where there are too many
    classes to read them, counts are left out and only every second, third, ... class is named.

    Args:
        matrix: Counts, shape (C, C); row: true class, column: predicted class.
        class_names: C names; 0, 1, ... by default.
        title: A line above the figure.

    Returns:
        A figure with one axes, and a second one for the colour bar if there is any error.

    Raises:
        ShapeError: `matrix` is not square, or empty.
        DTypeError: `matrix` is not of real numbers.
        DataError: An entry is negative or not a whole number.
        ArgumentError: The number of names is not C.
        ImportError: matplotlib is missing.

    Example:
        >>> figure = plot_confusion_matrix([[48, 2], [5, 45]], class_names=["cat", "dog"])
        >>> figure.axes[0].get_ylabel()
        'true'
    """
    counts = _counts(matrix)
    classes = len(counts)
    names = check_names("plot_confusion_matrix", "class_names", class_names, range(classes))
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    errors = 100 * np.where(np.eye(classes, dtype=bool), 0.0, rates)  # per cent

    name_width = 0.09 * max(map(len, names))  # inches
    around = 0.5 + name_width + 0.8 + (0.95 if errors.any() else 0.0)  # ... and colour bar
    cell = min(LARGEST_CELL, max(PAGE_WIDTH - around, 3.0) / classes)
    turned = font_size(max(map(len, names)), cell) < 7
    below = 0.75 + (0.7 * name_width if turned else 0.0)
    side = cell * classes
    figure = new_figure(min(PAGE_WIDTH, around + side), below + side, title)
    axes = figure.add_subplot()
    image = axes.imshow(errors, cmap="OrRd", vmin=0, vmax=errors.max() or 1, origin="upper")
    _write_counts(axes, counts, image.to_rgba(errors), cell)
    _name_classes(axes, names, cell, turned)
    _write_shares(axes, counts)
    if errors.any():
        bar = figure.colorbar(image, ax=axes, aspect=25, pad=0.03, format="{x:g}%")
        bar.set_label("errors: share of the true class", fontsize=FONT_SIZE)
        bar.ax.tick_params(labelsize=FONT_SIZE)
        bar.outline.set_visible(False)
    return figure


def _counts(matrix: ArrayLike) -> Array:
    who = "plot_confusion_matrix"
    counts = real_array(who, "matrix", matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ShapeError(
            f"{who}: expected a matrix of shape (C, C), got {counts.shape}. "
            "Pass what confusion_matrix(y_true, y_pred) returns."
        )
    wrong = np.argwhere(~((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts)))
    if len(wrong):
        i, j = wrong[0]
        raise DataError(
            f"{who}: expected counts (whole numbers from 0 on), got {counts[i, j]} in row {i}, "
            f"column {j}. Pass the matrix as counted, not normalized: the colours do that."
        )
    return counts


def _write_counts(axes: "Axes", counts: Array, colors: Array, cell: float) -> None:
    from matplotlib.patches import Rectangle

    font = font_size(len(f"{counts.max():.0f}"), cell)
    for i, j in np.ndindex(counts.shape):
        if i == j:
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, color=DIAGONAL, lw=0))
        if font >= SMALLEST_FONT:
            axes.text(
                j,
                i,
                f"{int(counts[i, j])}",
                ha="center",
                va="center",
                fontsize=font,
                fontweight="bold" if i == j else "normal",
                color=readable_on(DIAGONAL if i == j else colors[i, j]) if counts[i, j] else "0.4",
            )
    edges = np.arange(len(counts) - 1) + 0.5
    for lines in (axes.hlines, axes.vlines):
        lines(edges, -0.5, len(counts) - 0.5, color="white", lw=min(0.8, 2 * cell))


def _name_classes(axes: "Axes", names: list[str], cell: float, turned: bool) -> None:
    font = min(FONT_SIZE, max(6.0, 72 * cell / 1.3))
    step = math.ceil(font * 1.3 / (72 * cell))
    ticks, names = range(0, len(names), step), names[::step]
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(ticks, names, fontsize=font, **(slanted if turned else {}))
    axes.set_yticks(ticks, names, fontsize=font)
    axes.set_xlabel("predicted", fontsize=FONT_SIZE)
    axes.set_ylabel("true", fontsize=FONT_SIZE)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _write_shares(axes: "Axes", counts: Array) -> None:
    """Write the share that is right beside every named row, and that of all rows below."""
    style: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
    for label in axes.get_yticklabels():
        i = int(label.get_position()[1])
        total = counts[i].sum()
        share = f"{counts[i, i] / total:.1%}" if total else "no rows"
        style["fontsize"] = label.get_fontsize()
        beside = axes.get_yaxis_transform()
        axes.annotate(share, (1, i), (4, 0), xycoords=beside, va="center_baseline", **style)
    style.update(fontsize=FONT_SIZE, xycoords="axes fraction")
    overall = np.trace(counts) / max(counts.sum(), 1)
    axes.annotate("correct", (1, 1), (4, 4), va="bottom", **style)
    axes.annotate(f"all {overall:.1%}", (1, 0), (4, -4), va="top", **style)
