"""Losses of two parameters as contour lines, and the paths of optimizers on them."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from docs.pictures.colours import FAINT, INK


def contours(
    axes: Axes,
    loss: Callable[[np.ndarray], np.ndarray],
    across: tuple[float, float],
    up: tuple[float, float],
    levels: np.ndarray,
) -> None:
    """Draw the lines on which the loss has these values; it is called with points (2, H, W)."""
    grid = np.meshgrid(np.linspace(*across, 80), np.linspace(*up, 80))
    axes.contour(*grid, loss(np.array(grid)), levels=levels, colors=FAINT, linewidths=0.4)
    axes.set(xlim=across, ylim=up)


def path(
    axes: Axes, points: np.ndarray, colour: str, *, label: str = "", dots: bool = True
) -> None:
    """Draw the points (K, 2) that an optimizer came by; the first is a ring."""
    marker = {"marker": "o", "markersize": 2} if dots else {}
    axes.plot(*points.T, color=colour, linewidth=1.1, label=label, **marker)
    axes.plot(*points[0], "o", markersize=5, markerfacecolor="none", markeredgecolor=INK)
