"""results.md: everything that was measured, for people."""

from __future__ import annotations

from typing import Any

from benchmarks.data import SPARSE_SHAPE
from benchmarks.footprint_tables import MIB, import_table, memory_tables
from benchmarks.heading import head
from benchmarks.sameness import TOLERANCE
from benchmarks.scaling import SWEEPS
from benchmarks.scaling_tables import sweep_table, with_scaling
from benchmarks.tables import Runs, difference_table, limit_table, workload_table
from benchmarks.workloads import WORKLOADS

GROUPS = {
    "W1": "W1: training 784-10-10 in small batches",
    "W2": "W2: training 784-10-10 on the full batch",
    "W3": "W3: training 784-128-64-32-10",
    "W4": "W4: training 784-512-512-10",
    "W5": "W5: training convolutional networks",
    "W6": "W6: latency of one row",
    "W7": "W7: throughput of 10,000 rows",
    "W10": "W10: training on sequences",
    "W11": "W11: sparse rows",
}
NOTE = (
    "Seconds a training step, or a call. Each program runs in a process of its own; all take turns "
    "in every round, one at a time, on the same rows, batches, initial values and threads, in "
    "float32. `ratio` is the program's time by minidl's, the median over the rounds; `of bests` is "
    "its best by minidl's best. Above 1, minidl is faster."
)


def by_kernels(files: list[dict[str, Any]]) -> Runs:
    """All runs of all files, grouped by their kernel setting."""
    groups: Runs = {}
    for file in files:
        for run in file["runs"]:
            groups.setdefault(run["kernels"], []).append(run)
    return groups


def measured(runs: Runs) -> set[str]:
    """Names of the workloads that were measured."""
    return {name for group in runs.values() for run in group for name in run["workloads"]}


def markdown(files: list[dict[str, Any]]) -> str:
    """The whole report on one or more results."""
    runs = by_kernels(files)
    names = measured(runs)
    workloads = [workload for workload in WORKLOADS if workload.name in names]
    parts = ["# Measured speed and size", head(files, runs), NOTE]
    for group, title in GROUPS.items():
        members = [workload for workload in workloads if workload.group == group]
        if members:
            parts.append(f"## {title}")
        for workload in members:
            parts += [f"**{workload.title}**", workload_table(workload, runs)]
    parts += sparse_parts(files)
    parts += footprint_parts(files)
    parts += scaling_parts(runs)
    training = [w for w in workloads if w.kind == "training" and not w.sparse]
    if training:
        parts += ["## The machine's limit", limit_note(runs), limit_table(training, runs)]
    if workloads:
        parts += [
            "## Same work",
            "Largest difference of any parameter from minidl's after the same batches from the "
            "same start (in inference: of any probability), checked before timing. A contestant "
            f"above {TOLERANCE:g} has no result.",
            difference_table(workloads, runs),
        ]
    return "\n\n".join(parts) + "\n"


def footprint_parts(files: list[dict[str, Any]]) -> list[str]:
    """W8, from the first file that has it."""
    for file in files:
        if file.get("footprint"):
            return [
                "## W8: import, installed size, memory",
                "Import: the statement alone, in fresh interpreters that take turns. Installed: "
                "the site-packages folder of an environment with this program and what it needs, "
                "without pip.",
                import_table(file["footprint"]),
                "Memory of one epoch of training, each program in a process of its own.",
                *memory_tables(file["footprint"]["memory"]),
            ]
    return []


def sparse_parts(files: list[dict[str, Any]]) -> list[str]:
    """Memory of W11, from the first file that has it."""
    rows, features = SPARSE_SHAPE
    dense = f"As a dense array the rows alone would take {4 * rows * features / MIB:,.0f} MiB."
    for file in files:
        if file.get("sparse_memory"):
            note = "Memory of one epoch and of one call, each program in a process of its own."
            return [f"{note} {dense}", *memory_tables(file["sparse_memory"])]
    return []


def scaling_parts(runs: Runs) -> list[str]:
    """W9, from the first run of each kernel setting that has it."""
    parts = []
    for kernels, run in with_scaling(runs).items():
        for sweep in SWEEPS:
            parts += [f"**{sweep.title}, kernels {kernels}**", sweep_table(sweep, run)]
    return ["## W9: scaling with width and batch", *parts] if parts else []


def limit_note(runs: Runs) -> str:
    """What the limit means, and the rates it rests on."""
    lines = [
        "The least time of a step: its matrix products at the rate of large ones, or reading its "
        "rows from memory once, whichever takes longer. Measured rates:"
    ]
    for kernels, group in runs.items():
        if rates := group[0]["rates"]:
            lines.append(
                f"- {kernels}: {rates['sgemm_gflops']:.0f} GFLOP/s "
                f"({rates['sgemm_gflops_one_thread']:.0f} with one thread), "
                f"{rates['memory_gb_per_s']:.0f} GB/s"
            )
    return "\n".join(lines).replace("\n- ", "\n\n- ", 1)
