"""The picture of the training workloads: each program's time beside minidl's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contestants import CONTESTANTS
from benchmarks.summaries import OURS, Summary, summarize
from benchmarks.tables import Runs, number, of_workload, time_unit
from benchmarks.workloads import Workload
from minidl.plotting.canvas import BLUE, FONT_SIZE, PAGE_WIDTH, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = (BLUE, VERMILION)
MARKERS = ("o", "D")
SMALL = FONT_SIZE - 2


def training_figure(workloads: list[Workload], runs: Runs) -> Figure:
    """A panel for each workload, a line for each program, a dot for each kernel setting."""
    runs = dict(list(runs.items())[: len(COLORS)])
    columns = min(2, len(workloads))
    rows = -(-len(workloads) // columns)
    names = workloads[0].contestants
    height = rows * (0.19 * len(names) + 0.75) + 0.3
    title = "Time of a training step by minidl's: right of the line, minidl is faster"
    figure = new_figure(PAGE_WIDTH, height, title, layout="constrained")
    first: Axes | None = None
    for place, workload in enumerate(workloads):
        axes = figure.add_subplot(rows, columns, place + 1, sharex=first)
        first = first or axes
        _panel(axes, workload, runs, labels=place % columns == 0)
        if place >= len(workloads) - columns:
            axes.set_xlabel("times minidl's time", fontsize=FONT_SIZE)
    if len(runs) > 1:
        handles = first.get_legend_handles_labels()
        figure.legend(
            *handles, loc="outside lower center", ncols=2, frameon=False, fontsize=FONT_SIZE
        )
    return figure


def _panel(axes: Axes, workload: Workload, runs: Runs, *, labels: bool) -> None:
    from matplotlib.ticker import LogLocator

    unit, scale = time_unit(workload)
    names = workload.contestants
    for shown, (kernels, group) in enumerate(runs.items()):
        found = [summarize(of_workload(group, workload), name) for name in names]
        points = {y: s.ratio for y, s in enumerate(found) if isinstance(s, Summary) and s.ratio}
        color, offset = COLORS[shown], 0.17 * (2 * shown - len(runs) + 1)
        axes.plot(
            list(points.values()),
            [y + offset for y in points],
            MARKERS[shown],
            color=color,
            ms=4.5,
            label=f"OPENBLAS_CORETYPE: {kernels}",
        )
        for y, summary in enumerate(found):
            if isinstance(summary, Summary):
                text = f"{number(summary.median * scale)} {unit}"
            else:
                text = summary.split(":")[0]  # missing, or failed
            axes.annotate(
                text,
                (1, y),
                xytext=(4 + 42 * shown, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
                color=color,
            )
    axes.axvline(1, color="0.5", lw=0.8)
    axes.set_title(workload.title, loc="left", fontsize=FONT_SIZE, fontweight="bold")
    axes.set(xscale="log", ylim=(len(names) - 0.4, -0.6))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.set_yticks(
        range(len(names)), [CONTESTANTS[name].label if labels else "" for name in names]
    )
    if labels:
        axes.get_yticklabels()[names.index(OURS)].set_fontweight("bold")
    axes.tick_params(labelsize=FONT_SIZE - 1, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(color="0.5", alpha=0.25, lw=0.6)
    axes.set_axisbelow(True)
