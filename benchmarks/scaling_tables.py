"""Markdown tables of the scaling curves (W9)."""

from __future__ import annotations

from typing import Any

from benchmarks.contestants import CONTESTANTS
from benchmarks.limits import step_limit
from benchmarks.scaling import CONTESTANTS as NAMES
from benchmarks.scaling import Sweep
from benchmarks.tables import Runs, number, table
from benchmarks.workloads import Workload


def with_scaling(runs: Runs) -> dict[str, dict[str, Any]]:
    """The first run of each kernel setting that has curves."""
    found = {}
    for kernels, group in runs.items():
        for run in reversed(group):
            if any(name.startswith("W9") for name in run["workloads"]):
                found[kernels] = run
    return found


def best(run: dict[str, Any], workload: str, name: str) -> float | None:
    """Least seconds of a step, if there are any."""
    seconds = run["workloads"].get(workload, {}).get(name, {}).get("seconds")
    return min(seconds) if seconds else None


def limit(run: dict[str, Any], workload: Workload) -> float | None:
    """Least possible seconds of a step, if the machine's rates are known."""
    return step_limit(workload, run["rates"]).seconds if run["rates"] else None


def sweep_table(sweep: Sweep, run: dict[str, Any]) -> str:
    """Microseconds a step along a sweep, and how minidl compares."""
    head = [sweep.axis, *(f"{CONTESTANTS[name].label}, us" for name in NAMES)]
    head += ["limit, us", "minidl reaches", "minidl by one thread"]
    rows = []
    for value, workload in sweep.points.items():
        times = [best(run, workload.name, name) for name in NAMES]
        bound = limit(run, workload)
        row = [f"{value:,}", *(number(t * 1e6) if t else "" for t in (*times, bound))]
        ours, one_thread = times[:2]
        row.append(f"{bound / ours:.0%}" if ours and bound else "")
        row.append(f"{ours / one_thread:.2f}" if ours and one_thread else "")
        rows.append(row)
    return table(head, rows)
