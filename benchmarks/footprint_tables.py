"""Markdown tables of imports, installed sizes and memory (W8)."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.contestants import CONTESTANTS
from benchmarks.summaries import OURS
from benchmarks.tables import table
from benchmarks.workloads import WORKLOADS

MIB = 2**20
IMPORT_TARGET = 0.2  # seconds
MEMORY_TARGET = 64  # MiB above the data, for the full batch
ENVIRONMENTS = {"PyTorch": "torch", "JAX": "jax", "Keras": "keras", "scikit-learn": "sklearn"}


def import_table(footprint: dict[str, Any]) -> str:
    """Import time and installed size of each program."""
    rows = []
    for name, found in footprint["import"].items():
        size = footprint["size"].get(ENVIRONMENTS.get(name, name), {})
        megabytes = f"{size['bytes'] / 1e6:,.0f}" if "bytes" in size else size.get("problem", "")
        if "problem" in found:
            rows.append([name, found["problem"], megabytes, ""])
            continue
        best, middle = min(found["seconds"]), median(found["seconds"])
        target = bound(best, IMPORT_TARGET, "s") if name == "minidl" else ""
        rows.append([name, f"{best:.2f} / {middle:.2f}", megabytes, target])
    return table(["program", "import, best / median, s", "installed, MB", "target"], rows)


def memory_tables(memory: dict[str, Any]) -> list[str]:
    """What `peak_memory` found, a table for each workload."""
    parts = []
    for workload in (w for w in WORKLOADS if w.name in memory):
        head = ["program", "peak of the process", "above the data", "above program and data"]
        head += ["target"] if workload.name == "W2" else []
        rows = []
        for name, found in memory[workload.name].items():
            row = [CONTESTANTS[name].label]
            if "problem" in found:
                row += [found["problem"], "", "", ""]
            else:
                above = (found["peak"] - found["data"]) / MIB
                figures = [found["peak"] / MIB, above, (found["peak"] - found["before"]) / MIB]
                row += [f"{figure:,.0f}" for figure in figures]
                row += [bound(above, MEMORY_TARGET, "MiB above the data") if name == OURS else ""]
            rows.append(row[: len(head)])
        parts += [f"**{workload.title}**, MiB", table(head, rows)]
    return parts


def bound(value: float, target: float, unit: str) -> str:
    """Whether a value stays below its target, and by how much it does not."""
    if value <= target:
        return f"<= {target:g} {unit}: met"
    return f"<= {target:g} {unit}: missed by {value - target:.2g}"
