"""The pictures that belong to some results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.report import by_kernels, measured
from benchmarks.scaling import WORKLOADS as SCALING
from benchmarks.scaling_figure import scaling_figure
from benchmarks.training_figure import training_figure
from benchmarks.workloads import TRAINING, WORKLOADS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures(files: list[dict[str, Any]]) -> dict[str, Figure]:
    """Figures by their file names, for what has been measured."""
    runs, found = by_kernels(files), {}
    names = measured(runs)
    training = [w for w in WORKLOADS if w.contestants == TRAINING and w.name in names]
    if training:
        found["results-training"] = training_figure(training, runs)
    if any(workload.name in names for workload in SCALING):
        found["scaling"] = scaling_figure(runs)
    return found
