"""Numbers in grids: an image, a kernel, and what one makes of the other."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from docs.pictures.colours import AMBER, INK
from docs.pictures.images import signed


def grid(axes: Axes, values: np.ndarray, title: str, limit: float | None = None) -> None:
    """Draw a matrix (H, W) as tinted squares that hold its numbers; NaN is left empty."""
    shown = np.nan_to_num(values)
    signed(axes, 0.55 * shown, limit or float(np.abs(shown).max()))
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            axes.text(column, row, f"{value:g}", ha="center", va="center", color=INK, fontsize=9)
    axes.set_title(title)


def frame(axes: Axes, row: int, column: int, height: int, width: int) -> None:
    """Draw a frame around some squares of a grid."""
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=AMBER, linewidth=2.5))
