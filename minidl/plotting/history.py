"""Loss and metrics over the epochs."""

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, ShapeError
from minidl.plotting.canvas import BLUE, FONT_SIZE, PAGE_WIDTH, VERMILION, new_figure
from minidl.plotting.checks import real_array
from minidl.training.improvement import SMALLER_IS_BETTER
from minidl.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOT_DRAWN = ("seconds", "learning_rate")
FEW_EPOCHS = 20  # up to here every epoch gets a dot
LONG_NAME = 16  # characters; beyond, the best value needs a line of its own


def plot_history(history: Mapping[str, ArrayLike], *, title: str | None = None) -> "Figure":
    """Draw the loss and every metric over the epochs, training and validation in one panel.

    Names of the form `val_x` share the panel of `x`; `seconds` and `learning_rate` get none. A
    ring marks the best validation value, which stands above the panel: the smallest one where the
    name contains "loss", "error", "mse", "mae", "perplexity" or "deviance", else the largest.
    Values that are not finite (an epoch without validation, a run that diverged) are left out.

    Args:
        history: What `Trainer.fit` returns, or any mapping from names to one value an epoch.
        title: A line above the figure.

    Returns:
        A figure with one axes a quantity, in the order of the history.

    Raises:
        DataError: There is no quantity to draw, or no epoch.
        ShapeError: A quantity is not 1-D, or two have different lengths.
        DTypeError: A quantity is not of real numbers.
        ImportError: matplotlib is missing.

    Example:
        >>> history = {"loss": [0.9, 0.5], "val_loss": [0.8, 0.6], "seconds": [1.0, 1.0]}
        >>> figure = plot_history(history)
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['loss']
    """
    curves = _curves(history)
    panels = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    width = PAGE_WIDTH if columns == 2 else 4.4
    figure = new_figure(width, 0.35 + 2.4 * rows, title, layout="constrained")
    handles: dict[str, Any] = {}
    for place, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, columns, place)
        heading = panel.replace("_", " ") + ("\n" if len(panel) > LONG_NAME else "")
        axes.set_title(heading, loc="left", fontsize=10, fontweight="bold")
        if panel in curves:
            handles["training"] = _curve(axes, curves[panel], "--", VERMILION)
        if f"val_{panel}" in curves:
            values = curves[f"val_{panel}"]
            handles["validation"] = _curve(axes, values, "-", BLUE)
            if _drawable(values).any():
                handles["best validation"] = _mark_best(axes, panel, values)
        _style(axes, len(next(iter(curves.values()))))
    figure.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        fontsize=FONT_SIZE,
    )
    return figure


def _curves(history: Mapping[str, ArrayLike]) -> dict[str, Array]:
    who = "plot_history"
    names = [name for name in history if name.removeprefix("val_") not in NOT_DRAWN]
    curves = {name: real_array(who, name, history[name]) for name in names}
    shapes = {name: values.shape for name, values in curves.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise ShapeError(
            f"{who}: expected one value an epoch for every quantity, got shapes {shapes}. "
            "Put NaN where an epoch has no value."
        )
    if not any(values.size for values in curves.values()):
        raise DataError(
            f"{who}: expected a loss or metric over at least one epoch, got {shapes or 'none'}. "
            "Pass what trainer.fit(..., epochs=1) or more returns."
        )
    return curves


def _curve(axes: "Axes", values: Array, style: str, color: str) -> Any:
    finite = _drawable(values)  # left out: NaN between two values must not break the line
    epochs = 1 + np.flatnonzero(finite)
    marker = "o" if len(epochs) <= FEW_EPOCHS else None
    return axes.plot(epochs, values[finite], style, color=color, marker=marker, ms=3.5, lw=1.5)[0]


def _drawable(values: Array) -> Array:
    return np.abs(values) < 1e300  # finite, and so that axis limits do not overflow


def _mark_best(axes: "Axes", quantity: str, values: Array) -> Any:
    smaller = any(word in quantity.lower() for word in SMALLER_IS_BETTER)
    order = np.where(_drawable(values), values if smaller else -values, np.inf)
    best = int(np.argmin(order))
    note = f"best {values[best]:#.4g} (epoch {best + 1})"
    axes.set_title(note, loc="right", fontsize=FONT_SIZE, color=BLUE)
    ring: dict[str, Any] = {"ms": 9, "mfc": "none", "mec": BLUE, "mew": 1.5, "ls": "none"}
    return axes.plot(best + 1, values[best], "o", clip_on=False, **ring)[0]


def _style(axes: "Axes", epochs: int) -> None:
    steps = (digit * 10**power for power in itertools.count() for digit in (5, 10, 20))
    step = 1 if epochs <= 10 else next(step for step in steps if epochs <= 8 * step)
    margin = max(0.04 * (epochs - 1), 0.3)
    axes.set(xlim=(1 - margin, epochs + margin))
    axes.set_xticks([1, *range(max(step, 2), epochs + 1, step)])
    axes.set_xlabel("epoch", fontsize=FONT_SIZE)
    axes.locator_params(axis="y", nbins=6)
    axes.ticklabel_format(axis="y", useOffset=False)
    if not 1e-4 < max(map(abs, axes.get_ylim())) < 1e6:
        axes.yaxis.set_major_formatter("{x:.3g}")  # a common factor would stand in the heading
    axes.tick_params(labelsize=FONT_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.5", alpha=0.25, lw=0.8)
    axes.set_axisbelow(True)
