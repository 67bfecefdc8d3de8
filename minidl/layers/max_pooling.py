"""The largest pixel of each window, and whose it was: what max pooling computes."""

from __future__ import annotations

import numpy as np

from minidl.layers.pooling import Windows
from minidl.typing import Array


def max_forward(x: Array, windows: Windows, y: Array, training: bool) -> Array | None:
    """Write the largest pixel of each window to y; in training, return whose it is.

    Places are visited from last to first, so that of equal pixels the first one wins. What is
    returned counts them in that order.
    """
    winners = None
    (pixels, having), *others = reversed(windows.places)
    y.fill(-np.inf)
    y[having] = x[pixels]
    if training:
        winners = np.zeros_like(y, np.min_scalar_type(len(others)))  # uint8 for most windows
    for place, (pixels, having) in enumerate(others, 1):
        candidate, largest = x[pixels], y[having]
        if winners is not None:
            wins = (candidate >= largest).view(np.uint8)
            winner = winners[having]
            np.maximum(winner, np.multiply(wins, place, dtype=winners.dtype), out=winner)
        np.maximum(largest, candidate, out=largest)
    return winners


def max_backward(dy: Array, windows: Windows, winners: Array, dx: Array) -> Array:
    """Give the gradient of each window to the pixel that was its largest."""
    if not (windows.apart and windows.cover):
        dx.fill(0)
    for place, (pixels, having) in enumerate(reversed(windows.places)):
        won = winners[having] == place
        if windows.apart:
            np.multiply(dy[having], won, out=dx[pixels])
        else:
            dx[pixels] += dy[having] * won
    return dx
