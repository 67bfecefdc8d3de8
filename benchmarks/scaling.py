"""W9: how the time of a step grows with the width of a layer and with the batch."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.data import FEATURES, ROWS
from benchmarks.networks import dense, step_operations
from benchmarks.workloads import Workload

CONTESTANTS = ("minidl", "minidl_one_thread", "torch_eager", "jax_jit")
WIDTHS = tuple(2**k for k in range(3, 13))
BATCHES = (1, 4, 16, 64, 256, 1024, 4096, 8192)
OPERATIONS = 5e9  # of a round, about: a tenth of a second
STEPS = 8, 500


@dataclass(frozen=True)
class Sweep:
    """One curve's points.

    Attributes:
        title: What readers see.
        axis: What grows.
        points: The workload for each value.
    """

    title: str
    axis: str
    points: dict[int, Workload]


def point(name: str, units: tuple[int, ...], batch_size: int) -> Workload:
    """A workload of few steps, in whole batches."""
    layers = dense(*units)
    least, most = STEPS
    steps = OPERATIONS / step_operations(layers, (FEATURES,), batch_size)
    steps = round(min(max(steps, least), most))
    rows = min(steps, ROWS // batch_size) * batch_size
    epochs = max(1, round(steps * batch_size / rows))
    network = "-".join(map(str, (FEATURES, *units)))
    return Workload(
        name,
        f"{network}, batch {batch_size}",
        "training",
        layers,
        batch_size,
        CONTESTANTS,
        fit_epochs=epochs,
        loop_epochs=epochs,
        rows=rows,
        most_rounds=3,
    )


def _batches(key: str, *units: int) -> dict[int, Workload]:
    return {n: point(f"W9-{key}-{n}", units, n) for n in BATCHES}


SWEEPS = (
    Sweep(
        "784-width-10, batch 64",
        "width",
        {w: point(f"W9-width-{w}", (w, 10), 64) for w in WIDTHS},
    ),
    Sweep("784-10-10", "batch size", _batches("batch", 10, 10)),
    Sweep("784-512-10", "batch size", _batches("wide", 512, 10)),
)
WORKLOADS = tuple(workload for sweep in SWEEPS for workload in sweep.points.values())
