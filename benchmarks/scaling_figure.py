"""The picture of the scaling curves (W9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contestants import CONTESTANTS
from benchmarks.scaling import SWEEPS, Sweep
from benchmarks.scaling_tables import best, limit, with_scaling
from benchmarks.tables import Runs
from minidl.plotting.canvas import BLUE, FONT_SIZE, PAGE_WIDTH, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, GREY = "#009E73", "0.45"
STYLES = {  # colour, line, width
    "minidl": (BLUE, "-", 2.0),
    "minidl_one_thread": (BLUE, ":", 1.5),
    "torch_eager": (VERMILION, "-", 1.3),
    "jax_jit": (GREEN, "-", 1.3),
}
LABEL_SPACE = 9.0  # points between two labels
PANEL_HEIGHT = 2.3  # inches


def scaling_figure(runs: Runs) -> Figure:
    """A row of panels for each sweep, a column for each kernel setting (two at most)."""
    shown = dict(list(with_scaling(runs).items())[:2])
    figure = new_figure(
        PAGE_WIDTH if len(shown) > 1 else 4.4,
        len(SWEEPS) * PANEL_HEIGHT,
        "Time of a training step, and the machine's limit",
        layout="constrained",
    )
    grid = figure.subplots(len(SWEEPS), len(shown), squeeze=False, sharey="row")
    for row, sweep in zip(grid, SWEEPS, strict=True):
        ends = []
        for axes, (kernels, run) in zip(row, shown.items(), strict=True):
            heading = sweep.title if len(shown) == 1 else f"{sweep.title}\nkernels: {kernels}"
            axes.set_title(heading, loc="left", fontsize=FONT_SIZE, fontweight="bold")
            axes.set_xlabel(sweep.axis, fontsize=FONT_SIZE)
            axes.set(xscale="log", yscale="log")
            ends.append(_curves(axes, sweep, run))
            _style(axes, list(sweep.points))
        row[0].set_ylabel("microseconds a step", fontsize=FONT_SIZE)
        _label(row[-1], ends[-1])
    return figure


def _curves(axes: Axes, sweep: Sweep, run: dict[str, Any]) -> dict[str, tuple[str, float]]:
    """Draw the curves; returns colour and last height of each by its label."""
    ends = {}
    for name, (color, line, width) in STYLES.items():
        points = {value: best(run, w.name, name) for value, w in sweep.points.items()}
        drawn = {value: 1e6 * seconds for value, seconds in points.items() if seconds}
        if drawn:
            axes.plot(list(drawn), list(drawn.values()), line, color=color, lw=width)
            ends[CONTESTANTS[name].label] = color, list(drawn.values())[-1]
    if run["rates"]:
        bounds = [1e6 * limit(run, workload) for workload in sweep.points.values()]
        axes.plot(list(sweep.points), bounds, "--", color=GREY, lw=1.0)
        ends["limit"] = GREY, bounds[-1]
    return ends


def _style(axes: Axes, values: list[int]) -> None:
    axes.set_xticks(values[::2], [f"{value:,}" for value in values[::2]])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.tick_params(labelsize=FONT_SIZE - 1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.5", alpha=0.25, lw=0.6)
    axes.set_axisbelow(True)


def _label(axes: Axes, ends: dict[str, tuple[str, float]]) -> None:
    """Write each curve's name beside its end, the names apart from each other."""
    low, high = np.log(axes.get_ylim())
    height = 72 * 0.65 * PANEL_HEIGHT  # of the axes, about, in points
    names = sorted(ends, key=lambda name: ends[name][1])
    wanted = [(np.log(ends[name][1]) - low) / (high - low) * height for name in names]
    for name, place in zip(names, spread(wanted, height), strict=True):
        axes.annotate(
            name,
            (1, place / height),
            xytext=(4, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            fontsize=FONT_SIZE - 1,
            color=ends[name][0],
        )


def spread(wanted: list[float], top: float) -> list[float]:
    """Ascending places near the wanted ones, apart from each other and not above the top."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + LABEL_SPACE) if places else place)
    for i in reversed(range(len(places))):
        places[i] = min(places[i], top - (len(places) - 1 - i) * LABEL_SPACE)
    return places
