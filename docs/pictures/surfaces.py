"""Two classes in the plane, and what a classifier makes of them."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from docs.pictures.colours import AMBER, BLUE, INK, PAPER

LEVELS = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]
SHADES = [
    to_rgba(colour, strength)
    for colour, strengths in ((AMBER, (0.5, 0.3, 0.12)), (BLUE, (0.12, 0.3, 0.5)))
    for strength in strengths
]


def surface(
    axes: Axes,
    probability: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    limit: float = 1.5,
) -> None:
    """Shade the plane by the probability of class 1 and draw the points: blue is 1, amber 0.

    Args:
        axes: Where to draw.
        probability: Takes points (N, 2), gives values in 0..1 (N,).
        x: The data's points (N, 2).
        y: Their labels (N,), 0 or 1.
        limit: Both axes go from minus this to this.
    """
    ticks = np.linspace(-limit, limit, 61)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    values = probability(grid.astype(np.float32)).reshape(61, 61)
    axes.contourf(ticks, ticks, values, levels=LEVELS, colors=SHADES)
    if values.min() < 0.5 < values.max():
        axes.contour(ticks, ticks, values, levels=[0.5], colors=INK, linewidths=1.2)
    for label, colour, marker in ((0, AMBER, "^"), (1, BLUE, "o")):
        chosen = x[y == label]
        axes.plot(*chosen.T, marker, ms=3.5, mfc=colour, mec=PAPER, mew=0.4)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
